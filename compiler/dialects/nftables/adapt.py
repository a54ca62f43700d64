"""Splits neutral rules until each is one rule of nft; refuses what nft cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from compiler.addresses import AddressSet
from compiler.dialects.nftables import facts
from compiler.errors import Refusal
from compiler.fields import ICMP, ICMP_PROTOCOLS, ICMPV6, PORT_PROTOCOLS, Family
from compiler.integers import IntegerSet
from compiler.lowering.bounding import Unsayable, bounded
from compiler.lowering.options import Options
from compiler.policy.match import InterfaceSet, Match
from compiler.policy.ruleset import Chain, NamedSet, Rule, Ruleset, Verdict

__all__ = ["adapt"]

_TIME = (
    "nft evaluates hours and days in the kernel's clock, and in the time zone of the moment when the rules are "
    "loaded: the rule would shift with daylight saving"
)
_NAME = re.compile(r"[A-Za-z_.][A-Za-z0-9_./-]*", re.ASCII)
_LONGEST_NAME = 127
_LONGEST_INTERFACE = 15
"""IFNAMSIZ less the terminating zero, in bytes."""
_UNQUOTABLE = frozenset('\\{}(),;="')
_ANSWERS = {"ip": "icmp admin-prohibited", "ip6": "icmpv6 admin-prohibited", "inet": "icmpx admin-prohibited"}


def adapt(ruleset: Ruleset, options: Options) -> tuple[Ruleset, tuple[Refusal, ...]]:
    """The same firewall with rules that are each one rule of nft, and what had to be refused.

    Sets of the source (object groups) become named sets where they are ranges.
    With ``options.bound`` refused rules are bounded from below, never widened.
    """
    names = _Names(ruleset)
    adapter = _Adapter(options, names)
    chains = tuple(adapter.chain(chain) for chain in ruleset.chains)
    comments = {(one.table, one.name): one.comment for one in ruleset.sets}
    sets = tuple(
        NamedSet(table, name, family, addresses, comments.get((table, original), ""))
        for (table, original), (name, family, addresses) in adapter.sets.items()
    )
    adapted = Ruleset(ruleset.source, "nftables", chains, sets, ruleset.features, ruleset.header)
    return adapted, tuple(adapter.refusals)


class _Names:
    """Names that nft takes, for chains and sets; distinct names stay distinct."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._chains: dict[tuple[str, str], str] = {}
        self._sets: dict[tuple[str, str], str] = {}
        for chain in ruleset.chains:
            self.chain(chain.table, chain.name)

    def chain(self, table: str, name: str) -> str:
        """The name under which the chain is written."""
        return self._of(self._chains, table, name)

    def set(self, table: str, name: str) -> str:
        """The name under which the set is written."""
        return self._of(self._sets, table, name)

    @staticmethod
    def _of(known: dict[tuple[str, str], str], table: str, name: str) -> str:
        found = known.get((table, name))
        if found is not None:
            return found
        base = re.sub(r"[^A-Za-z0-9_./-]", "_", name)[: _LONGEST_NAME - 4] or "_"
        if not _NAME.fullmatch(base) or base in facts.KEYWORDS:
            base = f"_{base}"
        taken = {written for (place, _), written in known.items() if place == table}
        written, number = base, 2
        while written in taken:
            written, number = f"{base}_{number}", number + 1
        known[(table, name)] = written
        return written


class _Adapter:
    def __init__(self, options: Options, names: _Names) -> None:
        self.options = options
        self.names = names
        self.refusals: list[Refusal] = []
        self.sets: dict[tuple[str, str], tuple[str, Family, AddressSet]] = {}

    def chain(self, chain: Chain) -> Chain:
        """The chain with its rules split."""
        family = chain.table.partition(" ")[0]
        rules: list[Rule] = []
        for rule in chain.rules:
            if not rule.disabled:
                rules.extend(
                    bounded(
                        rule, lambda one: self._say(one, chain.table, family), self.refusals, bound=self.options.bound
                    )
                )
        return replace(chain, name=self.names.chain(chain.table, chain.name), rules=tuple(rules))

    def _say(self, rule: Rule, table: str, family: str) -> Iterator[Rule]:
        match = rule.match
        if match.week_minute is not None or match.date_minute is not None:
            raise Unsayable(("week_minute", "date_minute"), _TIME)
        _check_interfaces(match)
        target = self.names.chain(table, rule.target) if rule.target else ""
        answer = rule.answer
        if rule.verdict is Verdict.REJECT and not answer:
            answer = _ANSWERS[family]
        source_set = self._set(table, rule.source_set, match.source) if rule.source_set else ""
        destination_set = self._set(table, rule.destination_set, match.destination) if rule.destination_set else ""
        comment = rule.comment
        for one in _split(match, family, bool(source_set), bool(destination_set)):
            if (
                one is match
                and target == rule.target
                and answer == rule.answer
                and source_set == rule.source_set
                and destination_set == rule.destination_set
            ):
                yield rule
                return
            yield Rule(
                one,
                rule.verdict,
                target,
                rule.log,
                answer,
                comment,
                False,
                source_set,
                destination_set,
                rule.unmodelled,
                rule.span,
            )

    def _set(self, table: str, original: str, addresses: AddressSet | None) -> str:
        """The named set of a source's group, or nothing when a set of nft cannot hold it."""
        if addresses is None or addresses.wildcards or not addresses.ranges:
            return ""
        have = self.sets.get((table, original))
        if have is None:
            written = self.names.set(table, original)
            family = Family.IPV4 if addresses.width == 32 else Family.IPV6
            self.sets[(table, original)] = (written, family, addresses)
            return written
        return have[0] if have[2] == addresses else ""


def _check_interfaces(match: Match) -> None:
    """Raises Unsayable for a name that no interface of Linux can have (dev_valid_name), or that nft cannot quote."""
    for field, interfaces in (("ingress", match.ingress), ("egress", match.egress)):
        for name in sorted(interfaces.names) if interfaces is not None else ():
            why = _impossible(name)
            if why:
                raise Unsayable((field,), f"interface {name}: {why}")


@lru_cache(maxsize=1024)
def _impossible(name: str) -> str:
    if len(name.encode()) > _LONGEST_INTERFACE:
        return f"Linux names have at most {_LONGEST_INTERFACE} bytes"
    if name in (".", "..") or any(character in "/:" or character.isspace() for character in name):
        return "Linux names have no '/', ':' or blanks, and are not '.' or '..'"
    if "*" in name[:-1] or name == "*" or any(character in _UNQUOTABLE for character in name):
        return "nft has no way to write the name"
    return ""


@lru_cache(maxsize=65536)
def _split(match: Match, family: str, source_named: bool, destination_named: bool) -> tuple[Match, ...]:
    """Matches that nft says in one rule each; together they are ``match``."""
    if _is_empty(match):
        return ()
    if match.family is not None and family != "inet":
        if family != ("ip" if match.family is Family.IPV4 else "ip6"):
            return ()  # never true in this table
        match = match._replace(family=None)
    if family == "inet" and match.family is None:
        implied = _implied_family(match)
        if implied is None:
            return ()
        if implied:
            return tuple(
                one
                for one_family in implied
                for one in _split(match._replace(family=one_family), family, source_named, destination_named)
            )
    if family == "inet" and (match.icmp_type is not None or match.icmp_code is not None):
        _check_icmp(match)
    sources = (match.source,) if source_named else _address_parts(match.source)
    destinations = (match.destination,) if destination_named else _address_parts(match.destination)
    ingresses, egresses = _interface_parts(match.ingress), _interface_parts(match.egress)
    protocols = _protocol_parts(match)
    if len(sources) == len(destinations) == len(ingresses) == len(egresses) == len(protocols) == 1 and (
        protocols[0] == match.protocol
    ):
        return (match,)
    return tuple(
        match._replace(source=source, destination=destination, protocol=protocol, ingress=ingress, egress=egress)
        for ingress in ingresses
        for egress in egresses
        for source in sources
        for destination in destinations
        for protocol in protocols
    )


def _implied_family(match: Match) -> tuple[Family, ...] | None:
    """In an inet table: families to say the match for; none when it needs no split, None when it is empty."""
    widths = {addresses.width for addresses in (match.source, match.destination) if addresses is not None}
    if len(widths) > 1:
        return None
    if widths:
        return (Family.IPV4,) if widths == {32} else (Family.IPV6,)
    return tuple(Family) if _needs_family(match) else ()


def _needs_family(match: Match) -> bool:
    """Whether nft has no form for the match that holds for both families."""
    return (
        match.traffic_class is not None
        or match.ttl is not None
        or match.icmp_type is not None
        or match.icmp_code is not None
        or (match.noninitial is not None and not match.looks_at_layer4)
    )


def _check_icmp(match: Match) -> None:
    """In an inet table nft binds icmp to IPv4 and icmpv6 to IPv6."""
    other = ICMPV6 if match.family is Family.IPV4 else ICMP
    if match.protocol is None or match.protocol.contains(other):
        raise Unsayable(
            ("icmp_type", "icmp_code"), "types of ICMP in IPv6 packets, or of ICMPv6 in IPv4 packets, in an inet table"
        )


def _is_empty(match: Match) -> bool:
    """Whether a field is the empty set: the rule never matches."""
    if match.looks_at_layer4 and match.noninitial is True:
        return True
    for value in match[1:13]:
        if isinstance(value, AddressSet):
            if value.is_empty:
                return True
        elif isinstance(value, IntegerSet) and not value.intervals:
            return True
    return any(interfaces is not None and interfaces == InterfaceSet(frozenset()) for interfaces in match[14:])


def _address_parts(addresses: AddressSet | None) -> tuple[AddressSet | None, ...]:
    """All ranges together, each odd wildcard apart."""
    if addresses is None or not addresses.wildcards:
        return (addresses,) if addresses is None or addresses.ranges else ()
    parts = [AddressSet.of(addresses.width, addresses.ranges)] if addresses.ranges else []
    return tuple(parts + [AddressSet.wildcard(wildcard) for wildcard in addresses.wildcards])


def _interface_parts(interfaces: InterfaceSet | None) -> tuple[InterfaceSet | None, ...]:
    """Wildcards of names cannot stand in a set of nft 1.0.6; refused ones are said one after the other."""
    if interfaces is None or interfaces.negated:
        return (interfaces,)
    stars = [name for name in sorted(interfaces.names) if name.endswith("*")]
    plain = interfaces.names - frozenset(stars)
    parts = [InterfaceSet(plain)] if plain else []
    return tuple(parts + [InterfaceSet.only(name) for name in stars])


def _protocol_parts(match: Match) -> tuple[IntegerSet | None, ...]:
    """Protocols whose fields one rule can name: ICMP apart from ICMPv6, and only carriers of the fields."""
    protocol = match.protocol
    if protocol is not None and not protocol.intervals:
        return ()
    if match.icmp_type is not None or match.icmp_code is not None:
        carried = ICMP_PROTOCOLS if protocol is None else protocol.intersection(ICMP_PROTOCOLS)
        return tuple(IntegerSet.values(number) for number in (ICMP, ICMPV6) if carried.contains(number))
    if match.tcp_flags is not None:
        return (IntegerSet.values(6),) if protocol is None or protocol.contains(6) else ()
    if match.source_port is not None or match.destination_port is not None:
        carried = PORT_PROTOCOLS if protocol is None else protocol.intersection(PORT_PROTOCOLS)
        return (carried,) if carried.intervals else ()
    return (protocol,)
