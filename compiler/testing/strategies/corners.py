"""The corners of rules: what each asks for, field by field, at its first and last value and just beyond."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from compiler.addresses import AddressSet
from compiler.errors import UsageError
from compiler.fields import WIDTH, Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import Device
from compiler.policy.match import InterfaceSet, Match
from compiler.policy.packet import Path
from compiler.policy.ruleset import Hook, Ruleset
from compiler.testing.headers import Headers
from compiler.testing.policies import Policy

__all__ = ["Corner", "Described", "Near", "RuleCorners", "corners", "near"]

Described = Policy | Device | Ruleset | Headers | Match
"""Whose corners may be asked for."""

Corner = dict[str, int]
"""One corner of a rule: a value for each field that it asks for."""

_FIELDS = (
    "icmp_code",
    "icmp_type",
    "tcp_flags",
    "destination_port",
    "source_port",
    "traffic_class",
    "ttl",
    "week_minute",
    "date_minute",
    "protocol",
    "destination",
    "source",
)
"""What shrinks away first stands last: so the number of a corner stays what it was when an address goes."""
_COMMON = {"protocol": (6, 17, 1, 58), "tcp_flags": (0x10, 0x04, 0x02, 0x12, 0x01)}
"""What people send, of fields whose neighbouring numbers nobody does: TCP, UDP, ICMP; ACK, RST, SYN."""
_HOOKS = {Hook.INPUT: Path.INPUT, Hook.OUTPUT: Path.OUTPUT}


class RuleCorners(NamedTuple):
    """The corners of one rule: all fields first, all last, and one field at a time at another border or just beyond."""

    first: Corner
    last: Corner
    others: tuple[Corner, ...]


class Near(NamedTuple):
    """What packets may be near to: rules, what all of them name, and the ways through the device."""

    rules: tuple[RuleCorners, ...]
    named: dict[str, tuple[int, ...]]
    """The values of each field that any rule has at a corner."""
    ingresses: tuple[str, ...]
    egresses: tuple[str, ...]
    paths: tuple[Path, ...]


def near(about: Iterable[Described], family: Family) -> Near:
    """The corners of everything given, in its order. UsageError when nothing of it is of the family."""
    rules: list[RuleCorners] = []
    named: dict[str, dict[int, None]] = {}
    ways: list[tuple[str, str]] = []
    paths: list[Path] = []
    for one in about:
        tree = one.tree if isinstance(one, Policy) else one
        only = one.list_name if isinstance(one, Policy) else None
        for match in _matches(tree, only):
            if _is_of(match, family):
                fields = _values(match)
                rules.append(_corners(fields))
                for name, values in fields.items():
                    named.setdefault(name, {}).update(dict.fromkeys(values))
        if only is None:
            ways += _ways(tree)
            paths += _paths(tree)
    if not rules:
        raise UsageError(f"nothing that was given speaks of IPv{family.value} packets")
    return Near(
        tuple(rules),
        {name: tuple(values) for name, values in named.items()},
        tuple(dict.fromkeys(ingress for ingress, _ in ways)) or ("",),
        tuple(dict.fromkeys(egress for _, egress in ways)) or ("",),
        tuple(dict.fromkeys(paths)) or (Path.FORWARD,),
    )


def corners(match: Match) -> RuleCorners:
    """The corners of one match. A field that it leaves free is in none of them."""
    return _corners(_values(match))


def _corners(fields: dict[str, tuple[int, ...]]) -> RuleCorners:
    first = {name: values[0] for name, values in fields.items()}
    last = {name: values[0] if name == "protocol" else values[:2][-1] for name, values in fields.items()}
    others = tuple({**first, name: value} for name, values in fields.items() for value in values[1:])
    return RuleCorners(first, last, others)


def _values(match: Match) -> dict[str, tuple[int, ...]]:
    """What to try of each field that is asked for: first, last, below, above, the edges of a hole."""
    found = {}
    for name in _FIELDS:
        asked: IntegerSet | AddressSet | None = getattr(match, name)
        if asked is None or (isinstance(asked, IntegerSet) and not asked.intervals):
            continue
        if isinstance(asked, AddressSet):
            values = [value for value in _borders(asked) if 0 <= value < 1 << asked.width]
        elif name in _COMMON:  # beside TCP stands UDP, not protocol 7; beside ACK RST
            inside = [value for value in _COMMON[name] if asked.contains(value)] or [asked.intervals[0][0]]
            outside = [value for value in _COMMON[name] if not asked.contains(value)]
            values = [*inside[:2], *outside[:2]]
        else:
            values = [value for value in _borders(asked) if 0 <= value < 1 << WIDTH[name]]
        found[name] = tuple(dict.fromkeys(values))
    return {name: values for name, values in found.items() if values}


def _borders(asked: IntegerSet | AddressSet) -> Iterator[int]:
    """First, last, below, above; then both edges of the first hole."""
    if isinstance(asked, AddressSet):
        if asked.is_empty:
            return
        low, high = asked.hull()
        end = next(iter(asked.wildcards[0].runs()))[1] if asked.wildcards else asked.ranges[0][1]
    else:
        low, high = asked.intervals[0][0], asked.intervals[-1][1]
        end = asked.intervals[0][1]
    yield from (low, high, low - 1, high + 1)
    if end < high:
        yield from (end, end + 1)


def _is_of(match: Match, family: Family) -> bool:
    widths = {one.width for one in (match.source, match.destination) if one is not None}
    return match.family in (None, family) and widths <= {family.width}


def _matches(tree: Device | Ruleset | Headers | Match, only: str | None) -> Iterator[Match]:
    if isinstance(tree, Match):
        yield tree
    elif isinstance(tree, Headers):
        yield from (part.match for part in (*tree.parts, *tree.without))
    elif isinstance(tree, Device):
        for access_list in tree.lists:
            if only in (None, access_list.name):
                for entry in access_list.entries:
                    yield from (match._replace(family=access_list.family) for match in entry.matches)
    else:
        for chain in tree.chains:
            if only in (None, chain.name):
                for rule in chain.rules:
                    one = chain.families if len(chain.families) == 1 else ()
                    yield from (rule.match._replace(family=family) for family in one or (rule.match.family,))


def _ways(tree: Device | Ruleset | Headers | Match) -> Iterator[tuple[str, str]]:
    """Ingress and egress of packets: by the interfaces with lists first, then by those without."""
    if isinstance(tree, Device):
        inward = [one.interface for one in tree.bindings if one.direction.value == "in"]
        outward = [one.interface for one in tree.bindings if one.direction.value == "out"]
        rest = [name for name in tree.interfaces if tree.bindings]
        yield from ((name, egress) for name in (*inward, *rest) for egress in (*outward, *rest) if name != egress)
        if len(rest) < 2:
            yield from ((name, "") for name in inward)
            yield from (("", name) for name in outward)
    elif isinstance(tree, Ruleset):
        rules = [rule.match for chain in tree.chains for rule in chain.rules]
        inward = [name for match in rules for name in _named(match.ingress)]
        outward = [name for match in rules for name in _named(match.egress)]
        yield from ((name, egress) for name in (*inward, "") for egress in (*outward, ""))


def _named(interfaces: InterfaceSet | None) -> Iterator[str]:
    """Names of the set; ``ppp*`` stands for ``ppp0`` among others."""
    for name in sorted(interfaces.names) if interfaces is not None else ():
        yield name[:-1] + "0" if name.endswith("*") else name


def _paths(tree: Device | Ruleset | Headers | Match) -> Iterator[Path]:
    """Forwarded packets first; to and from the router where a chain looks at those."""
    yield Path.FORWARD
    if isinstance(tree, Ruleset):
        yield from (_HOOKS[chain.hook] for chain in tree.chains if chain.hook in _HOOKS)
