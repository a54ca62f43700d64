"""ICMP echo requests of a node, and whatever answers them, on a raw socket (raw(7))."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from itertools import count

from compiler.fields import Family
from compiler.simulator.sockets import Cancel, EchoAnswer
from labs.kernel.failures import failure_of_error, failure_of_icmp, is_icmp_error
from labs.kernel.loop import READABLE, Loop

__all__ = ["Echoes"]

Heard = Callable[[EchoAnswer], object]
Key = tuple[int, int, int]

_REQUEST = {Family.IPV4: 8, Family.IPV6: 128}
_REPLY = {Family.IPV4: 0, Family.IPV6: 129}
_PROTOCOL = {Family.IPV4: 1, Family.IPV6: 58}
_HOPS = {Family.IPV4: (socket.SOL_IP, 2), Family.IPV6: (socket.IPPROTO_IPV6, 16)}  # IP_TTL, IPV6_UNICAST_HOPS
_IPV6_HEADER = 40
_FRAGMENT = 44
"""IPv6's fragment header (RFC 8200, 4.5)."""
_ONE_TURN = 256


class Echoes:
    """The echoes of one node in one family. ``family_socket`` is a raw socket for that family's ICMP."""

    def __init__(self, loop: Loop, family: Family, family_socket: socket.socket) -> None:
        self._loop = loop
        self._family = family
        self._socket = family_socket
        self._heard: dict[Key, Heard] = {}
        self._identifiers = count(1)
        loop.watch(family_socket, READABLE, self._ready)

    def send(self, destination: int, heard: Heard, *, octets: int, ttl: int, identifier: int, sequence: int) -> Cancel:
        """Send one; ``heard`` gets each answer until cancelled."""
        key = (identifier or next(self._identifiers) & 0xFFFF, sequence & 0xFFFF, destination)
        self._heard[key] = heard

        def cancel() -> None:
            if self._heard.get(key) is heard:
                del self._heard[key]

        message = struct.pack("!BBHHH", _REQUEST[self._family], 0, 0, key[0], key[1]) + bytes(octets)
        if self._family is Family.IPV4:  # the kernel does it for ICMPv6 (RFC 3542, 3.1)
            message = message[:2] + struct.pack("!H", _checksum(message)) + message[4:]
        self._loop.breathe()
        try:
            self._socket.setsockopt(*_HOPS[self._family], ttl)
            self._socket.sendto(message, (_text(self._family, destination), 0))
        except OSError as error:
            answer = EchoAnswer(0, failure_of_error(error.errno or 0))
            self._loop.after(0, lambda: self._tell(key, answer))
        return cancel

    def close(self) -> None:
        """Hear no more."""
        self._loop.drop(self._socket)

    def _tell(self, key: Key, answer: EchoAnswer) -> None:
        heard = self._heard.get(key)
        if heard is not None:
            heard(answer)

    def _ready(self, _: int) -> None:
        for _ in range(_ONE_TURN):
            if self._socket.fileno() < 0:
                return
            try:
                data, address = self._socket.recvfrom(65535)
            except BlockingIOError:
                return
            except OSError:
                continue
            family = socket.AF_INET if self._family is Family.IPV4 else socket.AF_INET6
            responder = int.from_bytes(socket.inet_pton(family, address[0].partition("%")[0]), "big")
            self._take(data, responder)

    def _take(self, data: bytes, responder: int) -> None:
        message = data[(data[0] & 15) * 4 :] if self._family is Family.IPV4 else data
        if len(message) < 8:
            return
        kind, code = message[0], message[1]
        if kind == _REPLY[self._family]:
            identifier, sequence = struct.unpack_from("!HH", message, 4)
            self._tell((identifier, sequence, responder), EchoAnswer(responder, None))
        elif is_icmp_error(self._family, kind):
            key = self._quoted(message[8:])
            if key is not None:
                self._tell(key, EchoAnswer(responder, failure_of_icmp(self._family, kind, code, responder)))

    def _quoted(self, datagram: bytes) -> Key | None:
        """Which request an error is about."""
        if self._family is Family.IPV4:
            if len(datagram) < 20 or datagram[9] != _PROTOCOL[self._family]:
                return None
            destination, message = datagram[16:20], datagram[(datagram[0] & 15) * 4 :]
        else:
            if len(datagram) < _IPV6_HEADER:
                return None
            protocol, destination, message = datagram[6], datagram[24:40], datagram[_IPV6_HEADER:]
            if protocol == _FRAGMENT and len(message) >= 8 and not struct.unpack_from("!H", message, 2)[0] & 0xFFF8:
                protocol, message = message[0], message[8:]
            if protocol != _PROTOCOL[self._family]:
                return None
        if len(message) < 8 or message[0] != _REQUEST[self._family]:
            return None
        identifier, sequence = struct.unpack_from("!HH", message, 4)
        return identifier, sequence, int.from_bytes(destination, "big")


def _text(family: Family, address: int) -> str:
    kind = socket.AF_INET if family is Family.IPV4 else socket.AF_INET6
    return socket.inet_ntop(kind, address.to_bytes(family.width // 8, "big"))


def _checksum(message: bytes) -> int:
    total: int = sum(struct.unpack(f"!{(len(message) + 1) // 2}H", message + bytes(len(message) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
