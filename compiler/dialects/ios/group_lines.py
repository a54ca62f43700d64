"""Object groups of the tree -> the lines of their blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from compiler.addresses import AddressSet, Wildcard, format_address
from compiler.dialects.ios import phrases
from compiler.dialects.ios.facts import EXTENSION_HEADERS, PROTOCOL_WORDS
from compiler.dialects.ios.icmp import MESSAGES
from compiler.dialects.ios.phrases import Unsayable
from compiler.dialects.ios.ports import PORTS
from compiler.fields import ICMP, ICMPV6, Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import NetworkGroup, ServiceGroup
from compiler.policy.match import Match

__all__ = ["inner_first", "network_lines", "service_lines"]

_TCP_UDP = IntegerSet.values(6, 17)
_Group = TypeVar("_Group", NetworkGroup, ServiceGroup)


def inner_first(groups: Sequence[_Group]) -> list[_Group]:
    """The groups in their order, but each after the groups that it contains."""
    by_name: Mapping[str, _Group] = {group.name: group for group in groups}
    ordered: dict[str, _Group] = {}
    entered: set[str] = set()

    def place(group: _Group) -> None:
        if group.name in entered:
            return
        entered.add(group.name)
        for member in group.members:
            if isinstance(member, str) and member in by_name:
                place(by_name[member])
        ordered[group.name] = group

    for group in groups:
        place(group)
    return list(ordered.values())


def network_lines(group: NetworkGroup) -> Iterator[str]:
    """The members, by name or by addresses."""
    for member in group.members or (group.addresses,):
        if isinstance(member, str):
            yield f"group-object {member}"
        elif member.is_any:
            yield "any"
        elif member.width == 128:
            yield from phrases.addresses(member, Family.IPV6)
        else:
            yield from _ranges(member)


def _ranges(member: AddressSet) -> Iterator[str]:
    for low, high in member.ranges:
        mask = low ^ high
        if low == high:
            yield f"host {format_address(low, 32)}"
        elif mask & (mask + 1) or low & mask:
            yield f"range {format_address(low, 32)} {format_address(high, 32)}"
        else:
            yield _network(Wildcard(low, mask, 32))
    for wildcard in member.wildcards:
        if wildcard.run_count() > phrases.ADDRESS_CLAUSES:
            raise Unsayable(
                "a wildcard in a group", f"a group takes netmasks, and this has {wildcard.run_count()} runs"
            )
        for low, high in wildcard.runs():
            yield _network(Wildcard(low, low ^ high, 32))


def _network(block: Wildcard) -> str:
    if not block.mask:
        return f"host {format_address(block.value, 32)}"
    return f"{format_address(block.value, 32)} {format_address(~block.mask & 0xFFFFFFFF, 32)}"


def service_lines(group: ServiceGroup, family: Family) -> Iterator[str]:
    """The members, by name or by protocol and ports."""
    for member in group.members or group.matches:
        if isinstance(member, str):
            yield f"group-object {member}"
        else:
            yield from _service(member, family)


def _service(match: Match, family: Family) -> Iterator[str]:
    carried = match._replace(
        protocol=None, source_port=None, destination_port=None, icmp_type=None, icmp_code=None, noninitial=None
    )
    if carried != Match() or match.noninitial:
        raise Unsayable("a service", "a group holds protocols, ports and ICMP types only")
    if match.protocol is None:
        if match.looks_at_layer4:
            raise Unsayable("ports without a protocol", "IOS takes ports with tcp, udp or sctp")
        yield "ip" if family is Family.IPV4 else "ipv6"
    elif match.protocol == _TCP_UDP and match.icmp_type is None:
        yield from _with_ports("tcp-udp", match)
    else:
        for protocol in match.protocol.members():
            yield from _one_protocol(protocol, match, family)


def _one_protocol(protocol: int, match: Match, family: Family) -> Iterator[str]:
    if family is Family.IPV6 and protocol in EXTENSION_HEADERS:
        raise Unsayable(f"protocol {protocol} in an IPv6 group", "this number is an extension header")
    word = PROTOCOL_WORDS[family].get(protocol, str(protocol))
    if match.icmp_type is not None or match.icmp_code is not None:
        if protocol != (ICMP if family is Family.IPV4 else ICMPV6):
            raise Unsayable(f"ICMP types of protocol {protocol}", f"this is not the ICMP of IPv{family.value}")
        for message in phrases.messages(match.icmp_type, match.icmp_code):
            yield f"{word} {_message(message, protocol)}"
    elif match.source_port is None and match.destination_port is None:
        yield word
    elif protocol in PORTS:
        yield from _with_ports(word, match)
    else:
        raise Unsayable(f"ports of protocol {protocol}", "IOS takes ports with tcp, udp and sctp")


def _message(message: str, protocol: int) -> str:
    """A type; a type with a code has words only where IOS has a name for the pair."""
    if " " not in message:
        return message
    kind, code = map(int, message.split())
    for name, pair in MESSAGES[protocol].items():
        if pair == (kind, code):
            return name
    raise Unsayable(f"ICMP type {kind} code {code} in a group", "IOS takes types and names there")


def _with_ports(word: str, match: Match) -> Iterator[str]:
    for source in phrases.comparisons(match.source_port, 16, several=False):
        for destination in phrases.comparisons(match.destination_port, 16, several=False):
            yield word + (f" source {source}" if source else "") + (f" {destination}" if destination else "")
