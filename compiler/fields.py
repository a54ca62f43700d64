"""The fields of a packet that policies look at: name, width in bits, who carries them.

A field is constrained only on packets that carry it: ports on TCP, UDP,
UDP-Lite, SCTP and DCCP; flags on TCP (RFC 9293); type and code on ICMP
(RFC 792, RFC 4443). A non-initial fragment (RFC 791) carries no layer-4 field.
"""

from __future__ import annotations

from enum import IntEnum

from compiler.integers import IntegerSet

__all__ = [
    "ICMP_PROTOCOLS",
    "PORT_PROTOCOLS",
    "TCP_FLAGS",
    "TCP_ONLY",
    "WEEK_MINUTES",
    "WIDTH",
    "Family",
    "flags_all",
    "flags_any",
]


class Family(IntEnum):
    """The address family, by its IP version number."""

    IPV4 = 4
    IPV6 = 6

    __hash__ = int.__hash__  # an enum's own hashes its name, in Python: too slow for keys of tables

    @property
    def width(self) -> int:
        """Bits of an address."""
        return 32 if self is Family.IPV4 else 128


ICMP, TCP, UDP, DCCP, ICMPV6, SCTP, UDPLITE = 1, 6, 17, 33, 58, 132, 136

PORT_PROTOCOLS = IntegerSet.values(TCP, UDP, DCCP, SCTP, UDPLITE)
TCP_ONLY = IntegerSet.values(TCP)
ICMP_PROTOCOLS = IntegerSet.values(ICMP, ICMPV6)

WIDTH: dict[str, int] = {
    "protocol": 8,
    "source_port": 16,
    "destination_port": 16,
    "tcp_flags": 8,
    "icmp_type": 8,
    "icmp_code": 8,
    "traffic_class": 8,
    "ttl": 8,
    "week_minute": 14,
    "date_minute": 32,
}
"""Width in bits of each integer field; addresses are 32 or 128.

``week_minute`` counts from Monday 00:00 (0 to 10079) and ``date_minute`` from
1970-01-01 00:00, both in the device's local time: they are the moment at which
the packet is seen, for lists with time ranges.
"""

WEEK_MINUTES = 7 * 24 * 60

TCP_FLAGS: dict[str, int] = {
    "fin": 0x01,
    "syn": 0x02,
    "rst": 0x04,
    "psh": 0x08,
    "ack": 0x10,
    "urg": 0x20,
    "ece": 0x40,
    "cwr": 0x80,
}
"""The bits of the flags byte of a TCP header (RFC 9293, 3.1)."""


def flags_any(required: int, forbidden: int = 0) -> IntegerSet:
    """Flag bytes with at least one ``required`` bit set or one ``forbidden`` bit clear."""
    return IntegerSet.of((byte, byte) for byte in range(256) if byte & required or ~byte & forbidden)


def flags_all(required: int, forbidden: int = 0) -> IntegerSet:
    """Flag bytes with every ``required`` bit set and every ``forbidden`` bit clear."""
    return IntegerSet.of((byte, byte) for byte in range(256) if byte & required == required and not byte & forbidden)
