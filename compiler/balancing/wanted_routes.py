"""Which routes Linux shall hold while these uplinks live, main, hosts, then table by table.

One description for all who need it: the commands for ``ip``, the proof, the
deploy, the daemon that follows the lines' health, and the simulator.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from compiler.balancing.linux_marks import HOSTS_TABLE, MASK, OWN_PRIORITY, RULE_PRIORITY, mark_value, table_number
from compiler.balancing.plan import LineTable, Plan, port_of
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.balance import Addressing, Uplink
from compiler.policy.network import InterfaceAddress, NextHop, Prefix, Route, RouteKind, RoutingRule
from compiler.policy.stateful import MarkIn, Register

__all__ = ["LAST_METRIC", "NO_LEASES", "Lease", "Leases", "awaits_lease", "routes_for", "rules_for"]

LAST_METRIC = 1000
"""Of the blackhole that ends a strict table."""
_DEFAULT = Prefix(Family.IPV4, 0, 0)


class Lease(NamedTuple):
    """What DHCP or PPPoE gave an uplink; a part is None where it gave none (PPPoE needs no gateway)."""

    gateway: int | None = None
    address: InterfaceAddress | None = None


Leases = Mapping[str, Lease]
"""By the names of uplinks."""
NO_LEASES: Leases = MappingProxyType({})


def awaits_lease(uplink: Uplink, leases: Leases) -> bool:
    """Whether no route can be made by an uplink yet: its gateway is for DHCP to give, and has not come."""
    if uplink.addressing is not Addressing.DHCP:
        return False
    return leases.get(uplink.name, Lease()).gateway is None


def routes_for(plan: Plan, alive: Collection[str], leases: Leases = NO_LEASES) -> tuple[Route, ...]:
    """Every route of ours while the uplinks of those names carry traffic.

    - Hosts (probes, name servers of one uplink) stay by their own uplink, dead
      or alive: else a probe could not tell that the line is back. They have a
      table for the router's own packets: who asks them from inside goes by his class.
    - A dead uplink's defaults go. Next hops that share a default lose it, and the
      others keep their weights.
    - A strict table keeps its blackhole, alone if need be.
    - With nobody alive all count as alive: where nothing is known to work, what
      was planned is the best guess (the probed hosts themselves may be what is
      gone), and packets that are lost cost no more than packets refused.

    An uplink that still awaits its gateway from DHCP has no routes at all.
    """
    names = [uplink.name for uplink in plan.balance.uplinks]
    counted = frozenset(alive) & frozenset(names) or frozenset(names)
    hops = {uplink.name: _hop(uplink, leases) for uplink in plan.balance.uplinks if not awaits_lease(uplink, leases)}
    usable = {name: hop for name, hop in hops.items() if name in counted}
    hosts = (
        Route(Prefix(Family.IPV4, host.host, 32), (hops[host.uplink],), str(HOSTS_TABLE), 0)
        for host in plan.hosts
        if host.uplink in hops
    )
    main = (
        Route(_DEFAULT, (usable[name],), "main", metric) for metric, name in enumerate(plan.main, 1) if name in usable
    )
    tables = (route for table in plan.tables for route in _table(table, usable))
    return (*main, *hosts, *tables)


def _hop(uplink: Uplink, leases: Leases) -> NextHop:
    gateway = uplink.gateway
    if uplink.addressing is not Addressing.STATIC:
        gateway = leases.get(uplink.name, Lease()).gateway
    if uplink.addressing is Addressing.PPPOE:
        gateway = None  # a line with two ends: whatever goes in comes out at the ISP
    return NextHop(gateway, port_of(uplink))


def _table(table: LineTable, usable: Mapping[str, NextHop]) -> Iterator[Route]:
    name = str(table_number(table.number))
    if table.weights:
        weighed = zip(table.uplinks, table.weights, strict=True)
        hops = tuple(usable[one]._replace(weight=weight) for one, weight in weighed if one in usable)
        if hops:
            yield Route(_DEFAULT, hops, name, 0, span=table.span)
        return
    for metric, one in enumerate(table.uplinks, 1):
        if one in usable:
            yield Route(_DEFAULT, (usable[one],), name, metric, span=table.span)
    if table.strict:
        yield Route(_DEFAULT, (), name, LAST_METRIC, RouteKind.BLACKHOLE, span=table.span)


def rules_for(plan: Plan) -> tuple[RoutingRule, ...]:
    """The router's own way to single hosts, then routes more specific than a default, then the marks.

    A mark must not send the networks next door away.
    """
    own = RoutingRule(Family.IPV4, OWN_PRIORITY, str(HOSTS_TABLE), ingress="lo")
    first = RoutingRule(Family.IPV4, RULE_PRIORITY, "main", suppress_prefix_length=0)
    marked = (
        RoutingRule(
            Family.IPV4,
            RULE_PRIORITY + place,
            str(table_number(table.number)),
            mark=MarkIn(Register.PACKET, IntegerSet.values(mark_value(table.number)), MASK),
        )
        for place, table in enumerate(plan.tables, 1)
    )
    return (own, first, *marked) if plan.hosts else (first, *marked)
