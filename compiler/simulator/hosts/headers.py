"""What protocols share: lengths of headers and the payload behind them, TCP flags, addresses of groups."""

from __future__ import annotations

from compiler.fields import Family
from compiler.simulator.frame import GROUP, Datagram

__all__ = [
    "ACK",
    "FIN",
    "ICMP_HEADER",
    "IP_HEADER",
    "LARGEST_PAYLOAD",
    "PSH",
    "RST",
    "SYN",
    "TCP_HEADER",
    "UDP_HEADER",
    "is_for_group",
    "is_group",
    "payload",
]

IP_HEADER: dict[Family, int] = {Family.IPV4: 20, Family.IPV6: 40}
"""Octets without options or extension headers."""

TCP_HEADER = 20
UDP_HEADER = 8
ICMP_HEADER = 8

LARGEST_PAYLOAD: dict[Family, int] = {Family.IPV4: 65_507, Family.IPV6: 65_527}
"""Octets behind a UDP or ICMP header that one datagram can carry."""

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
"""Flags of TCP (RFC 9293, 3.1)."""


def payload(datagram: Datagram, header: int) -> int:
    """Octets behind a layer-4 header of ``header`` octets; 0 when the datagram is shorter than its headers."""
    return max(0, datagram.size - IP_HEADER[datagram.family] - len(datagram.options) - header)


def is_group(family: Family, address: int) -> bool:
    """Whether the address is a multicast one, or 255.255.255.255."""
    if family is Family.IPV4:
        return address >> 28 == 0xE or address == 0xFFFFFFFF
    return address >> 120 == 0xFF


def is_for_group(datagram: Datagram) -> bool:
    """Whether it was sent to more than one: by its address, or by that of its frame (directed broadcasts)."""
    return bool(datagram.link_destination & GROUP) or is_group(datagram.family, datagram.destination)
