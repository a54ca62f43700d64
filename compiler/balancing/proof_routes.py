"""Routes, tables, rules, addresses and translations of the written text against the plan and the intent."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.balancing.finding import Finding
from compiler.balancing.linux_marks import HOSTS_TABLE
from compiler.balancing.plan import LineTable, Plan, port_of
from compiler.balancing.view import View
from compiler.fields import Family
from compiler.placed.addresses import show
from compiler.policy.balance import Addressing, Uplink
from compiler.policy.network import CheckGateway, NextHop, Route, RouteKind, RuleAction
from compiler.policy.stateful import MarkIn, Register
from compiler.source import NOWHERE

__all__ = ["RouteProof"]

_DEEPEST = 4


class RouteProof:
    """Goes through tables and routes. ``cases`` counts what was looked at."""

    def __init__(self, plan: Plan, view: View) -> None:
        self.plan = plan
        self.view = view
        self.cases = 0
        # Version 6 resolves through scopes up to target-scope, version 7 through lower ones (MikroTik, IP Routing).
        self._strict_scopes = int(view.network.version == 7)
        self._waiting = {one.interface for one in plan.balance.uplinks if one.addressing is Addressing.DHCP}

    def findings(self) -> Iterator[Finding]:
        """What is wrong with where packets go."""
        yield from self._addresses()
        yield from self._gateways()
        yield from self._hosts()
        for port, span in self.view.defaults_by_lease:
            yield Finding(f"the DHCP client of {port} adds a default that nobody planned", "", span)
        main = LineTable("main", 0, self.plan.main)
        for table in (main, *self.plan.tables):
            yield from self._table(table)
        if self.view.is_linux:
            yield from self._rules()
        elif self.view.network.rules:
            yield Finding("a routing rule that nobody planned", "", self.view.network.rules[0].span)

    def _addresses(self) -> Iterator[Finding]:
        network = self.view.network
        for one in self.plan.balance.ends:
            self.cases += 1
            found = network.interface(one.interface)
            if one.address is not None and (found is None or one.address not in found.addresses):
                yield Finding(f"{one.interface} has not the address of {one.name}", "", one.span)

    def _gateways(self) -> Iterator[Finding]:
        own = self.view.own_addresses()
        for route in self.view.network.routes:
            for hop in route.next_hops:
                self.cases += 1
                if hop.address in own:
                    text = show(Family.IPV4, hop.address or 0)
                    yield Finding(f"the gateway {text} is the router's own address", "", route.span)

    def _hosts(self) -> Iterator[Finding]:
        for host in self.plan.hosts:
            self.cases += 1
            port = port_of(self.plan.balance.uplink(host.uplink))
            found = (
                self._own_way(host.host) if self.view.is_linux else self._leads(NextHop(host.host), (), 0, exact=True)
            )
            if found != port:
                text = show(Family.IPV4, host.host)
                said = f"by {found}" if found else "nowhere by a route of its own"
                span = self.plan.balance.uplink(host.uplink).span
                yield Finding(f"{text} is reached {said}, not by {port} ({host.uplink})", f"icmp to {text}", span)

    def _own_way(self, host: int) -> str:
        """Linux: the port of the one route to a host in the table that the router's own packets look in."""
        ports = {
            hop.interface
            for route in self._routes()
            if route.table == str(HOSTS_TABLE) and route.prefix.length == 32 and route.prefix.contains(host)
            for hop in route.next_hops
        }
        return ports.pop() if len(ports) == 1 else ""

    # -- tables -----------------------------------------------------------------------------

    def _table(self, table: LineTable) -> Iterator[Finding]:
        self.cases += 1
        name = "main" if table.name == "main" else self.view.table(table)
        defaults = [route for route in self._routes() if route.table == name and route.prefix.length == 0]
        defaults.sort(key=lambda route: route.distance)
        others = [route for route in self._routes() if route.table == name and route.prefix.length]
        if table.name == "main" and not self.view.is_linux:
            hosts = {host.host for host in self.plan.hosts}
            others = [route for route in others if route.prefix.length != 32 or route.prefix.value not in hosts]
        if others:
            why = (
                f"table {table.name} has a route that is no default: from inside it comes before exceptions and classes"
            )
            yield Finding(why, "", others[0].span)
        if not defaults:
            yield Finding(f"table {table.name} has no default route", "", table.span)
            return
        if self.plan.balance.uplinks and table.strict:
            last = defaults.pop()
            if last.kind is not RouteKind.BLACKHOLE or (defaults and last.distance <= defaults[-1].distance):
                yield Finding(f"table {table.name} does not end in a blackhole", "", last.span)
        for route in defaults:
            yield from self._checked(table, route)
        if table.weights:
            yield from self._shares(table, defaults)
        else:
            yield from self._order(table, defaults)

    def _checked(self, table: LineTable, route: Route) -> Iterator[Finding]:
        if self.view.is_linux:
            return  # there the probes' daemon takes dead routes away
        for hop in route.next_hops:
            if hop.address is not None and route.check_gateway is CheckGateway.NONE:
                why = f"table {table.name}: nobody checks this gateway; a dead ISP behind a living modem goes unseen"
                yield Finding(why, "", route.span)
            elif hop.address is not None and route.check_gateway is not CheckGateway.PING:
                why = (
                    f"table {table.name}: this gateway is not asked by ping; ARP reaches no further than the next host"
                )
                yield Finding(why, "", route.span)

    def _order(self, table: LineTable, defaults: list[Route]) -> Iterator[Finding]:
        """One route for each uplink (on RouterOS for each of its probes), in the order of preference."""
        wanted: list[tuple[Uplink, int | None]] = []
        for name in table.uplinks:
            uplink = self.plan.balance.uplink(name)
            probes: tuple[int | None, ...] = uplink.probes if uplink.probes and not self.view.is_linux else (None,)
            wanted += [(uplink, probe) for probe in probes]
        if len({route.distance for route in defaults}) != len(defaults):
            yield Finding(
                f"table {table.name}: two defaults of one distance share what only one should carry",
                "",
                defaults[0].span,
            )
        for number, (uplink, probe) in enumerate(wanted):
            route = defaults[number] if number < len(defaults) else None
            if route is None:
                yield Finding(f"table {table.name} has no default by {uplink.name}", "", table.span)
                continue
            hops = route.next_hops
            found = self._leads(hops[0], (route,), 0, route=route) if len(hops) == 1 else ""
            if found != port_of(uplink):
                said = f"by {found}" if found else "nowhere"
                why = f"table {table.name}, choice {number + 1} leads {said}, not by {port_of(uplink)} ({uplink.name})"
                yield Finding(why, "", route.span)
            elif probe is not None and hops[0].address != probe:
                yield Finding(f"table {table.name}: {uplink.name} is not judged by its probe", "", route.span)
        if len(defaults) > len(wanted):
            yield Finding(f"table {table.name} has a default that nobody planned", "", defaults[len(wanted)].span)

    def _shares(self, table: LineTable, defaults: list[Route]) -> Iterator[Finding]:
        got: dict[str, int] = {}
        for route in defaults:
            if route.distance != defaults[0].distance:
                yield Finding(f"table {table.name}: a default of another distance shares nothing", "", route.span)
            for hop in route.next_hops:
                port = self._leads(hop, (route,), 0, route=route)
                got[port] = got.get(port, 0) + hop.weight
        wanted = {
            port_of(self.plan.balance.uplink(name)): weight
            for name, weight in zip(table.uplinks, table.weights, strict=True)
        }
        if got != wanted:
            yield Finding(f"table {table.name} shares {got}, not {wanted}", "", defaults[0].span)

    # -- where a gateway is -------------------------------------------------------------------

    def _routes(self) -> Iterator[Route]:
        """Routes as they are once every lease has come: one that waits takes the place of another of its metric."""
        routes = self.view.network.routes
        waiting = [
            route
            for route in routes
            if not route.enabled and any(hop.interface in self._waiting for hop in route.next_hops)
        ]
        places = {(route.prefix, route.table, route.distance) for route in waiting} if self.view.is_linux else set()
        for route in routes:
            if route.enabled and (route.prefix, route.table, route.distance) not in places:
                yield route
        yield from waiting

    def _leads(
        self, hop: NextHop, above: tuple[Route, ...], depth: int, *, exact: bool = False, route: Route | None = None
    ) -> str:
        """The interface that a next hop is behind, or ``""``. ``exact``: only by a route to that very host."""
        if hop.address is None or hop.interface:
            return hop.interface
        if depth > _DEEPEST:
            return ""
        best: tuple[int, int, str] | None = None
        for interface in () if exact else self.view.network.interfaces:
            for family, address, length in interface.addresses:
                if family is Family.IPV4 and (address ^ hop.address) >> 32 - length == 0:
                    best = max(best or (-1, 0, ""), (length, 1, interface.name))
        for one in self._routes():
            if one.table != "main" or one in above or not one.prefix.contains(hop.address):
                continue
            if exact and one.prefix.length != 32:
                continue
            if route is not None and one.scope > route.target_scope - self._strict_scopes:
                continue
            if best is None or one.prefix.length > best[0]:
                for step in one.next_hops[:1]:
                    best = (one.prefix.length, 0, self._leads(step, (*above, one), depth + 1, route=one))
        return best[2] if best else ""

    def _rules(self) -> Iterator[Finding]:
        """Linux: what is not a default comes first from main, then each mark looks in its own table, under our mask."""
        rules = sorted(self.view.network.rules, key=lambda rule: rule.priority)
        if self.plan.hosts:
            own = rules.pop(0) if rules else None
            if own is None or (own.ingress, own.table, own.mark) != ("lo", str(HOSTS_TABLE), None):
                why = "the router's own packets to single hosts do not come first (iif lo)"
                yield Finding(why, "", own.span if own else NOWHERE)
        for rule in rules:
            if rule.ingress:
                yield Finding(f"a rule for what comes in by {rule.ingress} that nobody planned", "", rule.span)
        if not rules or rules[0].mark is not None or rules[0].table != "main" or rules[0].suppress_prefix_length != 0:
            span = rules[0].span if rules else NOWHERE
            yield Finding("the networks next door do not come before the marks (suppress_prefixlength 0)", "", span)
        for table in self.plan.tables:
            self.cases += 1
            value = self.view.routing(table)
            hit = None
            for rule in rules:
                mark = rule.mark
                if not isinstance(mark, MarkIn) or not isinstance(value, int) or mark.register is not Register.PACKET:
                    continue
                if mark.values.contains(value & mark.mask):
                    hit = rule
                    break
            if hit is None or hit.table != self.view.table(table) or hit.action is not RuleAction.LOOKUP:
                said = f"looks in table {hit.table}" if hit else "looks in no table"
                yield Finding(f"the mark of {table.name} {said}", "", hit.span if hit else NOWHERE)
