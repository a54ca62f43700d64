"""Datagrams of the cheap drivers: thousands of short connections, where hosts with a whole TCP would take too long."""

from __future__ import annotations

from compiler.fields import ICMP, TCP, Family
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import ACK, FIN, RST, SYN

__all__ = ["ACK", "FIN", "PSH", "RST", "SEGMENT", "SYN", "answer", "datagram", "segment", "words"]

PSH = 8
SEGMENT = 1460
"""Octets of payload in a full segment over Ethernet."""
_WINDOW = 65535


def datagram(
    protocol: int, source: tuple[int, int], destination: tuple[int, int], payload: int, data: bytes | None = None
) -> Datagram:
    """A UDP datagram or an echo request between address and port (for ICMP: identifier, first)."""
    made = Datagram(Family.IPV4, source[0], destination[0], protocol, 28 + payload, data=data)
    if protocol == ICMP:
        made.icmp_type, made.identifier, made.rest = 8, source[1], 1
    else:
        made.source_port, made.destination_port = source[1], destination[1]
    return made


def segment(
    source: tuple[int, int], destination: tuple[int, int], flags: int, numbers: tuple[int, int], payload: int = 0
) -> Datagram:
    """A TCP segment with its sequence and acknowledgement numbers."""
    made = Datagram(Family.IPV4, source[0], destination[0], TCP, 40 + payload, source[1], destination[1], flags)
    made.sequence, made.acknowledgement = numbers[0] & 0xFFFFFFFF, numbers[1] & 0xFFFFFFFF
    made.window = _WINDOW
    return made


def answer(asked: Datagram, flags: int, numbers: tuple[int, int], payload: int = 0) -> Datagram:
    """A segment the other way."""
    ends = (asked.destination, asked.destination_port), (asked.source, asked.source_port)
    return segment(ends[0], ends[1], flags, numbers, payload)


def words(reply: int, octets: int) -> bytes:
    """A request of ``octets`` that asks for ``reply`` octets."""
    text = b"GET %d " % reply
    return text + bytes(max(octets - len(text), 0))
