"""Captures of a kernel lab: packet sockets (packet(7)) on the plugs of cables, written as pcapng."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Mapping
from functools import partial
from heapq import heappop, heappush
from pathlib import Path

from compiler.errors import UsageError
from compiler.simulator.capture_writer import INBOUND, OUTBOUND, PcapngWriter
from compiler.simulator.engine import MILLISECOND, SECOND
from labs.kernel.cables import Cable
from labs.kernel.loop import READABLE, Loop, Ready
from labs.kernel.namespaces import Namespace

__all__ = ["KernelCapture"]

_ALL_PROTOCOLS = 3
_OUTGOING = 4  # PACKET_OUTGOING
_TIMESTAMP = 35  # SO_TIMESTAMPNS
_FORCED_BUFFER = 33  # SO_RCVBUFFORCE
_ROOM = 32 << 20
_ONE_TURN = 1024
_LATE = 200 * MILLISECOND
"""How far apart two sockets may be read: what is younger waits to be written in order."""


class KernelCapture:
    """Frames of some links, as they leave the queue of their link, in order of time.

    One file with an interface for each link; frames of the link's ``up`` way
    are outbound. Times are the kernel's, as moments of the lab since ``epoch``.
    """

    def __init__(self, loop: Loop, room: Namespace, cables: Mapping[str, Cable], path: Path, epoch: int) -> None:
        self._loop = loop
        self._epoch = epoch
        self._origin = 0
        self._waiting: list[tuple[int, int, int, bytes, int]] = []
        self._number = 0
        self._newest = 0
        self._sockets: list[tuple[socket.socket, Ready]] = []
        self.frames = 0
        """Frames written."""
        try:
            self._writer = PcapngWriter(path)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from error
        for name, cable in cables.items():
            interface = self._writer.add_interface(name)
            for plug, direction in zip(cable.names, (INBOUND, OUTBOUND), strict=True):
                self._listen(room, plug, interface, direction)

    def start(self) -> None:
        """The lab begins now."""
        self._origin = time.time_ns() - self._loop.now()

    def close(self) -> None:
        """Read what is left and complete the file."""
        for one, ready in self._sockets:
            ready(0)
            self._loop.drop(one)
        self._sockets.clear()
        self._write(self._newest + _LATE + 1)
        self._writer.close()

    def _listen(self, room: Namespace, plug: str, interface: int, direction: int) -> None:
        with room.inside():
            one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, _FORCED_BUFFER, _ROOM)
            one.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
            one.bind((plug, _ALL_PROTOCOLS))
        ready = partial(self._ready, one, interface, direction)
        self._sockets.append((one, ready))
        self._loop.watch(one, READABLE, ready)

    def _ready(self, one: socket.socket, interface: int, direction: int, _: int) -> None:
        for _ in range(_ONE_TURN):
            try:
                frame, ancillary, _flags, address = one.recvmsg(65535, 64)
            except (BlockingIOError, OSError):
                break
            if address[2] != _OUTGOING:
                continue
            moment = _moment(ancillary) - self._origin
            self._number += 1
            self._newest = max(self._newest, moment)
            heappush(self._waiting, (moment, self._number, interface, frame, direction))
        self._write(self._newest - _LATE)

    def _write(self, until: int) -> None:
        while self._waiting and self._waiting[0][0] < until:
            moment, _, interface, frame, direction = heappop(self._waiting)
            self.frames += 1
            self._writer.write(interface, self._epoch + max(0, moment), frame, direction)


def _moment(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMP):
            seconds, nanoseconds = struct.unpack_from("=qq", data)
            return int(seconds) * SECOND + int(nanoseconds)
    return time.time_ns()
