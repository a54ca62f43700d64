"""What of a network no failure changes: its devices as sets, and the addresses that no route tells apart.

Destinations are cut into atoms: by every prefix that a route, an address or a
routing rule of any router names. The simulator's own routing decides for one
address of an atom, and so for all of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from compiler.addresses import AddressSet, Wildcard
from compiler.analysis.equivalence.equality import asks_ttl
from compiler.fields import ICMPV6, Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match
from compiler.policy.network import InterfaceAddress, Network, Prefix
from compiler.policy.stateful import AddressKind
from compiler.semantics.lower import machine
from compiler.semantics.machine import Context, Machine, Stage
from compiler.semantics.router import IMPLICIT_DISCOVERY
from compiler.simulator.router.routes import Asked, Routes, Way
from compiler.symbolic.evaluate import passing
from compiler.symbolic.space import PacketSpace, space
from compiler.testing.networks.model import NetworkModel, RouterEnd

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.policy.access_list import Device
    from compiler.policy.ruleset import Ruleset

__all__ = ["BeyondSets", "Ground", "Lane", "Share", "neighbour_discovery"]

_ON_LINK = None


class BeyondSets(Exception):
    """A device on the way does more than sets of packets can follow; the text says which and what."""


class Atom(NamedTuple):
    """Addresses that no prefix tells apart, and one of them."""

    address: int
    region: BDDFunction


class Lane(NamedTuple):
    """Where packets go from a router. ``next_hop`` None: each to its own destination, on the interface's network."""

    kind: AddressKind
    interface: str
    next_hop: int | None
    why: str


class Share(NamedTuple):
    """Packets that go alike, and their lanes: several share the traffic, and any packet may take any of them."""

    region: BDDFunction
    lanes: tuple[Lane, ...]


class Ground:
    """One network in one family. Shared by the :class:`~compiler.testing.networks.flows.Flows` of all failures."""

    def __init__(self, model: NetworkModel, family: Family) -> None:
        self.model = model
        self.family = family
        self.space: PacketSpace = space(family)
        self.hosts = {host.name: host for host in model.hosts}
        self.routers = {router.name: router for router in model.routers}
        self._destinations = tuple(_atoms(_boundaries(model, family), "destination", self.space))
        self._machines: dict[str, Machine | None] = {}
        self._permitted: dict[tuple[int, ...], tuple[tuple[Stage, ...], BDDFunction]] = {}
        self._shares: dict[tuple[object, ...], tuple[Share, ...]] = {}
        self._impossible: dict[str, BDDFunction] = {}
        self._to: dict[int, BDDFunction] = {}
        self._staying: dict[tuple[int, ...], BDDFunction] = {}
        self.discovery = neighbour_discovery(self.space)
        """What no router hands on so that it counts; empty in IPv4."""

    def to(self, address: int) -> BDDFunction:
        """Packets to one address."""
        found = self._to.get(address)
        if found is None:
            prefix = Prefix(self.family, address, self.family.width)
            found = self._to[address] = _in(prefix, "destination", self.space)
        return found

    def near(self, one: InterfaceAddress) -> BDDFunction:
        """Packets to the network of an interface."""
        value, length = _masked(one, self.family.width)
        return _in(Prefix(self.family, value, length), "destination", self.space)

    # -- filters -------------------------------------------------------------------------------

    def lists(self, node: str, context: Context) -> tuple[tuple[Stage, ...], BDDFunction]:
        """What a packet of the context goes through in a router, and the packets that come out. Raises BeyondSets."""
        device = self._machine(node)
        stages = device.stages(context) if device is not None else ()
        key = tuple(map(id, stages))
        found = self._permitted.get(key)
        if found is None:
            if any(asks_ttl(stage.steps) for stage in stages):
                raise BeyondSets(f"{node}: its lists ask for the TTL")
            permitted = self.space.possible
            for stage in stages:
                permitted = passing(stage, permitted, self.space)
            found = self._permitted[key] = (stages, permitted)  # the stages are kept, so that an id stays theirs
        return found

    def stays(self, stages: tuple[Stage, ...], *, noninitial: bool) -> BDDFunction:
        """What no router hands on so that it counts. Of later fragments: what only the implicit permits of discovery
        let pass, for no such message is ever fragmented (RFC 6980, 5).
        """
        if not noninitial or self.family is Family.IPV4:
            return self.discovery
        key = tuple(map(id, stages))
        found = self._staying.get(key)
        if found is None:
            allowed = self.space.possible
            for stage in stages:
                written = tuple(step for step in stage.steps if step.why != IMPLICIT_DISCOVERY)
                allowed = passing(stage._replace(steps=written), allowed, self.space)
            found = self._staying[key] = ~allowed
        return found

    def _machine(self, node: str) -> Machine | None:
        if node not in self._machines:
            end = self.routers[node]
            if end.tree is None and end.policy is not None:
                raise BeyondSets(f"{node}: {end.beyond}")
            self._machines[node] = _lowered(end.tree) if end.tree is not None else None
        return self._machines[node]

    # -- routes --------------------------------------------------------------------------------

    def impossible(self, node: str) -> BDDFunction:
        """Packets that a router neither forwards nor takes: see :mod:`compiler.simulator.router.plausible`."""
        found = self._impossible.get(node)
        if found is None:
            network = self.routers[node].network
            own = (one.address for port in network.interfaces for one in port.addresses if one.family is self.family)
            found = self._impossible[node] = _impossible(self.space, tuple(own))
        return found

    def shares(self, node: str, routes: Routes, ingress: str, working: tuple[object, ...]) -> tuple[Share, ...]:
        """All packets, cut by where a router sends them. ``working`` is all that failures change about its routes."""
        network = self.routers[node].network
        if any(rule.mark is not None for rule in network.rules) or network.route_maps:
            raise BeyondSets(f"{node}: it routes by marks or route maps")
        if not any(rule.ingress for rule in network.rules):
            ingress = ""
        key = (node, ingress, working)
        found = self._shares.get(key)
        if found is None:
            found = self._shares[key] = tuple(self._shared(network, routes, ingress))
        return found

    def _shared(self, network: Network, routes: Routes, ingress: str) -> Iterator[Share]:
        for source in _atoms(_rule_sources(network, self.family), "source", self.space):
            alike: dict[tuple[Lane, ...], BDDFunction] = {}
            for atom in self._destinations:
                ways = routes.ways(Asked(self.family, source.address, atom.address, ingress))
                lanes = tuple(dict.fromkeys(_lane(way, atom.address) for way in ways))
                alike[lanes] = alike.get(lanes, self.space.empty) | atom.region
            for lanes, region in alike.items():
                yield Share(region & source.region, lanes)


_LOWERED: dict[int, tuple[Device | Ruleset, Machine]] = {}
"""By identity of the tree, which is kept: the next question about a network meets the same stages again."""
_MOST_LOWERED = 256


def _lowered(tree: Device | Ruleset) -> Machine:
    held = _LOWERED.get(id(tree))
    if held is None:
        if len(_LOWERED) >= _MOST_LOWERED:
            _LOWERED.clear()
        held = _LOWERED[id(tree)] = (tree, machine(tree))
    return held[1]


def neighbour_discovery(family_space: PacketSpace) -> BDDFunction:
    """Solicitations, advertisements and redirects of routers and neighbours: dropped where they come with a hop limit
    below 255 (RFC 4861, 6.1.1, 6.1.2, 7.1.1, 7.1.2, 8.1).
    """
    if family_space.family is Family.IPV4:
        return family_space.empty
    messages = Match(protocol=IntegerSet.values(ICMPV6), icmp_type=IntegerSet.of(((133, 137),)), noninitial=False)
    return family_space.encode(messages)


def _lane(way: Way, destination: int) -> Lane:
    # Gateways are atoms of their own, so no other atom's address is its next hop by chance.
    hop = _ON_LINK if way.next_hop == destination else way.next_hop
    if way.kind is AddressKind.UNICAST:
        return Lane(way.kind, way.interface, hop, "")
    return Lane(way.kind, "", _ON_LINK, "" if way.kind is AddressKind.LOCAL else way.why)


def _impossible(family_space: PacketSpace, own: tuple[int, ...]) -> BDDFunction:
    """Sources and destinations by number; IPv4 also refuses what claims to come from the router itself."""
    family, width = family_space.family, family_space.family.width
    if family is Family.IPV4:
        sources = [(0, (1 << 24) - 1), (127 << 24, (128 << 24) - 1), (0xE0 << 24, (0xF0 << 24) - 1), (0xFFFFFFFF,) * 2]
        sources += [(one, one) for one in own]
        # Groups are heard, never forwarded.
        destinations = [(0, (1 << 24) - 1), (127 << 24, (128 << 24) - 1), (0xE0 << 24, (0xF0 << 24) - 1)]
    else:
        sources = destinations = [(1, 1), (0xFF << 120, (1 << 128) - 1)]
    found = family_space.encode(Match(source=AddressSet.of(width, ranges=sources)))
    return found | family_space.encode(Match(destination=AddressSet.of(width, ranges=destinations)))


# -- atoms -----------------------------------------------------------------------------------------


def _atoms(prefixes: Iterable[Prefix], field: str, family_space: PacketSpace) -> Iterator[Atom]:
    """The addresses of each prefix that no longer one has, where there are any."""
    ordered = sorted(set(prefixes), key=lambda one: (one.value, one.length))
    lows = [one.value for one in ordered]
    rest = family_space.full
    for prefix in sorted(ordered, key=lambda one: (-one.length, one.value)):
        here = _in(prefix, field, family_space)
        address = _free(prefix, ordered, lows)
        if address is not None:
            yield Atom(address, rest & here)
        rest = rest & ~here


def _free(prefix: Prefix, ordered: list[Prefix], lows: list[int]) -> int | None:
    """The first address of a prefix that is in no longer one."""
    address, end = prefix.value, _last(prefix)
    for other in ordered[bisect_left(lows, prefix.value) :]:
        if other.value > address or address > end:
            break
        if other.length > prefix.length:
            address = max(address, _last(other) + 1)
    return address if address <= end else None


def _last(prefix: Prefix) -> int:
    return int(prefix.value | (1 << prefix.family.width - prefix.length) - 1)


def _in(prefix: Prefix, field: str, family_space: PacketSpace) -> BDDFunction:
    addresses = AddressSet.wildcard(Wildcard.prefix(prefix.value, prefix.length, prefix.family.width))
    return family_space.field(field, addresses)


def _boundaries(model: NetworkModel, family: Family) -> Iterator[Prefix]:
    """Every prefix by which a route, an address or a rule of any router tells destinations apart."""
    width = family.width
    yield Prefix(family, 0, 0)
    if family is Family.IPV4:
        yield Prefix(family, 0xFFFFFFFF, 32)
    for addresses in model.addresses().values():
        for one in addresses:
            if one.family is family:
                yield Prefix(family, one.address, width)
                yield from _ends(one, width)
    for router in model.routers:
        yield from _named(router, family)


def _named(router: RouterEnd, family: Family) -> Iterator[Prefix]:
    for route in router.network.routes:
        if route.prefix.family is family:
            yield route.prefix
            for hop in route.next_hops:
                if hop.address is not None:
                    yield Prefix(family, hop.address, family.width)
    for rule in router.network.rules:
        if rule.family is family and rule.destination is not None:
            yield rule.destination


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


def _rule_sources(network: Network, family: Family) -> Iterator[Prefix]:
    yield Prefix(family, 0, 0)
    yield from (rule.source for rule in network.rules if rule.family is family and rule.source is not None)
