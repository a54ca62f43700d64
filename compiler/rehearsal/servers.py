"""Servers that remember nothing: each answer follows from the packet alone, whatever address it was sent to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from compiler.fields import ICMP, TCP, UDP
from compiler.rehearsal.packets import ACK, FIN, PSH, RST, SEGMENT, SYN, answer
from compiler.simulator.frame import Datagram
from compiler.simulator.sockets import Endpoint, Failure, UdpSocket

__all__ = ["NameServer", "payload_of", "serve"]

_INITIAL = 0x40000000
"""The servers' first sequence number."""
_UDP_REPLY = 120


def serve(asked: Datagram, send: Callable[[Datagram], None]) -> None:
    """Send what a server says to this."""
    if asked.protocol == TCP:
        for said in _tcp(asked):
            send(said)
    elif asked.protocol == ICMP and asked.icmp_type == 8:
        said = asked.copy()
        said.source, said.destination, said.icmp_type, said.ttl = asked.destination, asked.source, 0, 64
        send(said)
    elif asked.protocol == UDP:
        said = Datagram(asked.family, asked.destination, asked.source, UDP, 28 + _UDP_REPLY)
        said.source_port, said.destination_port = asked.destination_port, asked.source_port
        send(said)


class NameServer:
    """The router's own: it answers those whose questions a rule turns to it."""

    def received(self, socket: UdpSocket, remote: Endpoint, data: bytes | None, octets: int) -> None:
        """A question."""
        socket.send(remote, None, _UDP_REPLY)

    def failed(self, socket: UdpSocket, remote: Endpoint, failure: Failure) -> None:
        """Nobody waits for the answer any more."""


def payload_of(segment: Datagram) -> int:
    """Octets of TCP payload."""
    return segment.size - 40 - len(segment.options) - len(segment.tcp_options)


def _tcp(asked: Datagram) -> Iterator[Datagram]:
    flags, octets = asked.tcp_flags, payload_of(asked)
    if flags & RST:
        return
    if flags & SYN:
        if not flags & ACK:
            yield answer(asked, SYN | ACK, (_INITIAL, asked.sequence + 1))
        return
    heard = asked.sequence + octets
    if octets:
        yield from _said(asked, heard)
    elif flags & FIN:
        yield answer(asked, FIN | ACK, (asked.acknowledgement, heard + 1))


def _said(asked: Datagram, heard: int) -> Iterator[Datagram]:
    """As many octets as the request names."""
    parts = (asked.data or b"").split(b" ", 2)
    left = int(parts[1]) if len(parts) > 1 and parts[0] == b"GET" and parts[1].isdigit() else 100
    at = asked.acknowledgement
    while left > 0:
        size = min(left, SEGMENT)
        left -= size
        yield answer(asked, ACK | (0 if left else PSH), (at, heard), size)
        at += size
