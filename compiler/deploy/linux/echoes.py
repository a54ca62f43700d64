"""ICMP echoes out of chosen interfaces (RFC 792), with raw sockets that are bound to them (CAP_NET_RAW)."""

from __future__ import annotations

import errno
import secrets
import socket
import struct
from collections.abc import Iterator

from compiler.balancing.liveness import Probe

__all__ = ["Echoes"]

_ECHO, _REPLY = 8, 0
_MOST_WAITING = 64
"""Of one uplink: older ones than these are never answered."""


class Echoes:
    """The echoes of one uplink. The socket is made anew when the interface is another of the same name.

    Bound to the interface the kernel looks among routes by it alone, so a probe
    leaves by its own line whatever the other routes are. A secret in the payload
    tells our answers from anybody's.
    """

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._secret = secrets.token_bytes(16)
        self._identifier = secrets.randbelow(1 << 16)
        self._waiting: dict[tuple[int, int], Probe] = {}
        self.socket: socket.socket | None = None

    def open(self) -> None:
        """Bind to the interface as it is now. OSError when there is none, or no permission."""
        self.close()
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        made = socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode() + b"\0")
        except OSError:
            made.close()
            raise
        self.socket = made

    def close(self) -> None:
        """Close the socket."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def send(self, probe: Probe) -> None:
        """Ask. OSError when it cannot leave."""
        if self.socket is None:
            self.open()
        assert self.socket is not None
        sequence = probe.sequence & 0xFFFF
        message = struct.pack("!BBHHH", _ECHO, 0, 0, self._identifier, sequence) + self._secret
        checksum = _checksum(message)
        self._waiting[probe.host, sequence] = probe
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.pop(next(iter(self._waiting)))
        host = socket.inet_ntoa(struct.pack("!I", probe.host))
        self.socket.sendto(message[:2] + struct.pack("!H", checksum) + message[4:], (host, 0))

    def answered(self) -> Iterator[Probe]:
        """The probes that answers have come to."""
        while self.socket is not None:
            try:
                data = self.socket.recv(2048)
            except BlockingIOError:
                return
            except OSError as error:  # the interface went down: its news come by netlink
                if error.errno in (errno.ENETDOWN, errno.ENODEV, errno.ENETUNREACH):
                    return
                raise
            probe = self._probe(data)
            if probe is not None:
                yield probe

    def _probe(self, data: bytes) -> Probe | None:
        start = (data[0] & 0xF) * 4 if data else 0
        message = data[start:]
        if len(message) < 8 + len(self._secret) or message[0] != _REPLY or message[8:24] != self._secret:
            return None
        identifier, sequence = struct.unpack_from("!HH", message, 4)
        if identifier != self._identifier:
            return None
        source = struct.unpack_from("!I", data, 12)[0]
        return self._waiting.pop((source, sequence), None)


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
