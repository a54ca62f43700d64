"""The pipeline of a Cisco router.

Inside to outside: in-list, policy routing, routing, NAT, out-list. Outside to
inside: in-list, NAT, policy routing, routing, out-list. The router's own
packets skip out-lists (Cisco, "NAT Order of Operation", document 6209).
"""

from __future__ import annotations

from compiler.fields import Family
from compiler.policy.access_list import Binding, Device, Direction
from compiler.policy.network import DynamicTranslation, NatSide, Network, RouteMap, RouteMapEntry
from compiler.policy.packet import Path
from compiler.policy.stateful import AddressKind
from compiler.simulator.frame import Datagram
from compiler.simulator.router.cisco_lists import Lists
from compiler.simulator.router.cisco_nat import CiscoTranslation
from compiler.simulator.router.memory import Memory
from compiler.simulator.router.surroundings import Surroundings
from compiler.simulator.router.transit import Transit
from compiler.simulator.router.ways import Asked, Way

__all__ = ["CiscoPipeline"]


class CiscoPipeline:
    """Lists, policy routing and NAT of one device."""

    def __init__(self, device: Device | None, network: Network, memory: Memory, around: Surroundings) -> None:
        self._around = around
        self._routes = memory.routes
        self.lists = Lists(device or Device(network.source, ()), memory)
        self._bound: dict[tuple[str, Direction, Family], Binding] = {
            (one.interface, one.direction, one.family): one for one in (device.bindings if device else ())
        }
        self._maps = {route_map.name: route_map for route_map in network.route_maps}
        self._policies = {one.name: self._maps.get(one.policy) for one in network.interfaces if one.policy}
        self._sides = {one.name: one.nat for one in network.interfaces if one.nat is not None}
        self._nat = CiscoTranslation(network, memory.engine, self._permits) if self._sides else None

    def arrives(self, transit: Transit) -> bool:
        """The in-list, translation of what comes from outside, policy routing."""
        if not self._listed(transit, transit.ingress, Direction.IN):
            return False
        side = self._sides.get(transit.ingress)
        if side is not None and not self._whole(transit):
            return False
        if self._nat is not None and side is NatSide.OUTSIDE:
            self._nat.inwards(transit.datagram)
        policy = self._policies.get(transit.ingress)
        if policy is not None and not self._routes.is_local(transit.datagram.family, transit.datagram.destination):
            transit.way = self._policy_way(policy, transit)
        return True

    def delivers(self, transit: Transit) -> bool:
        """Nothing more is asked of packets to the router."""
        return True

    def passes(self, transit: Transit) -> bool:
        """Nothing is asked between routing and translation."""
        return True

    def originates(self, transit: Transit) -> bool:
        """Nothing is asked of the router's own packets."""
        return True

    def leaves(self, transit: Transit) -> bool:
        """Translation of what goes outside, the out-list."""
        if transit.path is Path.OUTPUT:
            return True
        inside_out = (
            self._sides.get(transit.ingress) is NatSide.INSIDE and self._sides.get(transit.egress) is NatSide.OUTSIDE
        )
        # Who is stopped by the out-list is told about the packet that it sent, not about its translation.
        sent = transit.datagram.copy() if inside_out else transit.datagram
        if self._nat is not None and inside_out and not self._nat.outwards(transit.datagram, transit.egress):
            self._around.journal.dropped(transit, "no global address is left")
            return False
        return self._listed(transit, transit.egress, Direction.OUT, sent)

    def interface_gone(self, name: str, *, carrier_only: bool) -> None:
        """Translations outlive their interface."""

    # -- lists -------------------------------------------------------------------------------------

    def _listed(self, transit: Transit, interface: str, direction: Direction, sent: Datagram | None = None) -> bool:
        datagram = transit.datagram
        binding = self._bound.get((interface, direction, datagram.family))
        if binding is None:
            return True
        said = self.lists.decide(binding.access_list, datagram)
        span = said.entry.span if said.entry is not None else binding.span
        self._around.journal.noted(
            transit, f"list {binding.access_list} {direction.value}", "permit" if said.permits else "deny", span
        )
        if said.permits:
            return True
        implicit = "" if said.entry is not None else ", implicit deny"
        self._around.journal.dropped(transit, f"list {binding.access_list} {direction.value}{implicit}", None, span)
        self._around.complaints.prohibited(transit, sent or datagram)
        return False

    def _whole(self, transit: Transit) -> bool:
        """Interfaces with NAT put fragments together (``ip virtual-reassembly``)."""
        if not transit.datagram.is_fragment:
            return True
        whole = self._around.reassembled(transit.datagram)
        if whole is None:
            return False
        transit.datagram = whole
        transit.largest_fragment = self._around.largest_fragment()
        return True

    def _permits(self, translation: DynamicTranslation, datagram: Datagram, egress: str) -> bool:
        if translation.access_list:
            family = datagram.family
            # A list that is not there lets nothing be translated, unlike one that is bound.
            return self.lists.exists(translation.access_list, family) and (
                self.lists.decide(translation.access_list, datagram).permits
            )
        route_map = self._maps.get(translation.route_map)
        return route_map is not None and self._first(route_map, datagram, egress) is not None

    # -- policy routing --------------------------------------------------------------------------------

    def _first(self, route_map: RouteMap, datagram: Datagram, egress: str = "") -> RouteMapEntry | None:
        """The permit entry that the packet falls to; None when a deny or nothing does."""
        for entry in route_map.entries:
            if entry.egress and egress not in entry.egress:
                continue
            if not entry.lists or any(self.lists.decide(name, datagram).permits for name in entry.lists):
                return entry if entry.permits else None
        return None

    def _policy_way(self, route_map: RouteMap, transit: Transit) -> Way | None:
        """Where policy routing sends the packet; None to leave it to the routing table."""
        datagram = transit.datagram
        entry = self._first(route_map, datagram)
        if entry is None:
            return None
        found = self._towards(entry.next_hops, entry.interfaces, datagram)
        if found is None and (entry.default_next_hops or entry.default_interfaces):
            normal = self._routes.find(Asked(datagram.family, datagram.source, datagram.destination, transit.ingress))
            if normal.kind is not AddressKind.UNICAST or normal.is_default:
                found = self._towards(entry.default_next_hops, entry.default_interfaces, datagram)
        if found is not None:
            self._around.journal.noted(transit, f"route-map {route_map.name}", found.why, entry.span)
        return found

    def _towards(self, next_hops: tuple[int, ...], interfaces: tuple[str, ...], datagram: Datagram) -> Way | None:
        family = datagram.family
        for hop in next_hops:
            way = self._routes.find(Asked(family, 0, hop))
            # A next hop must be a neighbour: on a connected network that is up.
            if way.kind is AddressKind.UNICAST and way.next_hop == hop:
                return way._replace(why="policy routing", is_default=False)
        for interface in interfaces:
            if self._routes.works(interface):
                return Way(AddressKind.UNICAST, interface, datagram.destination, None, "policy routing")
        return None
