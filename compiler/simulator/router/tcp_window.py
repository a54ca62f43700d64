"""What the tracker knows of one sender of a TCP connection, and arithmetic on sequence numbers."""

from __future__ import annotations

from compiler.simulator.frame import Datagram

__all__ = ["LIBERAL", "SACK", "SCALED", "Side", "end_of", "farthest", "is_after", "is_before"]

_WORD = 0xFFFFFFFF
_HALF = 0x80000000
_MOST_SCALE = 14

SCALED, SACK, LIBERAL = 1, 2, 8
"""Flags of a side (IP_CT_TCP_FLAG_…): it scales its windows, permits SACK, is not held to windows."""


class Side:
    """What is known of one sender (struct ip_ct_tcp_state)."""

    __slots__ = ("end", "flags", "most_ack", "most_end", "most_window", "scale")

    def __init__(self) -> None:
        self.end = 0
        """One behind the last octet that it has sent."""
        self.most_end = 0
        """How far the other side has ever allowed it to send."""
        self.most_window = 0
        """The widest window that it has ever offered; 0 while nothing of it was seen."""
        self.most_ack = 0
        self.scale = 0
        self.flags = 0

    def read_options(self, options: bytes) -> None:
        """Window scale (RFC 7323) and SACK permitted (RFC 2018) of a SYN."""
        if not options:
            return
        self.scale = 0
        self.flags &= LIBERAL
        for kind, body in _options(options):
            if kind == 4 and not body:
                self.flags |= SACK
            elif kind == 3 and len(body) == 1:
                self.scale = min(body[0], _MOST_SCALE)
                self.flags |= SCALED


def _options(options: bytes) -> list[tuple[int, bytes]]:
    found = []
    position = 0
    while position < len(options) and options[position]:
        if options[position] == 1:
            position += 1
            continue
        length = options[position + 1] if position + 1 < len(options) else 0
        if length < 2 or position + length > len(options):
            break
        found.append((options[position], options[position + 2 : position + length]))
        position += length
    return found


def farthest(options: bytes, acknowledged: int) -> int:
    """The highest octet that ACK or SACK blocks (RFC 2018) confirm."""
    for kind, body in _options(options):
        if kind == 5 and body and not len(body) % 8:
            for start in range(4, len(body), 8):
                edge = int.from_bytes(body[start : start + 4], "big")
                if is_after(edge, acknowledged):
                    acknowledged = edge
            break
    return acknowledged


def is_after(one: int, other: int) -> bool:
    """Whether sequence number ``one`` comes after ``other``."""
    return other - one & _WORD >= _HALF


def is_before(one: int, other: int) -> bool:
    """Whether sequence number ``one`` comes before ``other`` (RFC 9293, 3.4)."""
    return one - other & _WORD >= _HALF


def end_of(segment: Datagram) -> int:
    """One behind the segment's last octet; SYN and FIN count as one each."""
    headers = (40 if segment.family == 4 else 60) + len(segment.options) + len(segment.tcp_options)
    flags = segment.tcp_flags
    return segment.sequence + segment.size - headers + (flags >> 1 & 1) + (flags & 1) & _WORD
