"""Sets of packets on their way through a network: hop by hop, all at once, exactly.

At each router a set is cut by where it is routed to (the addresses that no
route tells apart go together, and the simulator's own routing decides for each
of them), and by what the lists of the device let pass on that way. A set that
comes to a router by a port where it was before is in a loop.

The TTL is not lowered on the way: a device whose lists ask for it is beyond
this, like one with state or translation.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from compiler.addresses import AddressSet, Wildcard
from compiler.analysis.equivalence.equality import asks_ttl
from compiler.fields import Family
from compiler.policy.match import Match
from compiler.policy.network import CheckGateway, InterfaceAddress, Network, Prefix
from compiler.policy.packet import Path
from compiler.policy.stateful import AddressKind
from compiler.semantics.lower import machine
from compiler.semantics.machine import Context, Machine, Stage
from compiler.simulator.router.routes import Asked, Routes, Way
from compiler.symbolic.evaluate import passing
from compiler.symbolic.space import PacketSpace, space
from compiler.testing.networks.model import HostEnd, NetworkModel, PortName, RouterEnd
from compiler.testing.networks.segments import Segments

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Arrival", "BeyondSets", "End", "Flows", "Visit"]


_MARTIANS = {
    Family.IPV4: AddressSet.of(
        32, ranges=[(0, (1 << 24) - 1), (127 << 24, (128 << 24) - 1), (224 << 24, (1 << 32) - 1)]
    ),
    Family.IPV6: AddressSet.of(128, ranges=[(0, 1), (0xFF << 120, (1 << 128) - 1)]),
}
"""Destinations that are never routed: this network, loopback, groups."""


class BeyondSets(Exception):
    """A device on the way does more than sets of packets can follow; the text says which and what."""


class End(Enum):
    """Where the way of a set ends."""

    DELIVERED = "delivered"
    """At the host or router that has the address, or on the network outside that holds it."""
    DENIED = "denied"
    UNROUTED = "no route"
    UNHEARD = "nobody has that address there"
    REFUSED = "not the address of the host that got it"
    LOOPED = "in a loop"


class Visit(NamedTuple):
    """One router on the way, with what the set went through there. ``egress`` is empty where the way ends."""

    node: str
    ingress: str
    egress: str = ""
    stages: tuple[Stage, ...] = ()
    context: Context | None = None


class Arrival(NamedTuple):
    """A set of packets, its end, and its way. ``port`` is where it arrived, or was last."""

    end: End
    region: BDDFunction
    visits: tuple[Visit, ...]
    port: PortName
    why: str = ""


class _Device:
    """A router: its machine and its routing, while some of the network is dead."""

    def __init__(self, end: RouterEnd, lists: Machine | None, segments: Segments) -> None:
        self.end = end
        self.machine = lists
        self._segments = segments
        self.routes = Routes(end.network, self._works, self._answers)
        self._atoms: dict[Family, list[tuple[Prefix, tuple[Prefix, ...]]]] = {}

    def _works(self, interface: str) -> bool:
        held = self.end.network.interface(interface)
        if held is not None and not held.enabled:
            return False
        members = held.members if held is not None and held.members else (interface,)
        return any(self._segments.works(PortName(self.end.name, member)) for member in members)

    def _answers(self, check: CheckGateway, interface: str, gateway: int) -> bool:
        port = PortName(self.end.name, interface)
        if self._segments.is_outside(port):
            return True
        return any(self._segments.owners(port, family, gateway) for family in Family)


class Flows:
    """Follows sets through one network. ``dead`` are names of nodes and cables that do not work."""

    def __init__(
        self, model: NetworkModel, family: Family, dead: frozenset[str] = frozenset(), *, noninitial: bool = False
    ) -> None:
        self.model = model
        self.space: PacketSpace = space(family)
        self._family = family
        self._noninitial = noninitial
        self._dead = dead
        self._segments = Segments(model, dead)
        self._hosts = {host.name: host for host in model.hosts}
        self._ends = {router.name: router for router in model.routers}
        self._devices: dict[str, _Device] = {}
        self._cuts = _boundaries(model, family)
        self._martians = self.space.encode(Match(destination=_MARTIANS[family]))

    # -- beginnings ----------------------------------------------------------------------------

    def from_host(self, name: str, region: BDDFunction) -> Iterator[Arrival]:
        """What becomes of packets that a host sends."""
        host = self._hosts[name]
        port = PortName(name, host.port)
        if name in self._dead:
            return
        own = [one for one in host.addresses if one.family is self._family]
        rest = region
        for one in own:
            near = self._to(Prefix(self._family, *_masked(one, self._family.width)))
            yield from self._on_segment(rest & near, port, ())
            rest = rest & ~near
        gateway = next((value for family, value in host.gateways if family is self._family), None)
        if gateway is None:
            if rest.satisfiable():
                yield Arrival(End.UNROUTED, rest, (), port, f"{name} has no gateway")
            return
        yield from self._handed(rest, port, gateway, ())

    def into(self, port: PortName, region: BDDFunction) -> Iterator[Arrival]:
        """What becomes of packets that come to a router from the network beyond one of its ports."""
        yield from self._at_router(region, port, ())

    # -- hops ----------------------------------------------------------------------------------

    def _on_segment(self, region: BDDFunction, port: PortName, visits: tuple[Visit, ...]) -> Iterator[Arrival]:
        """Packets whose destination itself is on the segment of a port."""
        for value in self._known(region):
            here = region & self._to(Prefix(self._family, value, self._family.width))
            if here.satisfiable():
                region = region & ~here
                yield from self._handed(here, port, value, visits)
        if region.satisfiable():
            outside = self._segments.is_outside(port)
            why = "" if outside else f"no node on the network of {port} has the address"
            yield Arrival(End.DELIVERED if outside else End.UNHEARD, region, visits, port, why)

    def _handed(
        self, region: BDDFunction, port: PortName, neighbour: int, visits: tuple[Visit, ...]
    ) -> Iterator[Arrival]:
        """Packets that leave by a port for a neighbour on its segment."""
        if not region.satisfiable():
            return
        owners = [one for one in self._segments.owners(port, self._family, neighbour) if one != port]
        if not owners or not self._segments.works(port):
            outside = self._segments.is_outside(port)
            why = "" if outside else f"nobody on the network of {port} answers for the next hop"
            yield Arrival(End.DELIVERED if outside else End.UNHEARD, region, visits, port, why)
            return
        for owner in owners:
            if owner.node in self._hosts:
                yield from self._at_host(region, owner, visits)
            else:
                yield from self._at_router(region, owner, visits)

    def _at_host(self, region: BDDFunction, port: PortName, visits: tuple[Visit, ...]) -> Iterator[Arrival]:
        host: HostEnd = self._hosts[port.node]
        own = self.space.empty
        for one in host.addresses:
            if one.family is self._family:
                own = own | self._to(Prefix(self._family, one.address, self._family.width))
        if (region & own).satisfiable():
            yield Arrival(End.DELIVERED, region & own, visits, port)
        if (region & ~own).satisfiable():
            yield Arrival(End.REFUSED, region & ~own, visits, port, f"{port.node} does not route")

    def _at_router(self, region: BDDFunction, port: PortName, visits: tuple[Visit, ...]) -> Iterator[Arrival]:
        if any((visit.node, visit.ingress) == port for visit in visits):
            yield Arrival(End.LOOPED, region, visits, port, f"{port.node} has had these packets before")
            return
        martians = region & self._martians
        if martians.satisfiable():
            here = (*visits, Visit(port.node, port.port))
            yield Arrival(End.UNROUTED, martians, here, port, "no router forwards to such an address (RFC 1812, 5.3.7)")
            region = region & ~martians
        device = self._device(port.node)
        for part, destination, ways in self._routed(device, region, port):
            for way in ways:
                context = Context(self._family, Path.FORWARD, port.port, way.interface, self._noninitial)
                if way.kind is AddressKind.LOCAL:
                    context = Context(self._family, Path.INPUT, port.port, "", self._noninitial)
                elif way.kind is not AddressKind.UNICAST:
                    here = (*visits, Visit(port.node, port.port))
                    yield Arrival(End.UNROUTED, part, here, port, f"{port.node}: {way.why or way.kind.value}")
                    continue
                passed, here = yield from self._filtered(device, part, port, context, visits)
                if not passed.satisfiable():
                    continue
                leaves = PortName(port.node, way.interface)
                if way.kind is AddressKind.LOCAL:
                    yield Arrival(End.DELIVERED, passed, here, port)
                elif way.next_hop == destination:  # on the router's own network: each to itself
                    yield from self._on_segment(passed, leaves, here)
                else:
                    yield from self._handed(passed, leaves, way.next_hop, here)

    def _filtered(
        self, device: _Device, region: BDDFunction, port: PortName, context: Context, visits: tuple[Visit, ...]
    ) -> Generator[Arrival, None, tuple[BDDFunction, tuple[Visit, ...]]]:
        """What the lists of the device let pass; what they stop arrives here."""
        stages = device.machine.stages(context) if device.machine is not None else ()
        if any(asks_ttl(stage.steps) for stage in stages):
            raise BeyondSets(f"{port.node}: its lists ask for the TTL")
        passed = region
        for stage in stages:
            passed = passing(stage, passed, self.space)
        here = (*visits, Visit(port.node, port.port, context.egress, stages, context))
        stopped = region & ~passed
        if stopped.satisfiable():
            yield Arrival(End.DENIED, stopped, here, port)
        return passed, here

    # -- routing -------------------------------------------------------------------------------

    def _device(self, name: str) -> _Device:
        found = self._devices.get(name)
        if found is None:
            end = self._ends[name]
            if end.tree is None and end.policy is not None:
                raise BeyondSets(f"{name}: {end.beyond}")
            if any(rule.mark is not None for rule in end.network.rules) or end.network.route_maps:
                raise BeyondSets(f"{name}: it routes by marks or route maps")
            lists = machine(end.tree) if end.tree is not None else None
            found = self._devices[name] = _Device(end, lists, self._segments)
        return found

    def _routed(
        self, device: _Device, region: BDDFunction, port: PortName
    ) -> Iterator[tuple[BDDFunction, int, tuple[Way, ...]]]:
        """The set, cut by where it goes: each part with an address of it, and its ways (several share the traffic)."""
        sources = _rule_sources(device.end.network, self._family)
        for source, source_set in self._cut(region, sources, "source"):
            for destination, part in self._cut(source_set, self._cuts, "destination"):
                asked = Asked(self._family, source, destination, port.port)
                yield part, destination, tuple(dict.fromkeys(device.routes.ways(asked)))

    def _cut(self, region: BDDFunction, prefixes: tuple[Prefix, ...], field: str) -> Iterator[tuple[int, BDDFunction]]:
        """Parts that no prefix tells apart, each with an address of it: the longest prefixes first."""
        rest = region
        for prefix in prefixes:
            if not rest.satisfiable():
                return
            here = rest & self._in(prefix, field)
            if here.satisfiable():
                rest = rest & ~here
                yield self._address_in(here, field), here

    def _address_in(self, region: BDDFunction, field: str) -> int:
        from compiler.symbolic.witness import shortest_packet

        packet = shortest_packet(region, self.space, Context(self._family, Path.FORWARD, "", "", self._noninitial))
        return packet.source if field == "source" else packet.destination

    def _known(self, region: BDDFunction) -> Iterator[int]:
        """Addresses of the network that the set has packets for."""
        for prefix in self._cuts:
            if prefix.length < self._family.width:
                return  # the longest come first
            if (region & self._in(prefix, "destination")).satisfiable():
                yield prefix.value

    def _to(self, prefix: Prefix) -> BDDFunction:
        return self._in(prefix, "destination")

    def _in(self, prefix: Prefix, field: str) -> BDDFunction:
        addresses = AddressSet.wildcard(Wildcard.prefix(prefix.value, prefix.length, self._family.width))
        return self.space.encode(Match(source=addresses) if field == "source" else Match(destination=addresses))


def _boundaries(model: NetworkModel, family: Family) -> tuple[Prefix, ...]:
    """Every prefix by which a route, an address or a rule of any router tells destinations apart; longest first."""
    width = family.width
    found = {Prefix(family, 0, 0)}
    if family is Family.IPV4:
        found |= {Prefix(family, 0xFFFFFFFF, 32), Prefix(family, 0xE0000000, 4), Prefix(family, 127 << 24, 8)}
    else:
        found.add(Prefix(family, 0xFF << 120, 8))
    for addresses in model.addresses().values():
        for one in addresses:
            if one.family is family:
                found.add(Prefix(family, one.address, width))
                found |= set(_ends(one, width))
    for router in model.routers:
        for route in router.network.routes:
            if route.prefix.family is family:
                found.add(route.prefix)
        for rule in router.network.rules:
            if rule.family is family and rule.destination is not None:
                found.add(rule.destination)
    return tuple(sorted(found, key=lambda one: (-one.length, one.value)))


def _ends(one: InterfaceAddress, width: int) -> Iterator[Prefix]:
    """The network of an address, and its two ends, which are broadcasts."""
    value, length = _masked(one, width)
    yield Prefix(one.family, value, length)
    if one.family is Family.IPV4 and length < 31:
        yield Prefix(one.family, value, width)
        yield Prefix(one.family, value | (1 << width - length) - 1, width)


def _masked(one: InterfaceAddress, width: int) -> tuple[int, int]:
    shift = width - one.length
    return one.address >> shift << shift, one.length


def _rule_sources(network: Network, family: Family) -> tuple[Prefix, ...]:
    found = {Prefix(family, 0, 0)}
    found |= {rule.source for rule in network.rules if rule.family is family and rule.source is not None}
    return tuple(sorted(found, key=lambda one: (-one.length, one.value)))
