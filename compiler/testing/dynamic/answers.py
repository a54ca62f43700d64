"""What answers what: of one packet, and of a whole set of headers."""

from __future__ import annotations

from compiler.fields import ICMP, ICMP_PROTOCOLS, ICMPV6, TCP, TCP_FLAGS, flags_all
from compiler.integers import IntegerSet
from compiler.policy.match import Match, layer4
from compiler.policy.packet import Packet
from compiler.testing.headers import Headers

__all__ = ["answer_to", "answers_to"]

_REPLIES = {8: 0, 13: 14, 15: 16, 17: 18, 128: 129, 139: 140}
"""ICMP messages and their answers (RFC 792, RFC 950, RFC 4443, RFC 4620)."""
_SYN, _ACK, _RST = TCP_FLAGS["syn"], TCP_FLAGS["ack"], TCP_FLAGS["rst"]
_ACKNOWLEDGED = flags_all(_ACK, _RST)
"""Whatever a server says on a connection that it has taken."""


def answer_to(packet: Packet) -> Packet:
    """What a server says to the packet: ends and ports change places; to SYN it is SYN and ACK, to echo its reply."""
    answer = packet._replace(
        source=packet.destination,
        destination=packet.source,
        source_port=packet.destination_port,
        destination_port=packet.source_port,
        ttl=64,
        ingress="",
        egress="",
    )
    if packet.protocol == TCP:
        return answer._replace(tcp_flags=_SYN | _ACK if packet.tcp_flags & _SYN else _ACK)
    if ICMP_PROTOCOLS.contains(packet.protocol):
        return answer._replace(icmp_type=_REPLIES.get(packet.icmp_type, packet.icmp_type))
    return answer


def answers_to(headers: Headers) -> Headers:
    """All packets that may answer those of the set: ports swapped, TCP with ACK and no RST, replies of ICMP."""

    def turned(part_of: tuple[Match, str]) -> list[tuple[Match, str]]:
        match, words = part_of
        return [(one, f"answers to {words}") for one in _answers(match)]

    parts = [headers.parts[0]._replace(match=one, words=words) for part in headers.parts for one, words in turned(part)]
    without = [
        headers.parts[0]._replace(match=one, words=words)
        for part in headers.without
        if part.match.tcp_flags is None  # the other packets of the same connections are still answered
        for one, words in turned(part)
    ]
    return Headers(tuple(parts), tuple(without))


def _answers(match: Match) -> list[Match]:
    swapped = match._replace(
        source=match.destination,
        destination=match.source,
        source_port=match.destination_port,
        destination_port=match.source_port,
        tcp_flags=None,
        icmp_type=None,
        icmp_code=None,
    )
    asked = match.protocol or IntegerSet.of(((0, 255),))
    found = []
    if asked.contains(TCP) and match.icmp_type is None:
        tcp = IntegerSet.values(TCP)
        found.append(layer4(swapped._replace(protocol=tcp, tcp_flags=_ACKNOWLEDGED)))
    for protocol in (ICMP, ICMPV6):
        ports = match.source_port, match.destination_port
        if asked.contains(protocol) and match.tcp_flags is None and ports == (None, None):
            types = [
                reply
                for question, reply in _REPLIES.items()
                if (question < 128) == (protocol == ICMP)
                and (match.icmp_type is None or match.icmp_type.contains(question))
            ]
            one = IntegerSet.values(protocol)
            found.append(layer4(swapped._replace(protocol=one, icmp_type=IntegerSet.values(*types))))
    others = asked.intersection(IntegerSet.values(*(set(range(256)) - {TCP, ICMP, ICMPV6})))
    if others.intervals and match.icmp_type is None and match.tcp_flags is None:
        found.append(layer4(swapped._replace(protocol=others)))
    return found
