"""What the router shall do, in no device's words: marks, tables, rules in order.

A new connection from inside meets, in order: local destinations (never
marked), the exceptions, the name servers of single uplinks, and its class.

- Nth deals by descending counts behind a guard: of N slots the first rule takes
  every N-th unmarked connection, the next every (N-1)-th of what is left, the
  last all. Each rule counts only packets that reach it, so this is the cycle of
  :mod:`compiler.balancing.turns`, slot after slot, and a repeated SYN, whose
  connection is marked already, counts nowhere.
- PCC gives one remainder to each slot of the same cycle.
- ECMP and failover look up a table of their own for the first packet; the
  connection then gets the mark of the uplink that the packet leaves by.

The last holds for all: a connection that begins while its uplink is dead leaves
by another one, and (with gentle failback) gets that one's mark, for it has its
address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from compiler.balancing.checks import network_of
from compiler.balancing.turns import cycle
from compiler.fields import Family
from compiler.policy.balance import Addressing, Balance, Method, Selection, TrafficClass, Uplink
from compiler.policy.network import Prefix
from compiler.source import NOWHERE, Span

__all__ = [
    "GROUPS",
    "EveryNth",
    "HostRoute",
    "LineMark",
    "LineTable",
    "MarkingRule",
    "Plan",
    "Remainder",
    "make_plan",
    "port_of",
]


GROUPS = Prefix(Family.IPV4, 0xE0000000, 3)
"""Multicast, and broadcast: RouterOS 7 looks at marks first and would send a marked broadcast out to an ISP."""


class EveryNth(NamedTuple):
    """The first of every ``every`` packets that come to this rule."""

    every: int


class Remainder(NamedTuple):
    """The hash of ``fields`` (a key of CLASSIFIER_FIELDS) by ``modulus`` is ``value``."""

    fields: str
    modulus: int
    value: int


class LineMark(NamedTuple):
    """A connection's mark: it belongs to ``uplink``, and its packets look in ``table``."""

    name: str
    number: int
    uplink: str
    table: str


class LineTable(NamedTuple):
    """Default routes by ``uplinks`` in this order; ``weights`` where they share the traffic (ECMP).

    ``strict``: what the first cannot carry is dropped.
    """

    name: str
    number: int
    uplinks: tuple[str, ...]
    weights: tuple[int, ...] = ()
    strict: bool = False
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class MarkingRule:
    """One decision about new connections from inside. One of ``mark`` and ``table`` is named, or none: never marked."""

    key: str
    """Names the rule in comments; unique."""
    selection: Selection
    draw: EveryNth | Remainder | None = None
    mark: str = ""
    table: str = ""
    span: Span = NOWHERE
    group: str = ""
    """Rules of one group have the same selection, and share its address lists."""


class HostRoute(NamedTuple):
    """A host that is reached by one uplink: a probe or its name server."""

    host: int
    uplink: str
    is_probe: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan. ``marks`` begin with one for each uplink, in their order."""

    balance: Balance
    marks: tuple[LineMark, ...]
    tables: tuple[LineTable, ...]
    rules: tuple[MarkingRule, ...]
    hosts: tuple[HostRoute, ...]
    local: tuple[Prefix, ...]
    """Networks that are reached without an uplink."""
    main: tuple[str, ...]
    """Uplinks in the order of the main table."""

    def mark_of(self, uplink: str) -> LineMark:
        """The mark of connections that an uplink carries."""
        return next(mark for mark in self.marks if mark.uplink == uplink)

    def table(self, name: str) -> LineTable:
        """The table of that name."""
        return next(table for table in self.tables if table.name == name)


def port_of(uplink: Uplink) -> str:
    """The interface that packets leave by: PPPoE makes one of its own."""
    return f"pppoe{uplink.number}" if uplink.addressing is Addressing.PPPOE else uplink.interface


def make_plan(balance: Balance) -> Plan:
    """The plan of an intent that :func:`~compiler.balancing.reading.read_balance` let pass."""
    names = tuple(uplink.name for uplink in balance.uplinks)
    strict = {one.uplink for one in balance.exceptions if one.uplink and one.strict}
    marks, tables = [], []
    for uplink in balance.uplinks:
        name = f"via-{uplink.name}"
        others = tuple(other for other in names if other != uplink.name)
        tables.append(LineTable(name, uplink.number, (uplink.name, *others), span=uplink.span))
        marks.append(LineMark(name, uplink.number, uplink.name, name))
    for uplink in balance.uplinks:
        if uplink.name in strict:
            name, number = f"only-{uplink.name}", 16 + uplink.number
            tables.append(LineTable(name, number, (uplink.name,), strict=True, span=uplink.span))
            marks.append(LineMark(name, number, uplink.name, name))
    number = 32
    for one in balance.classes:
        if one.method in (Method.ECMP, Method.FAILOVER):
            weights = _weights(balance, one) if one.method is Method.ECMP else ()
            tables.append(LineTable(f"class-{one.name}", number, one.uplinks, weights, span=one.span))
            number += 1
    own = tuple(network.prefix for network in balance.networks)
    outer = tuple(network_of(uplink.address) for uplink in balance.uplinks if uplink.address is not None)
    return Plan(
        balance,
        tuple(marks),
        tuple(tables),
        _rules(balance),
        _hosts(balance),
        (*own, *balance.inside, *outer, GROUPS),
        names,
    )


def _weights(balance: Balance, one: TrafficClass) -> tuple[int, ...]:
    chosen = [balance.uplink(name).weight for name in one.uplinks]
    turns = cycle(chosen)
    return tuple(turns.count(index) for index in range(len(chosen)))


def _hosts(balance: Balance) -> tuple[HostRoute, ...]:
    found: dict[int, HostRoute] = {}
    for uplink in balance.uplinks:
        for host in (*uplink.probes, *uplink.name_servers):
            found.setdefault(host, HostRoute(host, uplink.name, host in uplink.probes))
    return tuple(found.values())


def _rules(balance: Balance) -> tuple[MarkingRule, ...]:
    rules = []
    for number, one in enumerate(balance.exceptions, 1):
        mark = f"{'only' if one.strict else 'via'}-{one.uplink}" if one.uplink else ""
        rules.append(MarkingRule(f"exception-{number}", one.selection, None, mark, "", one.span))
    for uplink in balance.uplinks:
        if uplink.name_servers:
            servers = tuple(Prefix(balance.networks[0].address.family, host, 32) for host in uplink.name_servers)
            key = f"dns-{uplink.name}"
            selection = Selection(destinations=servers)
            rules.append(MarkingRule(key, selection, None, f"via-{uplink.name}", "", uplink.span))
    for traffic in balance.classes:
        rules += _class_rules(balance, traffic)
    return tuple(rules)


def _class_rules(balance: Balance, one: TrafficClass) -> list[MarkingRule]:
    key, selection, span = f"class-{one.name}", one.selection, one.span
    if one.method in (Method.ECMP, Method.FAILOVER):
        return [MarkingRule(key, selection, None, "", key, span)]
    if one.method is Method.ADDRESS_LIST:
        return _listed(one)
    turns = cycle([balance.uplink(name).weight for name in one.uplinks])
    count = len(turns)
    rules = []
    for slot, turn in enumerate(turns):
        draw: EveryNth | Remainder | None = EveryNth(count - slot) if slot < count - 1 else None
        if one.method is Method.PCC and count > 1:
            draw = Remainder(one.fields, count, slot)
        rules.append(MarkingRule(f"{key}-{slot + 1}", selection, draw, f"via-{one.uplinks[turn]}", "", span, key))
    return rules


def _listed(one: TrafficClass) -> list[MarkingRule]:
    """Members narrow the class's sources: a member that the class does not take never comes here."""
    key, selection, span = f"class-{one.name}", one.selection, one.span
    rules = []
    for name, members in one.members:
        sources = tuple(_common(members, selection.sources)) if selection.sources else members
        if sources:
            narrowed = Selection(sources, selection.destinations, selection.protocol, selection.ports)
            rules.append(MarkingRule(f"{key}-{name}", narrowed, None, f"via-{name}", "", span))
    rules.append(MarkingRule(f"{key}-other", selection, None, f"via-{one.otherwise}", "", span))
    return rules


def _common(left: tuple[Prefix, ...], right: tuple[Prefix, ...]) -> list[Prefix]:
    """Of two prefixes the longer, where one lies in the other."""
    found: dict[Prefix, None] = {}
    for one in left:
        for other in right:
            if other.length <= one.length and other.contains(one.value):
                found[one] = None
            elif one.contains(other.value):
                found[other] = None
    return list(found)
