"""UDP ports of a lab's nodes: real sockets, one for each family, behind the simulator's contract."""

from __future__ import annotations

import socket
from functools import partial

from compiler.fields import Family
from compiler.simulator.sockets import Endpoint, UdpReceiver
from labs.kernel.failures import endpoint, failure_of_error, queued_error
from labs.kernel.loop import ERRORS, READABLE, Loop

__all__ = ["KernelUdp"]

_RECVERR = {Family.IPV4: (socket.SOL_IP, 11), Family.IPV6: (socket.IPPROTO_IPV6, 25)}
_LARGEST = 65535
_FORCED_SEND, _FORCED_RECEIVE = 32, 33  # SO_SNDBUFFORCE, SO_RCVBUFFORCE of asm-generic/socket.h
_ONE_TURN = 256
_ROOM = 4 << 20
"""Octets of the receive buffer: a burst that the network delivered is not lost in the host."""


class KernelUdp:
    """A bound port. Events come from the loop, never from within a call."""

    def __init__(self, loop: Loop, sockets: dict[Family, socket.socket], receiver: UdpReceiver) -> None:
        self._loop = loop
        self._sockets = sockets
        self._receiver = receiver
        first = next(iter(sockets.values()))
        self._port: int = first.getsockname()[1]
        for family, one in sockets.items():
            one.setsockopt(*_RECVERR[family], 1)
            one.setsockopt(socket.SOL_SOCKET, _FORCED_RECEIVE, _ROOM)
            one.setsockopt(socket.SOL_SOCKET, _FORCED_SEND, _ROOM)
            loop.watch(one, READABLE, partial(self._ready, family, one))

    @property
    def port(self) -> int:
        """The local port."""
        return self._port

    def send(self, remote: Endpoint, data: bytes | None, octets: int = 0) -> None:
        """Send one datagram; what the host cannot send comes back as a failure."""
        one = self._sockets.get(remote.family)
        if one is None:
            return
        payload = bytes(octets) if data is None else data
        self._loop.breathe()
        number = 0
        for _ in range(3):  # a pending error of an earlier datagram is reported once, in place of sending
            try:
                one.sendto(payload, (_text(remote), remote.port))
            except BlockingIOError:
                return
            except OSError as error:
                number = error.errno or 0
                if self._queued(remote.family, one):
                    continue
            else:
                return
            break
        failure = failure_of_error(number)
        self._loop.after(0, lambda: self._tell_failure(remote, failure))

    def close(self) -> None:
        """Free the port."""
        for one in self._sockets.values():
            self._loop.drop(one)
        self._sockets = {}

    def _tell_failure(self, remote: Endpoint, failure: object) -> None:
        if self._sockets:
            self._receiver.failed(self, remote, failure)  # type: ignore[arg-type]

    def _ready(self, family: Family, one: socket.socket, ready: int) -> None:
        if ready & ERRORS:
            while self._queued(family, one):
                if family not in self._sockets:
                    return
        for _ in range(_ONE_TURN):
            if family not in self._sockets:
                return
            try:
                data, address = one.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # the error of the queue once more
            self._receiver.received(self, endpoint(family, address), data, len(data))

    def _queued(self, family: Family, one: socket.socket) -> bool:
        """Tell of one entry of the error queue; whether there was one."""
        queued = queued_error(one, family)
        if queued is None:
            return False
        if queued.remote is not None:
            remote, failure = queued.remote, queued.failure
            self._loop.after(0, lambda: self._tell_failure(remote, failure))
        return True


def _text(remote: Endpoint) -> str:
    family = socket.AF_INET if remote.family is Family.IPV4 else socket.AF_INET6
    return socket.inet_ntop(family, remote.address.to_bytes(remote.family.width // 8, "big"))
