"""Names that Cisco IOS gives to protocols, header values and numbered lists.

Sources: Cisco IOS Security Command Reference, "access-list (IP extended)",
"permit (IP)", "permit (IPv6)", "object-group service"; Cisco IOS IP Addressing
Services. Ports and ICMP types have files of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from compiler.fields import Family
from compiler.policy.access_list import ListKind

__all__ = [
    "DSCP",
    "EXTENSION_HEADERS",
    "IGMP_TYPES",
    "NON_IP_LISTS",
    "PORT_LIMIT",
    "PRECEDENCE",
    "PROTOCOLS",
    "PROTOCOL_WORDS",
    "TCP_FLAG_WORDS",
    "TOS",
    "list_kind",
]

_IPV4_PROTOCOLS = {
    "ip": None,
    "icmp": 1,
    "igmp": 2,
    "ipinip": 4,
    "tcp": 6,
    "igrp": 9,
    "udp": 17,
    "gre": 47,
    "esp": 50,
    "ahp": 51,
    "eigrp": 88,
    "ospf": 89,
    "nos": 94,
    "pim": 103,
    "pcp": 108,
    "sctp": 132,
}

_IPV6_PROTOCOLS = {
    "ipv6": None,
    "tcp": 6,
    "udp": 17,
    "esp": 50,
    "ahp": 51,
    "icmp": 58,
    "pcp": 108,
    "sctp": 132,
}

PROTOCOLS: Mapping[Family, Mapping[str, int | None]] = MappingProxyType(
    {Family.IPV4: MappingProxyType(_IPV4_PROTOCOLS), Family.IPV6: MappingProxyType(_IPV6_PROTOCOLS)}
)
"""Protocol words and IANA numbers; None for the word that stands for all."""

_FORMER_PROTOCOLS = frozenset(("igrp",))
"""Words of old releases only (12.2 and before): read, and written as their number."""

PROTOCOL_WORDS: Mapping[Family, Mapping[int, str]] = MappingProxyType(
    {
        family: MappingProxyType(
            {number: word for word, number in words.items() if number is not None and word not in _FORMER_PROTOCOLS}
        )
        for family, words in PROTOCOLS.items()
    }
)
"""IANA numbers and the words to write for them."""

EXTENSION_HEADERS = frozenset((0, 43, 44, 60, 135, 139, 140))
"""IPv6 next-header values that are not a protocol but an extension header (RFC 8200, 4)."""

TCP_FLAG_WORDS = ("ack", "fin", "psh", "rst", "syn", "urg")
"""The flags that IOS can name; it has no word for ECE and CWR."""

PORT_LIMIT = 10
"""How many ports ``eq`` and ``neq`` take (Cisco IOS 12.3(7)T, named lists)."""

PRECEDENCE: Mapping[str, int] = MappingProxyType(
    {
        "routine": 0,
        "priority": 1,
        "immediate": 2,
        "flash": 3,
        "flash-override": 4,
        "critical": 5,
        "internet": 6,
        "network": 7,
    }
)
"""IP precedence, the upper three bits of the traffic class byte (RFC 791)."""

TOS: Mapping[str, int] = MappingProxyType(
    {"normal": 0, "min-monetary-cost": 1, "max-reliability": 2, "max-throughput": 4, "min-delay": 8}
)
"""The four TOS bits, bits 1 to 4 of the byte (RFC 1349); today bit 1 belongs to ECN."""

DSCP: Mapping[str, int] = MappingProxyType(
    {
        "default": 0,
        **{f"cs{number}": number << 3 for number in range(1, 8)},
        **{f"af{high}{low}": high << 3 | low << 1 for high in range(1, 5) for low in range(1, 4)},
        "ef": 46,
    }
)
"""Differentiated services code points, six bits (RFC 2474, 2597, 3246)."""

IGMP_TYPES = frozenset(
    [
        "dvmrp",
        "host-query",
        "host-report",
        "mtrace-resp",
        "mtrace-route",
        "pim",
        "trace",
        "v2-leave",
        "v2-report",
        "v3-report",
    ]
)
"""IGMP message names: known, and outside the model, which has no IGMP fields."""

_STANDARD = ((1, 99), (1300, 1999))
_EXTENDED = ((100, 199), (2000, 2699))

NON_IP_LISTS: tuple[tuple[int, int, str], ...] = (
    (200, 299, "protocol type codes"),
    (300, 399, "DECnet"),
    (400, 499, "XNS"),
    (500, 599, "extended XNS"),
    (600, 699, "AppleTalk"),
    (700, 799, "48-bit MAC addresses"),
    (800, 899, "IPX"),
    (900, 999, "extended IPX"),
    (1000, 1099, "IPX SAP"),
    (1100, 1199, "extended 48-bit MAC addresses"),
    (1200, 1299, "IPX summary addresses"),
    (2700, 2799, "MPLS"),
)
"""Numbered lists that never look at an IP packet: first, last, what they filter."""


def list_kind(number: int) -> ListKind | None:
    """The kind of the numbered IP list, or None when the number is not one of an IP list."""
    if any(low <= number <= high for low, high in _STANDARD):
        return ListKind.STANDARD
    if any(low <= number <= high for low, high in _EXTENDED):
        return ListKind.EXTENDED
    return None
