"""The states of a TCP connection as the tracker sees it, and what moves them (nf_conntrack_proto_tcp.c)."""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "ACK",
    "FIN",
    "IGNORE",
    "INVALID",
    "IS_VALID",
    "KINDS",
    "RST",
    "SYN",
    "TABLES",
    "TIMEOUTS",
    "Kind",
    "TcpState",
]

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))

_VALID_FLAGS = frozenset({SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG})
IS_VALID = tuple((flags & ~(ECE | CWR | PSH)) in _VALID_FLAGS for flags in range(256))
"""Which combinations of flags are no nonsense (tcp_valid_flags): ECE, CWR and PSH do not count."""


class TcpState(IntEnum):
    """States of nf_conntrack_proto_tcp.c, in its order."""

    NONE = 0
    SYN_SENT = 1
    SYN_RECEIVED = 2
    ESTABLISHED = 3
    FIN_WAIT = 4
    CLOSE_WAIT = 5
    LAST_ACK = 6
    TIME_WAIT = 7
    CLOSE = 8
    SYN_SENT_2 = 9
    """Both sides have sent a SYN."""

    __hash__ = int.__hash__


class Kind(IntEnum):
    """What a segment is to the tables (enum tcp_bit_set)."""

    SYN = 0
    SYN_ACK = 1
    FIN = 2
    ACK = 3
    RST = 4
    NONE = 5


INVALID, IGNORE = 10, 11
_NAMES = {
    "SS": TcpState.SYN_SENT,
    "SR": TcpState.SYN_RECEIVED,
    "ES": TcpState.ESTABLISHED,
    "FW": TcpState.FIN_WAIT,
    "CW": TcpState.CLOSE_WAIT,
    "LA": TcpState.LAST_ACK,
    "TW": TcpState.TIME_WAIT,
    "CL": TcpState.CLOSE,
    "S2": TcpState.SYN_SENT_2,
    "IV": INVALID,
    "IG": IGNORE,
}

#    from: none syn-sent syn-received established fin-wait close-wait last-ack time-wait close syn-sent-2
_ORIGINAL = (
    "SS SS IG IG IG IG IG SS SS S2",
    "IV IV SR IV IV IV IV IV IV SR",
    "IV IV FW FW LA LA LA TW CL IV",
    "ES IV ES ES CW CW TW TW CL IV",
    "IV CL CL CL CL CL CL CL CL CL",
    "IV IV IV IV IV IV IV IV IV IV",
)
_REPLY = (
    "IV S2 IV IV IV IV IV SS IV S2",
    "IV SR IG IG IG IG IG IG IG SR",
    "IV IV FW FW LA LA LA TW CL IV",
    "IV IG SR ES CW CW TW TW CL IG",
    "IV CL CL CL CL CL CL CL CL CL",
    "IV IV IV IV IV IV IV IV IV IV",
)
TABLES = tuple(
    tuple(tuple(int(_NAMES[name]) for name in row.split()) for row in table) for table in (_ORIGINAL, _REPLY)
)

TIMEOUTS = (120, 120, 60, 432_000, 120, 60, 30, 120, 10, 120)
"""Seconds, by state (tcp_timeouts)."""


def _kind(flags: int) -> Kind:
    """The row of the state tables (get_conntrack_index)."""
    if flags & RST:
        return Kind.RST
    if flags & SYN:
        return Kind.SYN_ACK if flags & ACK else Kind.SYN
    if flags & FIN:
        return Kind.FIN
    return Kind.ACK if flags & ACK else Kind.NONE


KINDS = tuple(_kind(flags) for flags in range(256))
