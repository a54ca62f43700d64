"""Why a packet does not lie in a match: the first field that says no, in words."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.addresses import AddressSet, format_address
from compiler.analysis.explanation.plain_words import (
    address_words,
    flag_words,
    interface_words,
    number_words,
    protocol_words,
)
from compiler.fields import ICMP_PROTOCOLS, PORT_PROTOCOLS, TCP_FLAGS, WIDTH
from compiler.integers import IntegerSet
from compiler.policy.match import Match
from compiler.policy.packet import Packet
from compiler.policy.packet_text import protocol_name

__all__ = ["mismatch"]


def mismatch(match: Match, packet: Packet) -> str:
    """``source 172.16.6.4 is not in 10.0.0.0/8``; empty when the packet matches."""
    return next(_mismatches(match, packet), "")


def _mismatches(match: Match, packet: Packet) -> Iterator[str]:
    """What does not fit, the most telling field first; layer-4 fields only when the protocol fits."""
    if match.family is not None and match.family != packet.family:
        yield f"the packet is IPv{packet.family.value}, not IPv{match.family.value}"
    if match.noninitial is not None and match.noninitial != packet.noninitial:
        yield _fragment_words(packet)
    for word, interfaces, name in (("ingress", match.ingress, packet.ingress), ("egress", match.egress, packet.egress)):
        if interfaces is not None and not interfaces.contains(name):
            yield f"{word} {name or 'none'} is not {interface_words(interfaces)}"
    if match.protocol is not None and not match.protocol.contains(packet.protocol):
        name = protocol_name(packet.protocol)
        yield f"protocol {name if name.isdigit() else name.upper()} is not {protocol_words(match.protocol)}"
    for word, addresses, value in (
        ("source", match.source, packet.source),
        ("destination", match.destination, packet.destination),
    ):
        if addresses is not None and not _holds(addresses, packet, value):
            said = address_words(addresses, sizes=False)
            yield f"{word} {format_address(value, packet.family.width)} is not in {said}"
    for name, width in WIDTH.items():
        numbers: IntegerSet | None = getattr(match, name)
        number: int = getattr(packet, name)
        if name != "protocol" and numbers is not None and not numbers.contains(number):
            yield _number_words(name, width, numbers, number)


def _holds(addresses: AddressSet, packet: Packet, value: int) -> bool:
    return addresses.width == packet.family.width and addresses.contains(value)


def _fragment_words(packet: Packet) -> str:
    if packet.noninitial:
        carried = PORT_PROTOCOLS.union(ICMP_PROTOCOLS).contains(packet.protocol)
        return "a fragment other than the first" + (" has no layer-4 header" if carried else "")
    return "the packet is whole or a first fragment"


def _number_words(name: str, width: int, numbers: IntegerSet, number: int) -> str:
    if name == "tcp_flags":
        held = ",".join(flag.upper() for flag, bit in TCP_FLAGS.items() if number & bit) or "none"
        return f"flags {held}: not {flag_words(numbers)}"
    if name in ("week_minute", "date_minute"):
        return "the moment of the packet is outside the time range"
    words = name.replace("_", " ").replace("icmp", "ICMP").replace("ttl", "TTL")
    single = numbers.single()
    if single is not None:
        return f"{words} {number} ≠ {single}"
    said = number_words(numbers, width)
    return f"{words} {number} is the one left out" if said == f"not {number}" else f"{words} {number} is not in {said}"
