"""Work of the workbench: one piece of each group at a time, in lanes, answered by messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from textual.screen import Screen
from textual.worker import get_current_worker

from appliance.workbench.lanes import Cancelled, Lane, LaneBroken
from appliance.workbench.messages import Answered, Told

__all__ = ["STOPPED", "Work"]

STOPPED = "stopped"
"""The error of an answer that was cancelled."""
_LANES = {"check": "check", "trace": "trace", "compile": "work", "compare": "work", "lab": "lab"}
"""The lane of each group of work: a trace does not wait for a compile, nor a check for either."""


class Work:
    """Starts and stops work for a screen; the screen hears ``Told`` and ``Answered``."""

    def __init__(self, screen: Screen[Any], make_lane: Callable[[], Lane]) -> None:
        self._screen = screen
        self._make = make_lane
        self._lanes: dict[str, Lane] = {}
        self._tickets: dict[str, int] = dict.fromkeys(_LANES, 0)
        self._running: set[str] = set()

    def start(self, group: str, task: Callable[..., Any], *arguments: Any) -> None:
        """Run the task in the group's lane; what ran in the group before is ended, and its answer not heard."""
        self._tickets[group] += 1
        self._running.add(group)
        if _LANES[group] not in self._lanes:
            self._lanes[_LANES[group]] = self._make()
        lane = self._lanes[_LANES[group]]
        ticket = self._tickets[group]
        self._screen.run_worker(
            partial(self._run, lane, group, ticket, task, arguments),
            group=group,
            exclusive=True,
            thread=True,
            exit_on_error=False,
        )

    def stop(self, group: str) -> None:
        """End what runs in the group."""
        self._screen.workers.cancel_group(self._screen, group)

    def is_running(self, group: str) -> bool:
        """Whether an answer is awaited."""
        return group in self._running

    def is_current(self, message: Told | Answered) -> bool:
        """Whether the message is of the last piece of work of its group; notes the end of it."""
        current = message.ticket == self._tickets[message.group]
        if current and isinstance(message, Answered):
            self._running.discard(message.group)
        return current

    def close(self) -> None:
        """End all of it, and the processes."""
        for lane in self._lanes.values():
            lane.close()

    def _run(self, lane: Lane, group: str, ticket: int, task: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """In a thread: only messages leave it."""
        worker = get_current_worker()
        post = self._screen.post_message

        def told(value: Any) -> None:
            post(Told(group, ticket, value))

        try:
            result = lane.run(
                task,
                *arguments,
                tell=told,
                is_cancelled=lambda: worker.is_cancelled,
            )
        except Cancelled:
            post(Answered(group, ticket, None, STOPPED))
        except LaneBroken as error:
            post(Answered(group, ticket, None, str(error)))
        except Exception as error:  # of a lane in this thread; said on the screen
            post(Answered(group, ticket, None, f"{type(error).__name__}: {error}"))
        else:
            post(Answered(group, ticket, result))
