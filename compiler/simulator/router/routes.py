"""Where a packet goes: rules, tables, the longest prefix, and next hops that are alive.

Linux reads its rules by priority: ``local``, then the configured ones, then
``main``. RouterOS 7 looks at routing marks before it asks whether the packet
is its own, RouterOS 6 after; a routing mark stands for the table of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from compiler.fields import Family
from compiler.policy.network import (
    CheckGateway,
    Interface,
    Network,
    NextHop,
    Prefix,
    Route,
    RouteKind,
    RoutingRule,
    RuleAction,
)
from compiler.policy.stateful import AddressKind, MarkIn, MarkNamed
from compiler.simulator.router.multipath import upper_bounds
from compiler.simulator.router.route_table import RouteTable
from compiler.simulator.router.ways import FIRST, NO_ROUTE, Asked, Choice, SharedWays, Way

__all__ = ["NO_ROUTE", "Asked", "Choice", "Routes", "Way", "checked"]

_CONNECTED_SCOPE = 10
_OWN = "lo"
"""The interface that the router's own packets come in by, for rules (ip-rule(8), ``iif lo``)."""
_DEEPEST = 10
"""Gateways resolved through gateways."""


_KINDS = {
    RouteKind.BLACKHOLE: AddressKind.BLACKHOLE,
    RouteKind.UNREACHABLE: AddressKind.UNREACHABLE,
    RouteKind.PROHIBIT: AddressKind.PROHIBIT,
}


class Routes:
    """All tables of one router.

    ``works`` says whether an interface is up; ``answers`` whether a checked
    gateway on an interface does. Call ``changed`` when either may have changed.
    """

    def __init__(
        self,
        network: Network,
        works: Callable[[str], bool],
        answers: Callable[[CheckGateway, str, int], bool] = lambda check, interface, gateway: True,
    ) -> None:
        self._works = works
        self._answers = answers
        self._cache: dict[Asked, Way | SharedWays] = {}
        self._by_destination: dict[int, Way] = {}
        self.learn(network)

    def learn(self, network: Network) -> None:
        """Have the routes, rules and addresses of ``network`` from now on, and no others."""
        self._dialect = network.dialect
        self._marks_first = network.dialect == "routeros" and network.version != 6
        # RouterOS 6 uses one of several routes alike; sharing takes one route with several gateways.
        self._alone = network.dialect == "routeros" and network.version == 6
        self._interfaces = {interface.name: interface for interface in network.interfaces}
        self._tables: dict[tuple[str, Family], RouteTable] = {}
        self._names = {"main", *network.tables}
        self._local: dict[tuple[Family, int], str] = {}
        self._broadcast: dict[int, str] = {}
        for interface in network.interfaces:
            for route in self._connected(interface):
                self._add(route)
        for route in network.routes:
            if route.enabled:
                self._add(route)
        self._rules = tuple(sorted((rule for rule in network.rules if rule.enabled), key=lambda rule: rule.priority))
        self.has_multipath = self._shares(network.routes)
        """Whether the way of some packets depends on a :class:`Choice`."""
        self._plain = not self._rules and len({name for name, _ in self._tables}) == 1
        self.changed()

    def _connected(self, interface: Interface) -> Iterator[Route]:
        for family, address, length in interface.addresses:
            width = family.width
            self._local.setdefault((family, address), interface.name)
            value = address >> width - length << width - length
            if family is Family.IPV4 and length < 31:
                self._broadcast[value | (1 << width - length) - 1] = interface.name
                self._broadcast[value] = interface.name
            hop = NextHop(None, interface.name)
            yield Route(
                Prefix(family, value, length), (hop,), "main", 0, scope=_CONNECTED_SCOPE, preferred_source=address
            )

    @staticmethod
    def _shares(routes: tuple[Route, ...]) -> bool:
        seen: set[tuple[str, Prefix, int]] = set()
        for route in routes:
            key = route.table, route.prefix, route.distance
            if len(route.next_hops) > 1 or key in seen:
                return True
            seen.add(key)
        return False

    def _add(self, route: Route) -> None:
        self._names.add(route.table)
        self._tables.setdefault((route.table, route.prefix.family), RouteTable()).add(route)

    # -- the router's own addresses ---------------------------------------------------------

    def is_local(self, family: Family, address: int) -> bool:
        """Whether the address is the router's own."""
        return (family, address) in self._local

    def is_broadcast(self, destination: int) -> bool:
        """Whether it is the broadcast address of a connected IPv4 network, or 255.255.255.255."""
        return self.kind(Family.IPV4, destination) is AddressKind.BROADCAST

    def kind(self, family: Family, address: int) -> AddressKind:
        """What the address is to this router (``fib … type``)."""
        if (family, address) in self._local or (family is Family.IPV4 and address >> 24 == 127):
            return AddressKind.LOCAL
        if family is Family.IPV4:
            if address in self._broadcast or address == 0xFFFFFFFF:
                return AddressKind.BROADCAST
            if address >> 28 == 0xE:
                return AddressKind.MULTICAST
        elif address >> 120 == 0xFF:
            return AddressKind.MULTICAST
        way = self.find(Asked(family, 0, address))
        return way.kind if way.kind is not AddressKind.LOCAL else AddressKind.UNICAST

    # -- decisions ------------------------------------------------------------------------------

    def works(self, interface: str) -> bool:
        """Whether the interface is up."""
        return self._works(interface)

    def changed(self) -> None:
        """An interface or a gateway has come or gone: decide anew."""
        self._cache.clear()
        self._by_destination.clear()

    def found(self, family: Family, destination: int) -> Way | None:
        """The way that :meth:`find` has found before, where nothing but the destination counts; else None."""
        return self._by_destination.get(destination if family is Family.IPV4 else ~destination)

    def find(self, asked: Asked, choose: Callable[[], Choice] | None = None) -> Way:
        """The way of a packet. ``choose`` is called where several next hops share the traffic; None: the first."""
        if self._plain:
            asked = Asked(asked.family, 0, asked.destination)
        way = self._cache.get(asked)
        if way is None:
            if len(self._cache) > 1 << 16:
                self._cache.clear()
                self._by_destination.clear()
            way = self._cache[asked] = self._decide(asked)
        if isinstance(way, SharedWays):
            return way.chosen(choose() if choose is not None else FIRST)
        if self._plain and not self.has_multipath:
            self._by_destination[asked.destination if asked.family is Family.IPV4 else ~asked.destination] = way
        return way

    def ways(self, asked: Asked) -> tuple[Way, ...]:
        """All ways that a packet may go: several where next hops share the traffic."""
        way = self._decide(asked)
        return way.ways if isinstance(way, SharedWays) else (way,)

    def _decide(self, asked: Asked) -> Way | SharedWays:
        if not self._marks_first:
            own = self._own(asked)
            if own is not None:
                return own
        else:
            way = self._marked(asked)
            if way is not None:
                return way
            own = self._own(asked)
            if own is not None:
                return own
        for rule in self._rules:
            if not _applies(rule, asked):
                continue
            if rule.action not in (RuleAction.LOOKUP, RuleAction.LOOKUP_ONLY):
                return Way(AddressKind(rule.action.value), why=f"rule {rule.priority}")
            way = self._look(rule.table, asked, rule.suppress_prefix_length)
            if way is not None:
                return way
            if rule.action is RuleAction.LOOKUP_ONLY:
                return NO_ROUTE
        way = self._marked(asked) if not self._marks_first else None
        return way or self._look("main", asked) or NO_ROUTE

    def _marked(self, asked: Asked) -> Way | SharedWays | None:
        """The table that RouterOS's routing mark names; a mark without a table means nothing."""
        if asked.routing_mark and asked.routing_mark in self._names:
            return self._look(asked.routing_mark, asked)
        return None

    def _own(self, asked: Asked) -> Way | None:
        family, address = asked.family, asked.destination
        name = self._local.get((family, address))
        if name is not None:
            return Way(AddressKind.LOCAL, name, address, address, "its own address")
        if family is Family.IPV4 and address == 0xFFFFFFFF:
            return Way(AddressKind.BROADCAST, "", address, why="limited broadcast")
        if family is Family.IPV4 and address in self._broadcast and self._works(self._broadcast[address]):
            return Way(AddressKind.BROADCAST, self._broadcast[address], address, why="broadcast of a connected network")
        return None

    def _look(self, table: str, asked: Asked, suppressed: int | None = None) -> Way | SharedWays | None:
        found = self._tables.get((table, asked.family))
        if found is None:
            return None
        for routes in found.covering(asked.destination, asked.family.width):
            if suppressed is not None and routes[0].prefix.length <= suppressed:
                return None
            way = self._nearest(routes, asked)
            if way is not None:
                return way
        return None

    def _nearest(self, routes: list[Route], asked: Asked) -> Way | SharedWays | None:
        """The active routes of the lowest distance share the traffic."""
        index = 0
        while index < len(routes):
            distance = routes[index].distance
            ways: list[Way] = []
            weights: list[int] = []
            while index < len(routes) and routes[index].distance == distance:
                route = routes[index]
                index += 1
                if ways and self._alone:
                    continue
                if route.kind is not RouteKind.UNICAST:
                    return Way(_KINDS[route.kind], why=_named(route))
                for hop in route.next_hops:
                    resolved = self._resolve(route, hop, asked)
                    if resolved is not None:
                        ways.append(self._by(route, *resolved, asked.family))
                        weights.append(hop.weight)
            if len(ways) > 1:
                return SharedWays(tuple(upper_bounds(weights)), tuple(ways))
            if ways:
                return ways[0]
        return None

    def _by(self, route: Route, interface: str, neighbour: int, family: Family) -> Way:
        source = route.preferred_source
        if source is None:
            source = self.address_towards(interface, family, neighbour)
        return Way(AddressKind.UNICAST, interface, neighbour, source, _named(route), route.prefix.length == 0)

    def _resolve(self, route: Route, hop: NextHop, asked: Asked, depth: int = 0) -> tuple[str, int] | None:
        """The interface and neighbour of a next hop, or None while it does not work."""
        if hop.address is None:
            return (hop.interface, asked.destination) if self._works(hop.interface) else None
        found = self._neighbour(route, hop, depth)
        if found is None or not self._works(found[0]):
            return None
        if route.check_gateway is not CheckGateway.NONE and not self._answers(
            route.check_gateway, found[0], hop.address
        ):
            return None
        return found

    def _neighbour(self, route: Route, hop: NextHop, depth: int) -> tuple[str, int] | None:
        assert hop.address is not None
        if hop.interface:
            return hop.interface, hop.address
        family = route.prefix.family
        table = self._tables.get(("main", family))
        if table is None or depth > _DEEPEST:
            return None
        recursive = self._dialect not in ("linux", "nftables")
        for routes in table.covering(hop.address, family.width):
            for outer in routes:
                if outer is route or outer.kind is not RouteKind.UNICAST:
                    continue
                if outer.scope > (route.target_scope if self._dialect == "routeros" else 254):
                    continue
                for step in outer.next_hops:
                    if step.address is None:
                        if step.interface == "" or not self._works(step.interface):
                            continue
                        return step.interface, hop.address
                    if recursive:
                        found = self._resolve(outer, step, Asked(family, 0, step.address), depth + 1)
                        if found is not None:
                            return found
        return None

    def resolved(self, route: Route, hop: NextHop) -> tuple[str, int] | None:
        """Interface and neighbour of a next hop, whether or not it answers: for checks of gateways."""
        return self._neighbour(route, hop, 0) if hop.address is not None else None

    def address_towards(self, interface: str, family: Family, neighbour: int) -> int | None:
        """The interface's address on the neighbour's network, else its first (inet_select_addr)."""
        found = self._interfaces.get(interface)
        own = [one for one in (found.addresses if found else ()) if one.family is family]
        for _, address, length in own:
            if Prefix(family, address, length).contains(neighbour):
                return address
        if own:
            return own[0].address
        # Linux looks at the other interfaces when this one has none.
        for other in self._interfaces.values():
            for one in other.addresses:
                if one.family is family:
                    return one.address
        return None


def _applies(rule: RoutingRule, asked: Asked) -> bool:
    if rule.family is not asked.family or (rule.ingress and rule.ingress != (asked.ingress or _OWN)):
        return False
    if rule.source is not None and not rule.source.contains(asked.source):
        return False
    if rule.destination is not None and not rule.destination.contains(asked.destination):
        return False
    mark = rule.mark
    if isinstance(mark, MarkIn):
        return isinstance(asked.mark, int) and mark.values.contains(asked.mark & mark.mask)
    if isinstance(mark, MarkNamed):
        return (asked.routing_mark == mark.name) != mark.negated
    return True


def _named(route: Route) -> str:
    table = "" if route.table == "main" else f" of table {route.table}"
    origin = f" ({route.span})" if route.span.line else ""
    return f"route to {_written(route.prefix)}{table}{origin}"


def _written(prefix: Prefix) -> str:
    from netaddr import IPAddress

    return f"{IPAddress(prefix.value, 4 if prefix.family is Family.IPV4 else 6)}/{prefix.length}"


def checked(routes: Iterable[Route]) -> Iterator[tuple[Route, NextHop]]:
    """The next hops that want checking."""
    for route in routes:
        if route.enabled and route.check_gateway is not CheckGateway.NONE:
            for hop in route.next_hops:
                if hop.address is not None:
                    yield route, hop
