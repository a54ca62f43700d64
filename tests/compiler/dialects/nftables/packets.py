"""Crafts layer-3 packets of the model as bytes, without scapy: fields in, bytes out."""

from __future__ import annotations

import struct

from compiler.fields import Family
from compiler.policy.packet import Packet

PORTS = frozenset({6, 17, 33, 132, 136})
_FRAGMENT, _DESTINATION_OPTIONS = 44, 60


def craft(packet: Packet, *, more_fragments: bool = False, options: bool = False) -> bytes:
    """The packet; with ``options`` an IPv6 extension header (or an IPv4 option) stands before layer 4."""
    body = b"\0" * 24 if packet.noninitial else _layer4(packet)
    if packet.family is Family.IPV4:
        return _ipv4(packet, body, more_fragments, options)
    return _ipv6(packet, body, more_fragments, options)


def _layer4(packet: Packet) -> bytes:
    ports = struct.pack("!HH", packet.source_port, packet.destination_port)
    if packet.protocol == 6:
        return ports + struct.pack("!IIBBHHH", 1, 1, 5 << 4, packet.tcp_flags, 1024, 0, 0)
    if packet.protocol in (17, 136):
        return ports + struct.pack("!HH", 8, 0)
    if packet.protocol == 33:
        return ports + bytes([3, 0, 0, 0]) + bytes(16)
    if packet.protocol == 132:
        return ports + bytes(8)
    if packet.protocol in (1, 58):
        return bytes([packet.icmp_type, packet.icmp_code]) + bytes(22)
    return bytes(24)


def _ipv4(packet: Packet, body: bytes, more_fragments: bool, options: bool) -> bytes:
    extra = b"\x01\x01\x01\x00" if options else b""
    words = 5 + len(extra) // 4
    fragment = (185 if packet.noninitial else 0) | (0x2000 if more_fragments else 0)
    head = struct.pack(
        "!BBHHHBBHII",
        4 << 4 | words,
        packet.traffic_class,
        words * 4 + len(body),
        0,
        fragment,
        packet.ttl,
        packet.protocol,
        0,
        packet.source,
        packet.destination,
    )
    return head + extra + body


def _ipv6(packet: Packet, body: bytes, more_fragments: bool, options: bool) -> bytes:
    kind = packet.protocol
    if packet.noninitial or more_fragments:
        offset = (185 if packet.noninitial else 0) << 3 | (1 if more_fragments else 0)
        if len(body) % 8:
            body += bytes(8 - len(body) % 8)
        body = struct.pack("!BBHI", kind, 0, offset, 7) + body
        kind = _FRAGMENT
    if options:
        body = bytes([kind, 0, 1, 4, 0, 0, 0, 0]) + body
        kind = _DESTINATION_OPTIONS
    head = struct.pack("!IHBB", 6 << 28 | packet.traffic_class << 20, len(body), kind, packet.ttl)
    return head + packet.source.to_bytes(16, "big") + packet.destination.to_bytes(16, "big") + body
