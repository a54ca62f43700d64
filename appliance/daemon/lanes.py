"""Threads beside the event loop, each lane with a longest queue: what would wait longer is refused at once.

Leaner than ``run_in_executor``, of which each call makes two futures and takes
four locks: a command of a third of a millisecond waits longer for those than
for the store.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from appliance.daemon.errors import TooMany

__all__ = ["Lane", "Outcome", "Turn", "answer"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Turn:
    """One call that waits for its turn."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    shares: bool
    future: asyncio.Future[Any]

    def take(self) -> Outcome:
        """Call it."""
        try:
            return Outcome(self, self.function(*self.arguments), None)
        except BaseException as error:
            return Outcome(self, None, error)


class Outcome(NamedTuple):
    """What came of it."""

    turn: Turn
    result: Any
    error: BaseException | None


class Lane:
    """Some threads and their queue. The threads begin with the first call."""

    def __init__(self, name: str, threads: int, longest: int) -> None:
        self.longest = longest
        self.waiting = 0
        self._turns: SimpleQueue[Turn | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"gerbang-{name}_{number}", daemon=True)
            for number in range(threads)
        ]
        self._started = self._closed = False

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The function's result; raises TooMany when the queue is full."""
        result: Result = await self._wait(function, arguments, shares=False)
        return result

    def close(self) -> None:
        """Let what runs end; what waits is dropped."""
        self._closed = True
        if self._started:
            for _thread in self._threads:
                self._turns.put(None)
            for thread in self._threads:
                thread.join()

    async def _wait(self, function: Callable[..., Any], arguments: tuple[Any, ...], *, shares: bool) -> Any:
        if self.waiting >= self.longest or self._closed:
            raise TooMany(retry_after=1)
        if not self._started:
            self._started = True
            for thread in self._threads:
                thread.start()
        turn = Turn(function, arguments, shares, asyncio.get_running_loop().create_future())
        self.waiting += 1
        turn.future.add_done_callback(self._done)
        self._turns.put(turn)
        # A caller that goes away frees its place only when its call is done.
        return await asyncio.shield(turn.future)

    def _done(self, future: asyncio.Future[Any]) -> None:
        self.waiting -= 1
        if not future.cancelled():
            future.exception()  # of a caller that has gone: nobody else would look at it

    def _work(self) -> None:
        while (turn := self._turns.get()) is not None:
            answer([self._dropped(turn) if self._closed else turn.take()])

    def _dropped(self, turn: Turn) -> Outcome:
        return Outcome(turn, None, asyncio.CancelledError())


def answer(outcomes: Sequence[Outcome]) -> None:
    """Wake those that wait, a loop at a time."""
    loops: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for one in outcomes:
        loops.setdefault(one.turn.future.get_loop(), []).append(one)
    for loop, theirs in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, theirs)
        except RuntimeError:
            continue  # its loop has ended, and nobody waits


def _settle(outcomes: Sequence[Outcome]) -> None:
    for turn, result, error in outcomes:
        if turn.future.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            turn.future.cancel()
        elif error is not None:
            turn.future.set_exception(error)
        else:
            turn.future.set_result(result)
