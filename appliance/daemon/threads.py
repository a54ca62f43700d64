"""The threads beside the event loop: one writer, a few readers, a few for passwords. Each has a longest queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from appliance.daemon.errors import TooMany

__all__ = ["Lane", "Threads"]

Result = TypeVar("Result")


class Lane:
    """A pool with a longest queue. What waits longer than that is refused at once, so that the daemon still answers."""

    def __init__(self, name: str, threads: int, longest: int) -> None:
        self.longest = longest
        self.waiting = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"gerbang-{name}")

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The function's result; raises TooMany when the queue is full."""
        if self.waiting >= self.longest:
            raise TooMany(retry_after=1)
        self.waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)
        # A caller that goes away frees its place only when the thread is done with its call.
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[Any]) -> None:
        self.waiting -= 1
        if not future.cancelled():
            future.exception()  # of a caller that has gone: nobody else would look at it

    def close(self) -> None:
        """Let what runs end; what waits is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class Threads:
    """All lanes of the daemon."""

    def __init__(self, readers: int = 4) -> None:
        self.writer = Lane("writer", 1, 1000)
        self.readers = Lane("reader", readers, 1000)
        # Each takes 46 MiB and a core for 0.1 s.
        self.passwords = Lane("password", 2, 32)
        self.documents = Lane("document", 2, 64)

    def close(self) -> None:
        """Let what runs end."""
        for lane in (self.readers, self.passwords, self.documents, self.writer):
            lane.close()
