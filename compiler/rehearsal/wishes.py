"""What the intent wants of each connection of the workload, and whether it got that: exact, or within chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil, exp, floor, lgamma, log
from typing import NamedTuple

from compiler.balancing.intended import shares
from compiler.balancing.plan import Plan, port_of
from compiler.balancing.turns import bound
from compiler.fields import PORT_PROTOCOLS
from compiler.policy.balance import CLASSIFIER_FIELDS, Method, Selection, TrafficClass
from compiler.rehearsal.flows import Flow
from compiler.rehearsal.result import ClassPart, ClassShare
from compiler.simulator.router.connections import Tuple

__all__ = ["CHANCE", "Wish", "between", "class_shares", "wish_of"]

CHANCE = 1e-6
"""How likely a part is out of its bounds although all is well."""


class Wish(NamedTuple):
    """``uplink`` where there is no choice; ``traffic`` where its method deals. Neither: no mark."""

    name: str
    uplink: str = ""
    traffic: TrafficClass | None = None

    @property
    def is_marked(self) -> bool:
        """Whether the connection shall have a mark."""
        return bool(self.uplink) or self.traffic is not None


def wish_of(plan: Plan, wanted: Tuple) -> Wish:
    """The first that takes it decides: local, exceptions, name servers of one uplink, classes."""
    balance = plan.balance
    if any(one.contains(wanted.destination) for one in plan.local):
        return Wish("local")
    for number, one in enumerate(balance.exceptions, 1):
        if _takes(one.selection, wanted):
            return Wish(f"exception {number}", one.uplink)
    for uplink in balance.uplinks:
        if wanted.destination in uplink.name_servers:
            return Wish(f"name servers of {uplink.name}", uplink.name)
    for traffic in balance.classes:
        if not _takes(traffic.selection, wanted):
            continue
        if traffic.method is Method.ADDRESS_LIST:
            for name, members in traffic.members:
                if any(member.contains(wanted.source) for member in members):
                    return Wish(f"class {traffic.name}, {name}", name)
            return Wish(f"class {traffic.name}, others", traffic.otherwise)
        if traffic.method is Method.FAILOVER:
            return Wish(f"class {traffic.name}", traffic.uplinks[0])
        return Wish(f"class {traffic.name}", "", traffic)
    return Wish("no class")


def _takes(selection: Selection, wanted: Tuple) -> bool:
    if selection.sources and not any(one.contains(wanted.source) for one in selection.sources):
        return False
    if selection.destinations and not any(one.contains(wanted.destination) for one in selection.destinations):
        return False
    if selection.protocol is not None and wanted.protocol != selection.protocol:
        return False
    if selection.ports is None:
        return True
    return PORT_PROTOCOLS.contains(wanted.protocol) and selection.ports.contains(wanted.destination_port)


def class_shares(plan: Plan, flows: Iterable[Flow]) -> Iterator[ClassShare]:
    """Of each class and exception what went where. Connections that left by no uplink are not counted."""
    groups: dict[Wish, list[Flow]] = {}
    for flow in flows:
        if flow.uplinks:
            groups.setdefault(wish_of(plan, flow.wanted), []).append(flow)
    names = {port_of(uplink): uplink.name for uplink in plan.balance.uplinks}
    for wish in sorted(groups, key=lambda one: one.name):
        if wish.traffic is not None:
            yield _dealt(plan, wish, groups[wish], names)
        elif wish.uplink:
            total = len(groups[wish])
            count = sum(names[flow.first_uplink] == wish.uplink for flow in groups[wish])
            yield ClassShare(
                wish.name, "fixed", "connections", total, (ClassPart(wish.uplink, count, Fraction(1), total, total),)
            )


def _dealt(plan: Plan, wish: Wish, flows: list[Flow], names: dict[str, str]) -> ClassShare:
    traffic = wish.traffic
    assert traffic is not None
    keys: dict[object, list[str]] = {}
    for number, flow in enumerate(flows):
        keys.setdefault(_key(traffic, flow.wanted, number), []).append(names[flow.first_uplink])
    counts = dict.fromkeys(traffic.uplinks, 0)
    for ways in keys.values():
        counts[ways[0]] = counts.get(ways[0], 0) + 1
    total = len(keys)
    parts = []
    for name, part in shares(traffic, plan.balance).items():
        if traffic.method is Method.NTH:
            drift = bound(len(traffic.uplinks))
            low, high = max(ceil(total * part - drift), 0), floor(total * part + drift)
        else:
            low, high = between(total, part)
        parts.append(ClassPart(name, counts[name], part, low, high))
    wandering = sum(len(set(ways)) > 1 for ways in keys.values())
    units = {Method.NTH: "connections", Method.PCC: f"keys of {traffic.fields}", Method.ECMP: "pairs of addresses"}
    return ClassShare(wish.name, traffic.method.value, units[traffic.method], total, tuple(parts), wandering)


def _key(traffic: TrafficClass, wanted: Tuple, number: int) -> object:
    if traffic.method is Method.NTH:
        return number
    if traffic.method is Method.ECMP:
        return wanted.source, wanted.destination
    has_ports = PORT_PROTOCOLS.contains(wanted.protocol)
    fields = CLASSIFIER_FIELDS[traffic.fields]
    return has_ports, tuple(getattr(wanted, name) for name in fields if has_ports or not name.endswith("port"))


def between(total: int, part: Fraction) -> tuple[int, int]:
    """Between which counts a binomial one lies, but for a chance of :data:`CHANCE`."""
    if not total or part in (0, 1):
        return round(total * part), round(total * part)
    share = float(part)
    low, below = 0, _probability(total, share, 0)
    while below < CHANCE / 2:
        low += 1
        below += _probability(total, share, low)
    high, above = total, _probability(total, share, total)
    while above < CHANCE / 2:
        high -= 1
        above += _probability(total, share, high)
    return low, high


def _probability(total: int, share: float, count: int) -> float:
    ways = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    return exp(ways + count * log(share) + (total - count) * log(1 - share))
