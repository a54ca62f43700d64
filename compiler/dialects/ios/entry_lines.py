"""An entry of the tree -> the lines that say it, without sequence numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from compiler.addresses import AddressSet
from compiler.dialects.ios import phrases
from compiler.dialects.ios.facts import EXTENSION_HEADERS, PROTOCOL_WORDS
from compiler.dialects.ios.names import is_word
from compiler.dialects.ios.phrases import Unsayable
from compiler.dialects.ios.ports import PORTS
from compiler.fields import ICMP, ICMPV6, TCP, Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import Entry, ListKind, NetworkGroup, ServiceGroup
from compiler.policy.match import Match, layer4

__all__ = ["ENTRY_LINES", "Groups", "entry_lines"]

ENTRY_LINES = 16_384
"""The most lines that one entry may become."""


class Groups:
    """The groups that the device defines, for lines that may name them."""

    def __init__(self, network: Mapping[str, NetworkGroup], service: Mapping[str, ServiceGroup]) -> None:
        self.network = network
        self.service = service

    def names_addresses(self, name: str, found: AddressSet | None) -> bool:
        """Whether ``object-group name`` means exactly these addresses."""
        group = self.network.get(name)
        return group is not None and (None if group.addresses.is_any else group.addresses) == found

    def service_base(self, entry: Entry) -> Match | None:
        """The entry's match apart from its service group, or None when the group is not what it matches."""
        group = self.service.get(entry.service_group)
        if group is None or not entry.matches:
            return None
        base = entry.matches[0]._replace(
            protocol=None, source_port=None, destination_port=None, icmp_type=None, icmp_code=None
        )
        product = tuple(
            base._replace(
                protocol=member.protocol,
                source_port=member.source_port,
                destination_port=member.destination_port,
                icmp_type=member.icmp_type,
                icmp_code=member.icmp_code,
            )
            for member in group.matches
        )
        return base if product == entry.matches else None


def entry_lines(entry: Entry, family: Family, kind: ListKind, groups: Groups) -> tuple[str, ...]:
    """The lines, ``permit …`` or ``deny …``. Raises Unsayable with the first reason."""
    if entry.unmodelled:
        raise Unsayable(entry.unmodelled[0].text, "it is not modelled, so it cannot be written")
    action = entry.action.value
    if kind is ListKind.STANDARD:
        return tuple(f"{action} {words}" for words in _standard(entry, family))
    tail = _tail(entry)
    base = groups.service_base(entry) if entry.service_group else None
    if base is not None:
        middles = list(_service_line(entry, base, family, groups))
    else:
        middles = [middle for match in entry.matches for middle in _match_lines(entry, match, family, groups)]
    if len(middles) > ENTRY_LINES:
        raise Unsayable("an entry", f"it takes {len(middles)} lines, more than {ENTRY_LINES}")
    return tuple(f"{action} {middle}{tail}" for middle in middles)


def _tail(entry: Entry) -> str:
    tail = " fragments" if entry.fragments else ""
    if entry.log:
        tail += f" {entry.log}"
    if entry.time_range:
        if not is_word(entry.time_range):
            raise Unsayable(f"the time-range {entry.time_range!r}", "IOS cannot have this name")
        tail += f" time-range {entry.time_range}"
    return tail


def _standard(entry: Entry, family: Family) -> Iterator[str]:
    if entry.fragments or entry.time_range or entry.layer4_named or entry.log == "log-input":
        raise Unsayable("an entry", "a standard list has no fragments, time-range, log-input or layer-4 fields")
    tail = " log" if entry.log else ""
    for match in entry.matches:
        if match._replace(source=None, family=None) != Match():
            raise Unsayable("an entry", "a standard list looks at the source only")
        for words in phrases.addresses(match.source, family, standard=True):
            yield words + tail


def _outside(match: Match, family: Family) -> None:
    """Fields that no line of a list has."""
    if match.family not in (None, family):
        raise Unsayable("an address family", f"the list is for IPv{family.value}")
    if match.noninitial is not None or match.ingress is not None or match.egress is not None:
        raise Unsayable("a match of fragments or interfaces", "entries of IOS have no such field")
    if match.week_minute is not None or match.date_minute is not None:
        raise Unsayable("a time", "IOS says times with a time-range")
    if family is Family.IPV6 and match.ttl is not None:
        raise Unsayable("a hop limit", "IPv6 lists of IOS do not look at it")


def _place(name: str, found: AddressSet | None, family: Family, groups: Groups) -> tuple[str, ...]:
    if name and groups.names_addresses(name, found):
        return (f"object-group {name}",)
    return phrases.addresses(found, family)


def _service_line(entry: Entry, base: Match, family: Family, groups: Groups) -> Iterator[str]:
    _outside(base, family)
    if base.tcp_flags is not None:
        raise Unsayable("TCP flags", "they do not stand beside an object-group service")
    for source in _place(entry.source_group, base.source, family, groups):
        for destination in _place(entry.destination_group, base.destination, family, groups):
            for rest in _rest(base, family):
                yield f"object-group {entry.service_group} {source} {destination}{rest}"


def _match_lines(entry: Entry, match: Match, family: Family, groups: Groups) -> Iterator[str]:
    _outside(match, family)
    if entry.fragments and (match.looks_at_layer4 or entry.layer4_named):
        raise Unsayable("fragments with layer-4 fields", "non-initial fragments carry none")
    sources = _place(entry.source_group, match.source, family, groups)
    destinations = _place(entry.destination_group, match.destination, family, groups)
    rests = _rest(match, family)
    transports = _transports(match[3:9], family, entry.layer4_named)
    if len(sources) * len(destinations) * len(rests) * len(transports) > ENTRY_LINES:
        raise Unsayable("an entry", f"it takes more than {ENTRY_LINES} lines")
    for protocol, source_port, destination_port, options in transports:
        for source in sources:
            for destination in destinations:
                head = f"{protocol} {source}{source_port} {destination}{destination_port}{options}"
                for rest in rests:
                    yield head + rest


@lru_cache(maxsize=4096)
def _rest_of(traffic_class: IntegerSet | None, ttl: IntegerSet | None, family: Family) -> tuple[str, ...]:
    classes = phrases.traffic_classes(traffic_class, family)
    times = phrases.comparisons(ttl, 8)
    return tuple(
        (f" {words}" if words else "") + (f" ttl {time}" if time else "") for words in classes for time in times
    )


def _rest(match: Match, family: Family) -> tuple[str, ...]:
    if match.traffic_class is None and match.ttl is None:
        return ("",)
    return _rest_of(match.traffic_class, match.ttl, family)


Fields = tuple[IntegerSet | None, ...]
Transport = tuple[str, str, str, str]


@lru_cache(maxsize=65536)
def _transports(fields: Fields, family: Family, named: bool) -> tuple[Transport, ...]:
    """Protocol, source port, destination port and options, each with the blank before it."""
    protocol, source_port, destination_port, tcp_flags, icmp_type, icmp_code = fields
    protocols = layer4(
        Match(None, None, None, protocol, source_port, destination_port, tcp_flags, icmp_type, icmp_code)
    ).protocol
    if protocols is None:
        if named:
            raise Unsayable("a layer-4 field without a protocol", "IOS takes ports with tcp, udp or sctp")
        return (("ip" if family is Family.IPV4 else "ipv6", "", "", ""),)
    return tuple(
        line for protocol in protocols.members() for line in _one_protocol(protocol, fields[1:], family, named)
    )


def _one_protocol(protocol: int, fields: Fields, family: Family, named: bool) -> Iterator[Transport]:
    source_port, destination_port, tcp_flags, icmp_type, icmp_code = fields
    if family is Family.IPV6 and protocol in EXTENSION_HEADERS:
        raise Unsayable(f"protocol {protocol} in an IPv6 list", "this number is an extension header")
    ports = source_port is not None or destination_port is not None
    if ports and protocol not in PORTS:
        raise Unsayable(f"ports of protocol {protocol}", "IOS takes ports with tcp, udp and sctp")
    types = icmp_type is not None or icmp_code is not None
    if types and protocol != (ICMP if family is Family.IPV4 else ICMPV6):
        raise Unsayable(f"ICMP types of protocol {protocol}", f"this is not the ICMP of IPv{family.value}")
    if tcp_flags is not None and protocol != TCP:
        raise Unsayable(f"TCP flags of protocol {protocol}", "only TCP carries them")
    constrained = ports or types or tcp_flags is not None
    if named and not constrained and protocol not in PORTS:
        raise Unsayable(f"a layer-4 field of protocol {protocol}", "only ports can be named without being constrained")
    word = PROTOCOL_WORDS[family].get(protocol, str(protocol))
    sources = phrases.comparisons(source_port, 16)
    destinations = phrases.comparisons(destination_port, 16)
    if named and not constrained:
        # The text looked at ports that may have any value: that decides about fragments.
        destinations = ("range 0 65535",)
    for source in sources:
        for destination in destinations:
            for message in phrases.messages(icmp_type, icmp_code):
                for flag in phrases.flags(tcp_flags):
                    yield word, _lead(source), _lead(destination), _lead(message) + _lead(flag)


def _lead(words: str) -> str:
    return f" {words}" if words else ""
