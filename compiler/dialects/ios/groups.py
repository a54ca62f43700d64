"""``object-group network|service``: named addresses and services, with groups inside groups.

Source: Cisco IOS "Object Groups for ACLs". The second field of a network is a
NETMASK here, not a wildcard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from compiler.addresses import AddressSet, Wildcard, parse_address
from compiler.dialects.ios.addresses import explain_address, ipv4_host, netmask_set, prefix_set
from compiler.dialects.ios.entries import read_protocol
from compiler.dialects.ios.icmp import MESSAGES
from compiler.dialects.ios.operators import OPERATORS, comparison, port_number
from compiler.dialects.ios.ports import PORTS, TCP_PORTS, UDP_PORTS
from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.fields import Family
from compiler.integers import IntegerSet, is_number
from compiler.policy.access_list import NetworkGroup, ServiceGroup
from compiler.policy.match import Match
from compiler.source import Span

__all__ = ["Flattening", "GroupDraft", "network_group", "network_member", "service_group", "service_member"]

_NETWORK = "host A.B.C.D, A.B.C.D NETMASK, range A.B.C.D A.B.C.D, any, group-object NAME or description"
_NETWORK_WORDS = ("host", "range", "any", "group-object", "description")
_NETWORK6 = "host X:X::X, X:X::X/LENGTH, any, group-object NAME or description"
_BOTH = {**TCP_PORTS, **UDP_PORTS}


@dataclass(slots=True)
class GroupDraft:
    """A group while its lines are read; each member with the place of its line."""

    name: str
    span: Span
    family: Family = Family.IPV4
    description: str = ""
    members: dict[AddressSet | Match | str, Span] = field(default_factory=dict)


def network_member(line: Words, family: Family) -> AddressSet | str:
    """One line of a network group: addresses, or the name of a group."""
    word = line.peek().lower()
    member: AddressSet | str
    if word == "group-object":
        line.at += 1
        member = line.take("the name of a group")
    elif word == "any":
        line.at += 1
        member = AddressSet.any(family.width)
    elif family is Family.IPV6:
        member = _network6(line, word)
    elif word == "host":
        line.at += 1
        member = ipv4_host(line)
    elif word == "range":
        line.at += 1
        member = _range(line)
    else:
        member = _network(line)
    line.end()
    return member


def _range(line: Words) -> AddressSet:
    start = line.at
    first, last = ipv4_host(line), ipv4_host(line)
    low, high = first.ranges[0][0], last.ranges[0][0]
    if low > high:
        raise Fault("the range ends before it begins", start, 2)
    return AddressSet.of(32, ((low, high),))


def _network(line: Words) -> AddressSet:
    at, words = line.at, line.words
    address = line.take(_NETWORK)
    if "." not in address:
        raise expected(address, at, _NETWORK, _NETWORK_WORDS)
    short = address.split("/")
    if len(short) == 2 and number(short[1], 0, 32) is not None and len(words) == at + 1:
        mask = 0xFFFFFFFF << (32 - int(short[1])) & 0xFFFFFFFF
        address, netmask = short[0], ".".join(str(mask >> shift & 255) for shift in (24, 16, 8, 0))
    else:
        netmask = line.take(f"a netmask for {address} (one host: 'host {address}')")
    try:
        return netmask_set(address, netmask)
    except ValueError as error:
        for index, word in ((at, address), (at + 1, netmask)):
            try:
                parse_address(word)
            except ValueError:
                raise explain_address(words, index, "an IPv4 address" if index == at else "a netmask") from None
        raise Fault(str(error), at + 1) from None


def _network6(line: Words, word: str) -> AddressSet:
    if word == "host":
        line.at += 1
    text = line.take(_NETWORK6)
    try:
        found = prefix_set(f"{text}/128" if word == "host" else text)
    except ValueError:
        raise expected(text, line.at - 1, _NETWORK6, _NETWORK_WORDS) from None
    return AddressSet.any(128) if found is None else found


def service_member(line: Words, family: Family) -> Match | str:
    """One line of a service group: a protocol with ports or an ICMP type, or the name of a group."""
    word = line.peek().lower()
    if word == "group-object":
        line.at += 1
        member: Match | str = line.take("the name of a group")
    elif word == "tcp-udp":
        line.at += 1
        member = _ports(line, IntegerSet.values(6, 17), _BOTH)
    else:
        protocol = read_protocol(line, family)
        if protocol is None:
            member = Match()
        elif protocol in MESSAGES:
            member = _messages(line, protocol)
        else:
            member = _ports(line, IntegerSet.values(protocol), PORTS.get(protocol))
    line.end()
    return member


def _messages(line: Words, protocol: int) -> Match:
    word = line.peek()
    match = Match(protocol=IntegerSet.values(protocol))
    if not word:
        return match
    line.at += 1
    kind, code = MESSAGES[protocol].get(word.lower(), (number(word, 0, 255), None))
    if kind is None:
        raise expected(word, line.at - 1, "an ICMP type: 0 to 255 or a name", MESSAGES[protocol])
    if is_number(line.peek()) and is_number(word):
        code = number(line.take("an ICMP code"), 0, 255)
        if code is None:
            raise Fault(f"'{line.words[line.at - 1]}' is not an ICMP code: expected 0 to 255", line.at - 1)
    return match._replace(
        icmp_type=IntegerSet.values(kind), icmp_code=None if code is None else IntegerSet.values(code)
    )


def _ports(line: Words, protocol: IntegerSet, names: Mapping[str, int] | None) -> Match:
    match = Match(protocol=protocol)
    if names is None or not line.peek():
        return match
    source = destination = None
    if line.peek().lower() == "source":
        line.at += 1
        source = _port_set(line, names)
    if line.peek():
        destination = _port_set(line, names)
    return match._replace(source_port=source, destination_port=destination)


def _port_set(line: Words, names: Mapping[str, int]) -> IntegerSet:
    """``[eq] PORT``, ``gt PORT``, ``lt PORT`` or ``range LOW HIGH``."""
    start = line.at
    if line.peek() not in OPERATORS:
        return IntegerSet.values(port_number(line, names))
    found = comparison(line, names)
    if found is None:
        # Such a member looks at ports for the sake of fragments, and no field of the tree says so.
        raise Fault("all ports in a group: the tree cannot say this apart from no ports", start, 3, unmodelled=True)
    return found


class Flattening:
    """Groups inside groups -> their members. Each group is flattened once, however often it is named.

    ``NESTING`` bounds the depth, so that no text exhausts the stack.
    """

    NESTING = 64

    def __init__(self, drafts: Mapping[str, GroupDraft]) -> None:
        self.drafts = drafts
        self.known: dict[str, dict[AddressSet | Match, None]] = {}

    def members(self, draft: GroupDraft, above: tuple[str, ...] = ()) -> dict[AddressSet | Match, None]:
        """The members in order. Fault, with the member's number as index, when one cannot be resolved."""
        if draft.name in self.known:
            return self.known[draft.name]
        if len(above) > self.NESTING:
            raise Fault(f"groups are nested more than {self.NESTING} deep", 0)
        found: dict[AddressSet | Match, None] = {}
        for index, member in enumerate(draft.members):
            if not isinstance(member, str):
                found[member] = None
                continue
            if member in (*above, draft.name):
                raise Fault(f"the group {member} contains itself", index)
            if member not in self.drafts:
                near = get_close_matches(member, list(self.drafts), 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise Fault(f"the group {member} is not defined{hint}", index)
            try:
                found.update(self.members(self.drafts[member], (*above, draft.name)))
            except Fault as fault:
                raise Fault(fault.message, index) from None
        self.known[draft.name] = found
        return found


def network_group(draft: GroupDraft, flattening: Flattening) -> NetworkGroup:
    """The finished group. Fault, with the member's number as index, for a cycle or an undefined group."""
    ranges: list[tuple[int, int]] = []
    wildcards: list[Wildcard] = []
    for member in flattening.members(draft):
        if isinstance(member, AddressSet) and member.width == draft.family.width:
            ranges.extend(member.ranges)
            wildcards.extend(member.wildcards)
        else:
            raise Fault(f"the group {draft.name} contains groups of the other address family", 0)
    addresses = AddressSet.of(draft.family.width, ranges, wildcards)
    members = tuple(member for member in draft.members if not isinstance(member, Match))
    return NetworkGroup(draft.name, addresses, members, draft.description, draft.span)


def service_group(draft: GroupDraft, flattening: Flattening) -> ServiceGroup:
    """The finished group. Fault, with the member's number as index, for a cycle or an undefined group."""
    matches = tuple(member for member in flattening.members(draft) if isinstance(member, Match))
    members = tuple(member for member in draft.members if not isinstance(member, AddressSet))
    return ServiceGroup(draft.name, matches, members, draft.description, draft.span)
