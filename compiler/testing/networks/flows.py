"""Sets of packets on their way through a network: hop by hop, all at once, exactly.

At each router a set is cut by where it is routed to, and by what the lists of
the device let pass on that way. A set that comes to a router by a port where it
was before is in a loop.

Assumed of every router: it answers ARP for its own addresses only. Proxy ARP
(on by default in IOS) and answers for the global addresses of its translations
on the outside subnet are not followed, in the sets nor in the simulator: what
needs them counts as not answered.

The TTL is not lowered on the way: a device whose lists ask for it is beyond
this, like one with state or translation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from compiler.analysis.traffic.situations import Situation
from compiler.fields import Family
from compiler.policy.network import CheckGateway
from compiler.policy.packet import Path
from compiler.policy.stateful import AddressKind
from compiler.semantics.machine import Context, Stage
from compiler.simulator.router.routes import Routes
from compiler.symbolic.space import PacketSpace
from compiler.testing.networks.ground import BeyondSets, Ground, Lane, Share
from compiler.testing.networks.model import HostEnd, PortName, RouterEnd
from compiler.testing.networks.segments import Segments
from compiler.testing.recording import recorder

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Arrival", "BeyondSets", "End", "Flows", "Visit"]


class End(Enum):
    """Where the way of a set ends."""

    DELIVERED = "delivered"
    """At the host that has the address, or on the network outside that holds it."""
    TAKEN = "the router took it for itself"
    """At the router that has the address."""
    LINK = "such messages stay on their link"
    """ICMPv6 that counts only while no router has lowered its hop limit (RFC 4861, 7.1)."""
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


class _Router:
    """A router while some of the network is dead: which of its interfaces work, and so which routes."""

    def __init__(self, end: RouterEnd, ground: Ground, segments: Segments) -> None:
        self._end = end
        self._ground = ground
        self._segments = segments
        self._working = {one.name: self._works(one.name) for one in end.network.interfaces}
        self._routes = Routes(end.network, self._works, self._answers)
        checked = {
            (hop.address, self._routes.resolved(route, hop))
            for route in end.network.routes
            if route.check_gateway is not CheckGateway.NONE
            for hop in route.next_hops
            if hop.address is not None
        }
        answering = (self._answers(CheckGateway.PING, way[0], gateway) for gateway, way in sorted(checked) if way)
        self._state = (*self._working.values(), *answering)

    def shares(self, ingress: str) -> tuple[Share, ...]:
        """Where it sends what comes in there."""
        return self._ground.shares(self._end.name, self._routes, ingress, self._state)

    def _works(self, interface: str) -> bool:
        held = self._end.network.interface(interface)
        if held is None or not held.enabled:
            return False
        members = held.members or (interface,)
        return any(self._segments.works(PortName(self._end.name, member)) for member in members)

    def _answers(self, check: CheckGateway, interface: str, gateway: int) -> bool:
        port = PortName(self._end.name, interface)
        if self._segments.is_outside(port):
            return True
        return any(self._segments.owners(port, family, gateway) for family in Family)


class Flows:
    """Follows sets through one network, of whole packets or of later fragments, while the segments stay as they are."""

    def __init__(self, ground: Ground, segments: Segments, *, noninitial: bool = False) -> None:
        self.ground = ground
        self.segments = segments
        self.space: PacketSpace = ground.space
        self._family = ground.family
        self._noninitial = noninitial
        self._routers: dict[str, _Router] = {}

    # -- beginnings ----------------------------------------------------------------------------

    def from_hosts(self, regions: Mapping[str, BDDFunction]) -> Iterator[Arrival]:
        """What becomes of packets that hosts send, by name. Those that the same router hears go on together."""
        together: dict[tuple[PortName, ...], BDDFunction] = {}
        for name, region in regions.items():
            host = self.ground.hosts[name]
            port = PortName(name, host.port)
            if name in self.segments.dead:
                continue
            rest = region
            for one in host.addresses:
                if one.family is self._family:
                    near = self.ground.near(one)
                    yield from self._on_segment(rest & near, port, ())
                    rest = rest & ~near
            if not rest.satisfiable():
                continue
            gateway = self._gateway(host)
            if isinstance(gateway, str):
                yield Arrival(End.UNROUTED, rest, (), port, gateway)
                continue
            owners = tuple(self._owners(port, gateway))
            if owners and all(owner.node in self.ground.routers for owner in owners):
                together[owners] = together.get(owners, self.space.empty) | rest
            else:
                yield from self._handed(rest, port, gateway, ())
        for owners, region in together.items():
            for owner in owners:
                yield from self._at_router(region, owner, ())

    def into(self, port: PortName, region: BDDFunction) -> Iterator[Arrival]:
        """What becomes of packets that come to a router from the network beyond one of its ports."""
        if self.segments.works(port) and port.node not in self.segments.dead:
            yield from self._at_router(region, port, ())

    def _gateway(self, host: HostEnd) -> int | str:
        """Its address; or, in words, why it is of no use."""
        for family, value in host.gateways:
            if family is self._family:
                near = (one for one in host.addresses if one.family is family)
                shifts = ((one.address ^ value) >> family.width - one.length for one in near)
                return value if 0 in shifts else f"the gateway of {host.name} is on no network of its own"
        return f"{host.name} has no gateway"

    # -- hops ----------------------------------------------------------------------------------

    def _on_segment(self, region: BDDFunction, port: PortName, visits: tuple[Visit, ...]) -> Iterator[Arrival]:
        """Packets whose destination itself is on the segment of a port."""
        if not region.satisfiable():
            return
        for value in self.segments.residents(port, self._family):
            here = region & self.ground.to(value)
            if here.satisfiable():
                region = region & ~here
                yield from self._handed(here, port, value, visits)
        yield from self._unheard(region, port, visits, f"no node on the network of {port} has the address")

    def _handed(
        self, region: BDDFunction, port: PortName, neighbour: int, visits: tuple[Visit, ...]
    ) -> Iterator[Arrival]:
        """Packets that leave by a port for a neighbour on its segment."""
        owners = self._owners(port, neighbour)
        if not owners:
            yield from self._unheard(region, port, visits, f"nobody on the network of {port} answers for the next hop")
        for owner in owners:
            if owner.node in self.ground.hosts:
                yield from self._at_host(region, owner, visits)
            else:
                yield from self._at_router(region, owner, visits)

    def _owners(self, port: PortName, neighbour: int) -> list[PortName]:
        if not self.segments.works(port):
            return []
        return [one for one in self.segments.owners(port, self._family, neighbour) if one != port]

    def _unheard(self, region: BDDFunction, port: PortName, visits: tuple[Visit, ...], why: str) -> Iterator[Arrival]:
        """Nobody in the drawing answers; on a network outside it somebody is taken to."""
        if region.satisfiable():
            outside = self.segments.is_outside(port)
            yield Arrival(End.DELIVERED if outside else End.UNHEARD, region, visits, port, "" if outside else why)

    def _at_host(self, region: BDDFunction, port: PortName, visits: tuple[Visit, ...]) -> Iterator[Arrival]:
        host = self.ground.hosts[port.node]
        own = self.space.empty
        for one in host.addresses:
            if one.family is self._family:
                own = own | self.ground.to(one.address)
        if (region & own).satisfiable():
            yield Arrival(End.DELIVERED, region & own, visits, port)
        if (region & ~own).satisfiable():
            yield Arrival(End.REFUSED, region & ~own, visits, port, f"{port.node} does not route")

    def _at_router(self, region: BDDFunction, port: PortName, visits: tuple[Visit, ...]) -> Iterator[Arrival]:
        node, ingress = port
        if any((visit.node, visit.ingress) == port for visit in visits):
            yield Arrival(End.LOOPED, region, visits, port, f"{node} has had these packets before")
            return
        ended = (*visits, Visit(node, ingress))
        impossible = region & self.ground.impossible(node)
        if impossible.satisfiable():
            why = f"{node} forwards nothing from or to such an address (RFC 1812, 5.3.7)"
            yield Arrival(End.UNROUTED, impossible, ended, port, why)
            region = region & ~impossible
        for share in self._router(node).shares(ingress):
            here = region & share.region
            if not here.satisfiable():
                continue
            for lane in share.lanes:
                if lane.kind in (AddressKind.LOCAL, AddressKind.UNICAST):
                    yield from self._through(here, port, lane, visits)
                else:
                    yield Arrival(End.UNROUTED, here, ended, port, f"{node}: {lane.why or lane.kind.value}")

    def _through(self, region: BDDFunction, port: PortName, lane: Lane, visits: tuple[Visit, ...]) -> Iterator[Arrival]:
        """Through the lists of a router, and on."""
        node, ingress = port
        path = Path.INPUT if lane.kind is AddressKind.LOCAL else Path.FORWARD
        context = Context(self._family, path, ingress, lane.interface, self._noninitial)
        stages, permitted = self.ground.lists(node, context)
        self._tell(node, context, stages, region)
        here = (*visits, Visit(node, ingress, lane.interface, stages, context))
        stopped, passed = region & ~permitted, region & permitted
        if stopped.satisfiable():
            yield Arrival(End.DENIED, stopped, here, port)
        if not passed.satisfiable():
            return
        leaves = PortName(node, lane.interface)
        if lane.kind is AddressKind.LOCAL:
            yield Arrival(End.TAKEN, passed, here, port)
            return
        local = passed & self.ground.stays(stages, noninitial=self._noninitial)
        if local.satisfiable():
            yield Arrival(End.LINK, local, here, port, f"{node} lowers the hop limit, which must be 255")
            passed = passed & ~local
            if not passed.satisfiable():
                return
        if lane.next_hop is None:
            yield from self._on_segment(passed, leaves, here)
        else:
            yield from self._handed(passed, leaves, lane.next_hop, here)

    def _tell(self, node: str, context: Context, stages: tuple[Stage, ...], region: BDDFunction) -> None:
        watcher, tree = recorder(), self.ground.routers[node].tree
        if watcher is not None and tree is not None and stages:
            watcher.asked(tree, Situation(f"{context.ingress} to {context.egress}", context, stages), region)

    def _router(self, name: str) -> _Router:
        found = self._routers.get(name)
        if found is None:
            found = self._routers[name] = _Router(self.ground.routers[name], self.ground, self.segments)
        return found
