"""Crafted packets: from the text of one to a datagram, which carries a number by which it is known again."""

from __future__ import annotations

from compiler.fields import ICMP, ICMPV6, PORT_PROTOCOLS, TCP, UDP, Family
from compiler.policy.packet import Packet
from compiler.simulator.frame import Datagram

__all__ = ["datagram_of"]

_HEADER = {Family.IPV4: 20, Family.IPV6: 40}
_LAYER4 = {TCP: 20, UDP: 8, ICMP: 8, ICMPV6: 8}
_BODY = 24
"""Octets behind the IP header of protocols without a header of ours, and of later fragments."""
_LATER = 1480
"""Offset of a later fragment, in octets."""


def datagram_of(packet: Packet, number: int = 0) -> Datagram:
    """The datagram that the packet's text describes, with no payload; a later fragment has zeros."""
    header = _HEADER[packet.family]
    body = _BODY if packet.noninitial else _LAYER4.get(packet.protocol, _BODY)
    fragment_header = 8 if packet.noninitial and packet.family is Family.IPV6 else 0
    made = Datagram(packet.family, packet.source, packet.destination, packet.protocol, header + fragment_header + body)
    made.traffic_class = packet.traffic_class
    made.ttl = packet.ttl
    made.identification = number & 0xFFFF
    if packet.noninitial:
        made.fragment_offset = _LATER
        made.fragment = bytes(body)
        return made
    if PORT_PROTOCOLS.contains(packet.protocol):
        made.source_port, made.destination_port = packet.source_port, packet.destination_port
    if packet.protocol == TCP:
        made.tcp_flags = packet.tcp_flags
        made.window = 65535
        made.sequence = made.acknowledgement = number
    elif packet.protocol in (ICMP, ICMPV6):
        made.icmp_type, made.icmp_code = packet.icmp_type, packet.icmp_code
        made.identifier = number & 0xFFFF
    return made
