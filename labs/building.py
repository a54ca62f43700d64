"""From a lab to a network of simulated nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.network import Interface, InterfaceAddress
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.hosts.host import Host
from compiler.simulator.link import Link as SimulatedLink
from compiler.simulator.link import Wire
from compiler.simulator.node import Port, link_address
from compiler.simulator.router.device import Router
from compiler.simulator.switch import Switch
from labs.boards import device_of
from labs.topology import Board, Lab, Link, LinkDirection, Node, NodeKind
from labs.virtual_routeros.clocks import EngineClock
from labs.virtual_routeros.device import Device
from labs.virtual_routeros.node import VirtualRouter

if TYPE_CHECKING:
    from compiler.rehearsal.watcher import Watcher

__all__ = ["SimulatedLab", "SimulatedNode", "wire_of"]

SimulatedNode = Host | Router | Switch | VirtualRouter

_MINUTE = 60 * SECOND
_LINK = "link"
"""The reason of a link that is down by itself."""


def wire_of(direction: LinkDirection) -> Wire:
    """The simulator's form of one way of a link."""
    return Wire(direction.rate, direction.delay, direction.queue, direction.queue_octets, direction.loss)


class SimulatedLab:
    """A lab's nodes and links, plugged together and ready to run; nothing has been sent yet."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab = lab
        self.seed = str(seed)
        self.engine = Engine()
        self._mtu: dict[tuple[str, str], int] = {
            (end.node, end.interface): link.mtu for link in lab.links for end in link.ends
        }
        self.nodes: dict[str, SimulatedNode] = {node.name: self._node(node) for node in lab.nodes}
        self.links: dict[str, SimulatedLink] = {link.name: self._link(link) for link in lab.links}
        self._cut_by: dict[str, set[str]] = {link.name: set() if link.is_up else {_LINK} for link in lab.links}
        for node in lab.nodes:
            if not node.is_up:
                self.power(node.name, False)
        self.watchers = self._watchers()
        """What probes the uplinks of balanced Linux routers; they look at carriers, so links come first."""

    def host(self, name: str) -> Host:
        """The host of that name. UsageError when it is none."""
        node = self.nodes.get(name)
        if not isinstance(node, Host):
            raise UsageError(f"{self.lab.source or self.lab.name}: {name!r} is no host")
        return node

    @property
    def routers(self) -> dict[str, Router]:
        """The routers, by name; of a virtual RouterOS what its tables have made by now."""
        found = {}
        for name, node in self.nodes.items():
            if isinstance(node, VirtualRouter):
                found[name] = node.router
            elif isinstance(node, Router):
                found[name] = node
        return found

    def device(self, name: str) -> Device:
        """The tables of a virtual RouterOS, for a server of its API. UsageError when the node is none."""
        node = self.nodes.get(name)
        if not isinstance(node, VirtualRouter):
            raise UsageError(f"{self.lab.source or self.lab.name}: {name!r} is no virtual RouterOS")
        return node.device

    # -- faults ------------------------------------------------------------------------

    def power(self, name: str, is_up: bool) -> None:
        """Switch a node off or on; the other ends of its links see no carrier meanwhile."""
        node = self.nodes[name]
        if is_up:
            node.start()
        else:
            node.shut()
        if not isinstance(node, Switch):  # a switch sees to it itself
            for link in self.lab.links:
                if any(end.node == name for end in link.ends):
                    self._cut(link.name, f"node {name}", not is_up)

    def set_link(self, name: str, is_up: bool, direction: str = "both") -> None:
        """Cut a link or mend it, one way only when ``direction`` is ``up`` or ``down``: then the carrier stays."""
        if direction == "both":
            self._cut(name, _LINK, not is_up)
        else:
            self.links[name].set_up(is_up, forward=direction == "up", backward=direction == "down")

    def _cut(self, name: str, reason: str, is_cut: bool) -> None:
        """A link is up when nothing speaks against it."""
        reasons = self._cut_by[name]
        if is_cut:
            reasons.add(reason)
        else:
            reasons.discard(reason)
        self.links[name].set_up(not reasons)

    # -- nodes -------------------------------------------------------------------------

    def _node(self, node: Node) -> SimulatedNode:
        if node.kind is NodeKind.SWITCH:
            return self._switch(node)
        if node.kind in (NodeKind.HOST, NodeKind.SERVER):
            return self._host(node)
        if node.board is not None:
            return self._virtual(node, node.board)
        return self._router(node)

    def _switch(self, node: Node) -> Switch:
        switch = Switch(self.engine, node.name)
        for name in node.interfaces:
            switch.add_port(name)
        return switch

    def _host(self, node: Node) -> Host:
        host = Host(self.engine, node.name, self.seed)
        for name in node.interfaces:
            own = tuple(InterfaceAddress(*one[1:]) for one in node.addresses if one.interface == name)
            host.add_interface(
                name, own, mtu=self._mtu.get((node.name, name), 1500), neighbours=self._static(node, name)
            )
        for family, gateway in node.gateways:
            host.set_gateway(family, gateway)
        return host

    def _router(self, node: Node) -> Router:
        configuration = node.configuration
        if configuration is None:
            raise UsageError(f"{node.span}: the {node.kind.value} {node.name} has no configuration")
        known = {one.name for one in configuration.network.interfaces}
        interfaces = tuple(
            replace(one, mtu=min(one.mtu, self._mtu.get((node.name, one.name), one.mtu)))
            for one in configuration.network.interfaces
        )
        interfaces += tuple(Interface(name) for name in node.interfaces if name not in known)
        network = replace(configuration.network, interfaces=interfaces)
        router = Router(self.engine, node.name, network, configuration.policy, seed=self.seed, clock=self.lab.clock)
        for name in node.interfaces:
            router.add_port(name, self._static(node, name))
        return router

    def _watchers(self) -> dict[str, Watcher]:
        from compiler.rehearsal.watcher import Watcher

        found = {}
        for node in self.lab.nodes:
            router = self.nodes[node.name]
            if node.balance is not None and node.balance.watch is not None and isinstance(router, Router):
                found[node.name] = Watcher(self.engine, router, node.balance.plan, node.balance.watch)
        return found

    def _virtual(self, node: Node, board: Board) -> VirtualRouter:
        device = device_of(board, node.interfaces, EngineClock(self.engine, self.lab.clock * _MINUTE))
        known = {name: static for name in node.interfaces if (static := self._static(node, name)) is not None}
        return VirtualRouter(self.engine, node.name, device, seed=self.seed, clock=self.lab.clock, static=known)

    # -- links -------------------------------------------------------------------------

    def _link(self, link: Link) -> SimulatedLink:
        ends = self._port(link.ends[0].node, link.ends[0].interface), self._port(*link.ends[1])
        made = SimulatedLink(self.engine, link.name, ends, (wire_of(link.up), wire_of(link.down)), self.seed)
        if not link.is_up:
            made.set_up(False)
        return made

    def _port(self, node: str, interface: str) -> Port:
        found = self.nodes[node]
        if isinstance(found, Host):
            return found.interfaces[interface].port
        return found.ports[interface]

    # -- neighbours where there is no ARP ---------------------------------------------------

    def _static(self, node: Node, interface: str) -> Mapping[tuple[Family, int], int] | None:
        """Everybody on the same segment, where the lab declares that there is no ARP."""
        if self.lab.arp:
            return None
        segment = self._segments[node.name, interface]
        return {
            (address.family, address.address): link_address(name, port)
            for name, port in segment
            if (name, port) != (node.name, interface)
            for address in self._addresses(name, port)
        }

    @cached_property
    def _segments(self) -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
        """For each port the ports that hear its broadcasts: links, joined by switches."""
        switches = {node.name for node in self.lab.nodes if node.kind is NodeKind.SWITCH}
        group: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}
        for node in self.lab.nodes:
            ports = [(node.name, name) for name in node.interfaces]
            for port in ports:
                group[port] = frozenset(ports) if node.name in switches else frozenset((port,))
        for link in self.lab.links:
            first, second = (tuple(end) for end in link.ends)
            joined = group[first] | group[second]  # type: ignore[index]  # an Attachment is such a pair
            for port in joined:
                group[port] = joined
        return group

    def _addresses(self, name: str, interface: str) -> tuple[InterfaceAddress, ...]:
        node = self.lab.node(name)
        assert node is not None
        own = tuple(InterfaceAddress(*one[1:]) for one in node.addresses if one.interface == interface)
        if node.configuration is None:
            return own
        found = node.configuration.network.interface(interface)
        return own + (found.addresses if found is not None else ())
