"""Captures of a simulated lab: what links carry, written as it is sent, for Wireshark and for us."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from compiler.errors import UsageError
from compiler.simulator.capture_reader import CaptureReader, read_capture
from compiler.simulator.capture_writer import INBOUND, OUTBOUND, PcapngWriter, PcapWriter
from compiler.simulator.engine import Engine
from compiler.simulator.frame import Frame
from compiler.simulator.link import Direction, Link
from compiler.simulator.wire import frame_bytes

__all__ = ["Capture", "CaptureReader", "read_capture"]

Ways = Literal["both", "forward", "backward"]


class Capture:
    """Writes every frame that is sent on some links, in order of time.

    One pcapng file with an interface for each link, called like it, in which
    frames of the forward way are outbound; or, with ``form="pcap"``, a folder
    with a file for each link. Times are the lab's, from ``epoch`` (nanoseconds
    since 1970) on. A frame is written when its first bit is sent; one that is
    lost on the wire is there, one that its queue turned away is not. Frames
    that waited in a queue when their link was cut, or the capture was closed,
    were never sent; those of a cut link are written all the same.

    Use it in a ``with`` statement: the files are complete also when the
    simulation fails.
    """

    def __init__(
        self,
        engine: Engine,
        path: Path,
        links: Iterable[Link] = (),
        *,
        form: Literal["pcapng", "pcap"] = "pcapng",
        epoch: int = 0,
    ) -> None:
        self._engine = engine
        self._path = path
        self._epoch = epoch
        self._order = count().__next__
        self._pending: list[tuple[int, int, Callable[[int, bytes], object], bytes]] = []
        self._closed = False
        self._writers: dict[str, PcapWriter] = {}
        self._pcapng: PcapngWriter | None = None
        self.frames = 0
        """Frames written."""
        try:
            if form == "pcapng":
                self._pcapng = PcapngWriter(path)
            else:
                path.mkdir(parents=True, exist_ok=True)
            for link in links:
                self.add(link)
        except OSError as error:
            self.close()
            raise UsageError(f"{error.filename or path}: {error.strerror}") from error

    def add(self, link: Link, ways: Ways = "both") -> None:
        """Capture on one more link, from now on; one of its directions only if asked."""
        if self._pcapng is not None:
            interface = self._pcapng.add_interface(link.name)
            write = self._pcapng.write
            if ways != "backward":
                self._tap(link.forward, lambda time, octets: write(interface, time, octets, OUTBOUND))
            if ways != "forward":
                self._tap(link.backward, lambda time, octets: write(interface, time, octets, INBOUND))
            return
        writer = self._writer(link.name)
        if ways != "backward":
            self._tap(link.forward, writer.write)
        if ways != "forward":
            self._tap(link.backward, writer.write)

    def close(self) -> None:
        """Write what has been sent and complete the files. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._write_until(self._engine.now)
        finally:
            self._pending.clear()
            for writer in (*self._writers.values(), *((self._pcapng,) if self._pcapng else ())):
                writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _writer(self, link: str) -> PcapWriter:
        name = re.sub(r"[^\w.+-]", "_", link) or "_"
        taken = name
        for number in count(2):
            if taken not in self._writers:
                break
            taken = f"{name}-{number}"
        writer = self._writers[taken] = PcapWriter(self._path / f"{taken}.pcap")
        return writer

    def _tap(self, direction: Direction, write: Callable[[int, bytes], object]) -> None:
        order, pending, engine = self._order, self._pending, self._engine

        def heard(time: int, frame: Frame) -> None:
            if self._closed:
                return
            now = engine.now
            if pending and pending[0][0] <= now:
                self._write_until(now)
            if time <= now and not pending:
                self.frames += 1
                write(self._epoch + time, frame_bytes(frame))
            else:  # it waits in the queue: others will be sent before it
                heappush(pending, (time, order(), write, frame_bytes(frame)))

        direction.tap(heard)

    def _write_until(self, now: int) -> None:
        pending = self._pending
        while pending and pending[0][0] <= now:
            time, _, write, octets = heappop(pending)
            self.frames += 1
            write(self._epoch + time, octets)
