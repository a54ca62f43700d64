"""Program data over the helper's socket: a line that it begins, frames, and a line how it has ended.

A frame is its length, four bytes with the most significant first, and so many bytes; one of no bytes is the last. They
come from the helper for ``take``, and from the daemon for ``check`` and ``put``. Who leaves before the last frame ends
the command, which then has changed nothing. The commands block, so they run in a thread; each frame is one turn of the
loop.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Coroutine
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from appliance.contract.program_data import DataKeeper
from appliance.helper.answers import Done, HelperRefused, write_answer
from appliance.helper.requests import OfData

__all__ = ["LARGEST_FRAME", "LENGTH", "Streaming"]

LENGTH = struct.Struct("!I")
LARGEST_FRAME = 1 << 20
"""Bytes."""
PATIENCE = 300.0
"""Seconds in which the other side takes or brings the next frame."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """One request about data on one connection."""

    keeper: DataKeeper
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    loop: asyncio.AbstractEventLoop

    def do(self, request: OfData) -> Done:
        """In a thread, while the loop runs. Raises what the keeper does, and OSError when the other side has left."""
        if request.way == "take":
            return self._take(request.data)
        self._wait(self._send(write_answer(Done())))
        frames = _Frames(self)
        try:
            match request.way:
                case "check":
                    self.keeper.check_data(request.data, frames)
                case "put":
                    self.keeper.put_data(request.data, frames)
        finally:
            # Who sends hears only afterwards that nobody read to the end.
            with suppress(OSError, EOFError, HelperRefused):
                for _frame in frames:
                    pass
        return Done()

    def _take(self, name: str) -> Done:
        with closing(self.keeper.take_data(name)) as chunks:
            self._wait(self._send(write_answer(Done())))
            try:
                for chunk in chunks:
                    self._wait(self._send(LENGTH.pack(len(chunk)) + chunk))
            finally:
                # Also before the line that says why it failed.
                self._wait(self._send(LENGTH.pack(0)))
        return Done()

    def receive(self) -> bytes:
        """One frame; none is the last."""
        return self._wait(self._receive())

    def _wait(self, what: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result()

    async def _send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await asyncio.wait_for(self.writer.drain(), PATIENCE)

    async def _receive(self) -> bytes:
        (length,) = LENGTH.unpack(await asyncio.wait_for(self.reader.readexactly(LENGTH.size), PATIENCE))
        if length > LARGEST_FRAME:
            raise HelperRefused("too-large", f"a frame has at most {LARGEST_FRAME} bytes")
        return await asyncio.wait_for(self.reader.readexactly(length), PATIENCE)


class _Frames:
    """Those that come; after an error or the last one there are no more."""

    def __init__(self, stream: Streaming) -> None:
        self._stream = stream
        self._ended = False

    def __iter__(self) -> _Frames:
        return self

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        self._ended = True
        frame = self._stream.receive()
        if not frame:
            raise StopIteration
        self._ended = False
        return frame
