"""What of ours stands in a kernel, or should: values that compare, and that a file can hold."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from compiler.balancing.linux_marks import PROTOCOL, TABLE_BASE, table_number
from compiler.balancing.plan import Plan
from compiler.balancing.wanted_routes import Leases, routes_for, rules_for
from compiler.fields import Family
from compiler.placed.addresses import show
from compiler.policy.network import Route, RoutingRule
from compiler.policy.stateful import MarkIn

__all__ = [
    "MAIN",
    "PROTOCOL",
    "TABLE",
    "Address",
    "Hop",
    "KernelRoute",
    "KernelRule",
    "State",
    "is_our_table",
    "wanted",
]

TABLE = "gerbang_balance"
MAIN = 254
_LAST_TABLE = table_number(0x3F)


def is_our_table(number: int) -> bool:
    """Whether a routing table is one of the plan's."""
    return TABLE_BASE <= number <= _LAST_TABLE


class Address(NamedTuple):
    """An address of an interface: ``192.0.2.2/30``."""

    interface: str
    text: str

    def __str__(self) -> str:
        return f"{self.text} dev {self.interface}"


class Hop(NamedTuple):
    """A way out. ``gateway`` is empty where the interface is enough."""

    gateway: str
    interface: str
    weight: int = 1

    def __str__(self) -> str:
        return f"via {self.gateway} dev {self.interface}" if self.gateway else f"dev {self.interface}"


class KernelRoute(NamedTuple):
    """A route of IPv4. ``kind`` is ``unicast`` or ``blackhole``; ``destination`` has its length always."""

    table: int
    destination: str
    metric: int
    kind: str
    hops: tuple[Hop, ...] = ()

    @property
    def key(self) -> tuple[int, str, int]:
        """What the kernel tells routes apart by (and the type of service, which ours do not have)."""
        return self.table, self.destination, self.metric

    @property
    def ways(self) -> str:
        """Where it leads, as ``ip`` says it."""
        if len(self.hops) == 1:
            return str(self.hops[0])
        return " ".join(f"nexthop {hop} weight {hop.weight}" for hop in self.hops) or self.kind

    def __str__(self) -> str:
        target = "default" if self.destination == "0.0.0.0/0" else self.destination
        return f"{target} {self.ways}" + (f" metric {self.metric}" if self.metric else "")


class KernelRule(NamedTuple):
    """A routing rule of IPv4. ``mark`` and ``mask`` are 0 where it has none; ``suppress`` is -1 where it does not.

    ``ingress`` is the interface that packets come in by, ``lo`` for the router's own; empty for any.
    """

    priority: int
    table: int
    mark: int = 0
    mask: int = 0
    suppress: int = -1
    ingress: str = ""

    def __str__(self) -> str:
        mark = f" iif {self.ingress}" if self.ingress else ""
        mark += f" fwmark 0x{self.mark:x}/0x{self.mask:x}" if self.mask else ""
        tail = f" suppress_prefixlength {self.suppress}" if self.suppress >= 0 else ""
        table = "main" if self.table == MAIN else str(self.table)
        return f"priority {self.priority}{mark} lookup {table}{tail}"


class State(NamedTuple):
    """All that a deploy looks after. ``rules`` of nft are a table in nft's own spelling, empty for none."""

    addresses: tuple[Address, ...] = ()
    routes: tuple[KernelRoute, ...] = ()
    rules: tuple[KernelRule, ...] = ()
    table: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return self._asdict()

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> State:
        """What :meth:`as_json` made, through a file. KeyError, TypeError or ValueError for other things."""
        return cls(
            tuple(Address(*one) for one in found["addresses"]),
            tuple(_route(one) for one in found["routes"]),
            tuple(KernelRule(*one) for one in found["rules"]),
            str(found["table"]),
            tuple((str(name), str(value)) for name, value in found["settings"]),
        )

    def text(self) -> str:
        """As a file holds it."""
        return json.dumps(self.as_json(), indent=1)


def _route(found: list[Any]) -> KernelRoute:
    table, destination, metric, kind, hops = found
    return KernelRoute(int(table), destination, int(metric), kind, tuple(Hop(*hop) for hop in hops))


def wanted(plan: Plan, alive: tuple[str, ...], leases: Leases, settings: tuple[tuple[str, str], ...]) -> State:
    """What a plan wants while those uplinks are used, but for the table of nft."""
    addresses = tuple(
        Address(one.interface, f"{show(one.address.family, one.address.address)}/{one.address.length}")
        for one in plan.balance.ends
        if one.address is not None
    )
    routes = tuple(kernel_route(route) for route in routes_for(plan, alive, leases))
    return State(addresses, routes, tuple(map(_rule, rules_for(plan))), "", settings)


def kernel_route(route: Route) -> KernelRoute:
    """A route of the plan as the kernel has it."""
    family, value, length = route.prefix
    weighs = len(route.next_hops) > 1
    hops = tuple(
        Hop("" if hop.address is None else show(Family.IPV4, hop.address), hop.interface, hop.weight if weighs else 1)
        for hop in route.next_hops
    )
    table = MAIN if route.table == "main" else int(route.table)
    return KernelRoute(table, f"{show(family, value)}/{length}", route.distance, route.kind.value, hops)


def _rule(rule: RoutingRule) -> KernelRule:
    mark, mask = 0, 0
    if isinstance(rule.mark, MarkIn):
        mark, mask = rule.mark.values.intervals[0][0], rule.mark.mask
    suppress = -1 if rule.suppress_prefix_length is None else rule.suppress_prefix_length
    return KernelRule(
        rule.priority, MAIN if rule.table == "main" else int(rule.table), mark, mask, suppress, rule.ingress
    )
