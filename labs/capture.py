"""Captures of a simulated lab: what links carry, written as it is sent, for Wireshark and for us."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from heapq import heapify, heappop, heappush
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
Write = Callable[[int, bytes], object]


class Capture:
    """Writes every frame that is sent on some links, in order of time.

    One pcapng file with an interface for each link, called like it, in which
    frames of the forward way are outbound. With ``apart``, ``path`` is a folder
    with a file for each link, and with ``form="pcap"`` these are plain pcap.
    Wireshark takes a segment that it finds on two links of one file for a
    retransmission and cannot put its stream together: to look at TCP, have the
    links apart; to follow one packet through the lab, together.

    Times are the lab's, from ``epoch`` (nanoseconds since 1970) on. A frame is
    there from the moment its first bit is sent, also one that is lost on the
    wire then; not there are those that a queue turned away, or that still
    waited when their link was cut or the capture closed.

    Payloads that nobody made are zeros. Wireshark reads them well, but on the
    port of an application that it knows (MySQL, Kerberos, DNS over TCP …) it
    will find that application's message malformed.

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
        apart: bool = False,
        epoch: int = 0,
    ) -> None:
        self._engine = engine
        self._path = path
        self._epoch = epoch
        self._order = count().__next__
        self._pending: list[tuple[int, int, Write, bytes, Frame]] = []
        """Frames that wait in queues, by the moment at which they will be sent."""
        self._closed = False
        self._form = form
        self._together: PcapngWriter | None = None
        self._writers: dict[str, PcapWriter | PcapngWriter] = {}
        """By the names of their files, where links are apart."""
        self.frames = 0
        """Frames written."""
        try:
            if apart or form == "pcap":
                path.mkdir(parents=True, exist_ok=True)
            else:
                self._together = PcapngWriter(path)
            for link in links:
                self.add(link)
        except OSError as error:
            self.close()
            raise UsageError(f"{error.filename or path}: {error.strerror}") from error

    def add(self, link: Link, ways: Ways = "both") -> None:
        """Capture on one more link, from now on; one of its directions only if asked."""
        writer = self._together or self._open(link.name)
        if isinstance(writer, PcapngWriter):
            interface = writer.add_interface(link.name)
            outbound: Write = partial(writer.write, interface, direction=OUTBOUND)
            inbound: Write = partial(writer.write, interface, direction=INBOUND)
        else:
            outbound = inbound = writer.write
        if ways != "backward":
            self._tap(link.forward, outbound)
        if ways != "forward":
            self._tap(link.backward, inbound)

    def close(self) -> None:
        """Write what has been sent and complete the files. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._write_until(self._engine.now)
        finally:
            self._pending.clear()
            for writer in self._writers.values():
                writer.close()
            if self._together is not None:
                self._together.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, link: str) -> PcapWriter | PcapngWriter:
        name = re.sub(r"[^\w.+-]", "_", link) or "_"
        taken = name
        for number in count(2):
            if taken not in self._writers:
                break
            taken = f"{name}-{number}"
        kind = PcapWriter if self._form == "pcap" else PcapngWriter
        writer = self._writers[taken] = kind(self._path / f"{taken}.{self._form}")
        return writer

    def _tap(self, direction: Direction, write: Write) -> None:
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
                heappush(pending, (time, order(), write, frame_bytes(frame), frame))

        before = direction.on_drop

        def dropped(frame: Frame, reason: str) -> None:
            if pending and reason == "link down":
                self._write_until(engine.now)
                pending[:] = [one for one in pending if one[4] is not frame]
                heapify(pending)
            if before is not None:
                before(frame, reason)

        direction.tap(heard)
        direction.on_drop = dropped

    def _write_until(self, now: int) -> None:
        pending = self._pending
        while pending and pending[0][0] <= now:
            time, _, write, octets, _ = heappop(pending)
            self.frames += 1
            write(self._epoch + time, octets)
