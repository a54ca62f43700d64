"""What one RouterOS rule can say of each field, and how to cut the rest into several rules.

Each function gives values whose union is the given set, each sayable by one
matcher, or raises Unsayable.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

from compiler.addresses import AddressSet
from compiler.dialects.routeros.clock import format_week
from compiler.dialects.routeros.cubes import cube_values, flag_cubes
from compiler.dialects.routeros.facts import INTERFACE_GROUPS
from compiler.dialects.routeros.matchers import PORT_SLOTS
from compiler.fields import ICMP, ICMPV6, PORT_PROTOCOLS, Family
from compiler.integers import IntegerSet
from compiler.lowering.bounding import Unsayable
from compiler.policy.match import InterfaceSet, Match, layer4

__all__ = ["RULE_LIMIT", "Arrival", "Place", "inline_addresses", "port_slots", "rest_pieces"]

RULE_LIMIT = 1024
"""Rules that one rule may become."""

_TTL_LIMIT = 32
"""Values of one two-sided TTL interval that are listed one by one."""


class Arrival(Enum):
    """How fragmented packets arrive in a table."""

    SINGLY = "singly"
    """Each fragment for itself: raw, and filter without connection tracking."""
    WHOLE = "whole"
    """Reassembled: filter behind connection tracking."""
    NEVER = "never"
    """The user promises that there are none."""


class Place(NamedTuple):
    """The family of a rule's table, and what of fragmented packets arrives there."""

    family: Family
    fragments: Arrival


Rest = tuple[object, ...]
"""A Match without its family and its addresses."""


@lru_cache(maxsize=16384)
def rest_pieces(rest: Rest, place: Place) -> tuple[Rest, ...]:
    """All but the addresses of a match, as rules of ``place`` can say it. Raises Unsayable."""
    match = layer4(Match(None, None, None, *rest))  # type: ignore[arg-type]  # the tail of a Match
    if any(isinstance(part, IntegerSet) and not part.intervals for part in match):
        return ()
    if match.date_minute is not None:
        raise Unsayable(("date_minute",), "RouterOS rules know times of the week, not dates")
    match, never = _fragments(match, place)
    if never:
        return ()
    choices: list[tuple[tuple[str, ...], tuple[object, ...]]] = [
        (("ingress",), _interfaces("ingress", match.ingress)),
        (("egress",), _interfaces("egress", match.egress)),
        (("protocol",), _protocols(match)),
        (("source_port",), _ports(match.source_port)),
        (("destination_port",), _ports(match.destination_port)),
        (("tcp_flags",), _flags(match.tcp_flags)),
        (("icmp_type", "icmp_code"), _icmp(match, place.family)),
        (("traffic_class",), _traffic_classes(match.traffic_class)),
        (("ttl",), _hops(match.ttl)),
        (("week_minute",), _week(match.week_minute)),
    ]
    several = [(fields, parts) for fields, parts in choices if len(parts) > 1]
    for fields, parts in choices:
        if len(parts) == 1:
            match = _with(match, fields, parts[0])
    total = prod(len(parts) for _, parts in several)
    if total > RULE_LIMIT:
        fields = tuple(field for fields, _ in several for field in fields)
        raise Unsayable(fields, f"it takes {total:,} rules of RouterOS, above the limit of {RULE_LIMIT:,}")
    pieces = []
    for combination in product(*(parts for _, parts in several)):
        piece = match
        for (fields, _), part in zip(several, combination, strict=True):
            piece = _with(piece, fields, part)
        pieces.append(tuple(piece)[3:])
    return tuple(pieces)


def _with(match: Match, fields: tuple[str, ...], part: object) -> Match:
    """The match with one part of a choice: the value of its field, or a pair for two fields."""
    if len(fields) == 1:
        if getattr(match, fields[0]) is part:
            return match
        return match._replace(**{fields[0]: part})  # type: ignore[arg-type]  # a part of that field
    assert isinstance(part, tuple)  # the choice is of pairs
    return match._replace(**dict(zip(fields, part, strict=True)))


def _fragments(match: Match, place: Place) -> tuple[Match, bool]:
    """The match with ``noninitial`` as the place can say it; and whether nothing matches there."""
    if match.noninitial is None:
        return match, False
    if place.fragments is Arrival.NEVER:
        return match if match.looks_at_layer4 else match._replace(noninitial=None), bool(match.noninitial)
    if place.fragments is Arrival.WHOLE:
        if match.noninitial:
            why = "filter chains stand behind reassembly and never see fragments; use --place early"
            raise Unsayable(("noninitial",), why)
        return match if match.looks_at_layer4 else match._replace(noninitial=None), False
    if place.family is Family.IPV6:
        # Any port list, even the full one, leaves later fragments out.
        ports = match.protocol is not None and match.protocol.issubset(PORT_PROTOCOLS)
        if match.noninitial or not (match.looks_at_layer4 or ports):
            why = (
                "RouterOS has no matcher for later fragments of IPv6; --fragments reassembled claims whole packets only"
            )
            raise Unsayable(("noninitial",), why)
    return match, False


def _interfaces(field: str, interfaces: InterfaceSet | None) -> tuple[InterfaceSet | None, ...]:
    if interfaces is None or interfaces == InterfaceSet(frozenset(), True):
        return (None,)
    for name in interfaces.names:
        if name.endswith("*"):
            raise Unsayable((field,), f"RouterOS has no patterns of interface names, as {name}")
        if name == "all" or name in INTERFACE_GROUPS or name[:1] in ("*", "!", ""):
            raise Unsayable((field,), f"{name!r} is no name of one interface on RouterOS")
    if not interfaces.negated:
        return tuple(InterfaceSet.only(name) for name in sorted(interfaces.names))
    if len(interfaces.names) > 1:
        raise Unsayable((field,), "one rule of RouterOS can leave out one interface only")
    return (interfaces,)


def _protocols(match: Match) -> tuple[IntegerSet | None, ...]:
    protocols = match.protocol
    if protocols is None:
        return (None,)
    if not match.looks_at_layer4 and protocols.single() != 0:
        others = protocols.complement(8).single()
        if others not in (None, 0):
            return (protocols,)
    if protocols.contains(0):
        raise Unsayable(("protocol",), "protocol 0 may stand for any protocol on RouterOS")
    return tuple(IntegerSet.values(number) for number in protocols.members())


def port_slots(ports: IntegerSet) -> int:
    """Slots of a port list: a range takes two."""
    return sum(1 if low == high else 2 for low, high in ports.intervals)


def _ports(ports: IntegerSet | None) -> tuple[IntegerSet | None, ...]:
    if ports is None or min(port_slots(ports), port_slots(ports.complement(16))) <= PORT_SLOTS:
        return (ports,)
    groups: list[list[tuple[int, int]]] = [[]]
    room = PORT_SLOTS
    for low, high in ports.intervals:
        need = 1 if low == high else 2
        if need > room:
            groups.append([])
            room = PORT_SLOTS
        groups[-1].append((low, high))
        room -= need
    return tuple(IntegerSet.of(group) for group in groups)


def _flags(flags: IntegerSet | None) -> tuple[IntegerSet | None, ...]:
    return (None,) if flags is None else tuple(cube_values(cube) for cube in flag_cubes(flags))


def _icmp(match: Match, family: Family) -> tuple[tuple[IntegerSet | None, IntegerSet | None], ...]:
    types, codes = match.icmp_type, match.icmp_code
    if types is None and codes is None:
        return ((None, None),)
    fields = ("icmp_type", "icmp_code")
    protocol = ICMP if family is Family.IPV4 else ICMPV6
    if match.protocol != IntegerSet.values(protocol):
        raise Unsayable(fields, f"icmp-options needs protocol {protocol} in this table")
    if types is None:
        raise Unsayable(fields, "RouterOS looks at an ICMP code of one type only")
    if codes is None and types.complement(8).single() not in (None, 255):
        return ((types, None),)
    if types.contains(255):
        raise Unsayable(fields, "ICMP type 255 may stand for any type on RouterOS")
    intervals = codes.intervals if codes else ((0, 255),)
    return tuple(
        (IntegerSet.values(number), IntegerSet.range(low, high) if codes else None)
        for number in types.members()
        for low, high in intervals
    )


def _traffic_classes(classes: IntegerSet | None) -> tuple[IntegerSet | None, ...]:
    if classes is None:
        return (None,)
    if any(low & 3 or high & 3 != 3 for low, high in classes.intervals):
        why = "RouterOS tests whole DSCP values, not the ECN bits below them"
        raise Unsayable(("traffic_class",), why)
    if classes.complement(8).size() == 4:
        return (classes,)
    return tuple(IntegerSet.range(value, value + 3) for low, high in classes.intervals for value in range(low, high, 4))


def _hops(hops: IntegerSet | None) -> tuple[IntegerSet | None, ...]:
    if hops is None or hops.complement(8).single() is not None:
        return (hops,)
    found: list[IntegerSet] = []
    for low, high in hops.intervals:
        if low in (0, high) or high == 255:
            found.append(IntegerSet.range(low, high))
        elif high - low < _TTL_LIMIT:
            found += [IntegerSet.values(value) for value in range(low, high + 1)]
        else:
            raise Unsayable(("ttl",), f"RouterOS has no two-sided TTL test, and {low} to {high} are many values")
    return tuple(found)


def _week(minutes: IntegerSet | None) -> tuple[IntegerSet | None, ...]:
    return (None,) if minutes is None else tuple(part for _, part in format_week(minutes))


@lru_cache(maxsize=65536)
def inline_addresses(addresses: AddressSet) -> tuple[bool, int, int] | None:
    """``(negated, first, last)`` when one matcher says the set, else None.

    IPv4 matchers hold a prefix or a range, IPv6 matchers a prefix; both may be negated.
    """
    if addresses.wildcards:
        return None
    ranges, top = addresses.ranges, (1 << addresses.width) - 1
    if len(ranges) == 1:
        negated, (low, high) = False, ranges[0]
    elif len(ranges) == 2 and ranges[0][0] == 0 and ranges[1][1] == top:
        negated, (low, high) = True, (ranges[0][1] + 1, ranges[1][0] - 1)
    else:
        return None
    span = low ^ high
    if addresses.width == 128 and (span & (span + 1) or low & span):
        return None
    return negated, low, high
