"""Sends what an arrival process says, one event at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from compiler.simulator.engine import Engine

__all__ = ["Sender"]

Item = TypeVar("Item")


class Sender(Generic[Item]):
    """Calls ``send`` with each item at its moment.

    ``arrivals`` are read as late as possible, so an endless process costs the
    heap one event. Their moments count from ``start`` (default: now); one that
    is past, as in a capture out of order, is sent at once.
    """

    __slots__ = ("_arrivals", "_engine", "_is_stopped", "_item", "_send", "_start", "is_done", "sent")

    def __init__(
        self,
        engine: Engine,
        arrivals: Iterable[tuple[int, Item]],
        send: Callable[[Item], object],
        *,
        start: int | None = None,
    ) -> None:
        self._engine = engine
        self._arrivals = iter(arrivals)
        self._send = send
        self._start = engine.now if start is None else start
        self._is_stopped = False
        self.is_done = False
        """Whether all has been sent, or nothing more will be."""
        self.sent = 0
        """Items sent."""
        # The process is not asked before its time: a Random may be shared with what comes before.
        engine.at(max(self._start, engine.now), self._plan)

    def stop(self) -> None:
        """Send no more."""
        self._is_stopped = self.is_done = True

    def _plan(self, _: object = None) -> None:
        if self._is_stopped:
            return
        planned = next(self._arrivals, None)
        if planned is None:
            self.is_done = True
            return
        moment, self._item = planned
        engine = self._engine
        engine.at(max(self._start + moment, engine.now), self._ring)

    def _ring(self, _: object) -> None:
        if self._is_stopped:
            return
        self.sent += 1
        self._send(self._item)
        self._plan()
