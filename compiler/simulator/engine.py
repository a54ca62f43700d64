"""The event engine: what happens next, in virtual time.

A heap of ``(time, order, action, argument)``. Events of one moment happen in
the order in which they were asked for, so a run is fully determined.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Any

__all__ = ["MICROSECOND", "MILLISECOND", "SECOND", "Engine", "Timer"]

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

Action = Callable[[Any], object]
Event = tuple[int, float, Action, Any]


class _Stop(Exception):
    """The moment until which the engine was asked to run has come."""


def _stop(_: object) -> None:
    raise _Stop


class Engine:
    """Virtual time, in nanoseconds since the start.

    ``heap`` and ``order`` are open to links, which schedule a frame's arrival
    without a call between: ``heappush(heap, (time, order(), action, argument))``.
    """

    __slots__ = ("heap", "now", "order")

    def __init__(self) -> None:
        self.now = 0
        self.heap: list[Event] = []
        self.order = count().__next__

    def at(self, time: int, action: Action, argument: object = None) -> None:
        """Have ``action(argument)`` happen at ``time``; ValueError for the past."""
        if time < self.now:
            raise ValueError(f"{time} ns is past: it is {self.now} ns")
        heappush(self.heap, (time, self.order(), action, argument))

    def after(self, delay: int, action: Action, argument: object = None) -> None:
        """Have ``action(argument)`` happen ``delay`` nanoseconds from now."""
        self.at(self.now + delay, action, argument)

    def run(self, until: int | None = None) -> None:
        """Let events happen up to and including ``until``; without it, until there are none."""
        heap, pop = self.heap, heappop
        try:
            if until is None:
                while heap:
                    self.now, _, action, argument = pop(heap)
                    action(argument)
            else:
                if until < self.now:
                    raise ValueError(f"{until} ns is past: it is {self.now} ns")
                # An order after every other lets all events of the last moment happen.
                heappush(heap, (until, inf, _stop, None))
                while True:
                    self.now, _, action, argument = pop(heap)
                    action(argument)
        except _Stop:
            pass
        except BaseException:
            self.forget(_stop)  # a later run must not end at this one's moment
            raise

    def forget(self, action: Action) -> list[Any]:
        """Take out every event with this action; their arguments, in order of time."""
        gone = sorted((event for event in self.heap if event[2] == action), key=lambda event: event[:2])
        self.heap[:] = [event for event in self.heap if event[2] != action]
        heapify(self.heap)
        return [event[3] for event in gone]


class Timer:
    """One thing that may happen later, and may be put off or called off.

    An event in the heap that has been overtaken does nothing when its time comes.
    """

    __slots__ = ("_action", "_due", "_engine", "_scheduled")

    def __init__(self, engine: Engine, action: Callable[[], object]) -> None:
        self._engine = engine
        self._action = action
        self._due: int | None = None
        self._scheduled: int | None = None

    @property
    def due(self) -> int | None:
        """When it will happen, or None."""
        return self._due

    def start(self, delay: int) -> None:
        """Happen ``delay`` nanoseconds from now, whatever was planned before."""
        self._due = due = self._engine.now + delay
        if self._scheduled is None or due < self._scheduled:
            self._scheduled = due
            self._engine.at(due, self._ring, due)

    def stop(self) -> None:
        """Do not happen."""
        self._due = None

    def _ring(self, scheduled: int) -> None:
        if scheduled != self._scheduled:
            return
        self._scheduled = None
        if self._due is None:
            return
        if self._due > self._engine.now:
            self._scheduled = self._due
            self._engine.at(self._due, self._ring, self._due)
            return
        self._due = None
        self._action()
