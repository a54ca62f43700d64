"""Nodes: a namespace each, with settings, interfaces, addresses, routes and rules."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field

from compiler.addresses import format_address
from compiler.deploy.linux.libnftables import Nftables, NftablesError
from compiler.deploy.linux.state import PROTOCOL
from compiler.fields import Family
from compiler.policy.network import Interface, InterfaceAddress, Network, Route
from compiler.simulator.router.memory import drawn_at_boot
from labs.kernel.devices import kernel_names, link_address, wire_frames
from labs.kernel.firewall import FirewallText, firewall_text
from labs.kernel.namespaces import Namespace
from labs.kernel.neighbours import FAMILIES
from labs.kernel.netlink import Routing, forget_connections
from labs.kernel.possible import why_not_node
from labs.kernel.routing import Unrealisable, add_default, add_routes, add_rules, table_numbers
from labs.kernel.settings import apply, host_settings, router_settings, silent_settings
from labs.topology import Lab, Node, NodeKind

__all__ = ["KernelNode", "make_node"]

_BRIDGE = "bridge"
_NO_DUPLICATE_DETECTION = 2  # IFA_F_NODAD


@dataclass(slots=True, eq=False)
class KernelNode:
    """A node with its namespace. ``names`` map its own names of interfaces to Linux's."""

    node: Node
    number: int
    namespace: Namespace
    names: dict[str, str]
    firewall: FirewallText
    rules: Nftables | None = None
    indexes: dict[str, int] = field(default_factory=dict)
    """Linux's number of each interface that is not shut."""

    @property
    def addresses(self) -> dict[str, tuple[InterfaceAddress, ...]]:
        """The addresses by interface."""
        return {interface.name: interface.addresses for interface in _interfaces(self.node)}

    def link_address(self, interface: str) -> str:
        """The Ethernet address of an interface."""
        return link_address(self.number, list(self.names).index(interface))

    def finish(self) -> None:
        """Interfaces up, addresses, rules, routes: when all cables are there. Unrealisable when the kernel refuses."""
        if self.node.kind is NodeKind.SWITCH:
            self._bridge()
            return
        routing = self.namespace.routing
        routing.link("set", index=1, state="up")
        with self.namespace.inside():
            for name, linux in self.names.items():
                wire_frames(linux)
                self.indexes[name] = socket.if_nametoindex(linux)
        for interface in _interfaces(self.node):
            self._interface(routing, interface)
        self._load()
        for family, gateway in self.node.gateways:
            add_default(routing, family, gateway)
        if self.node.configuration is not None:
            network = self.node.configuration.network
            tables = table_numbers(network)
            # Gateways are looked up by the rules too, so these come last.
            add_routes(routing, network, self.indexes, tables, self._protocol)
            add_rules(routing, network, self.names, tables)

    def _protocol(self, route: Route) -> int | None:
        """Who set a route: those of an intent bear the mark of its watch, which will change them and no others."""
        is_compiled = self.node.balance is not None and route.span.source != self.node.span.source
        return PROTOCOL if is_compiled else None

    def lose_power(self) -> None:
        """A router forgets its connections; a host's live in its applications, which go on as after a sleep."""
        if self.node.configuration is not None:
            with self.namespace.inside():
                forget_connections()

    def close(self) -> None:
        """Let go of all."""
        if self.rules is not None:
            self.rules.close()
            self.rules = None
        self.namespace.close()

    def _interface(self, routing: Routing, interface: Interface) -> None:
        if not interface.enabled:
            del self.indexes[interface.name]
            return
        index = self.indexes[interface.name]
        if interface.mtu != 1500:
            routing.link("set", index=index, mtu=interface.mtu)
        routing.link("set", index=index, state="up")
        for family, address, length in interface.addresses:
            flags = {"flags": _NO_DUPLICATE_DETECTION} if family is Family.IPV6 else {}
            text = format_address(address, family.width)
            routing.addr("add", index=index, family=FAMILIES[family], address=text, prefixlen=length, **flags)

    def _load(self) -> None:
        if not self.firewall.text.strip():
            return
        configuration = self.node.configuration
        folder = str(configuration.path.parent) if configuration is not None and configuration.path else ""
        with self.namespace.inside():
            self.rules = Nftables(folder)
        try:
            self.rules.run(self.firewall.text)
        except NftablesError as error:
            raise Unrealisable(f"nft refuses its rules: {str(error).splitlines()[0]}") from error

    def _bridge(self) -> None:
        """Learns, forwards at once, speaks no spanning tree."""
        routing = self.namespace.routing
        routing.link("add", ifname=_BRIDGE, kind="bridge", br_stp_state=0, br_forward_delay=0, br_mcast_snooping=0)
        with self.namespace.inside():
            bridge = socket.if_nametoindex(_BRIDGE)
            indexes = []
            for linux in self.names.values():
                wire_frames(linux)
                indexes.append(socket.if_nametoindex(linux))
        routing.link("set", index=bridge, state="up")
        for index in indexes:
            routing.link("set", index=index, master=bridge)
            routing.link("set", index=index, state="up")


def make_node(lab: Lab, number: int, node: Node, seed: int = 1) -> KernelNode:
    """The namespace of a node and what it will load. Unrealisable where the kernel world cannot be that node."""
    reason = why_not_node(node)
    if reason:
        raise Unrealisable(reason)
    linked = [end.interface for link in lab.links for end in link.ends if end.node == node.name]
    own = [interface.name for interface in _interfaces(node)]
    names = kernel_names(dict.fromkeys([*node.interfaces, *own, *linked]))
    firewall = FirewallText("")
    if node.configuration is not None:
        firewall = firewall_text(node.configuration, names)
    made = KernelNode(node, number, Namespace(node.name), names, firewall)
    with made.namespace.inside():
        apply(_settings(node, drawn_at_boot(f"{seed}/{node.name}")).items())
    return made


def _settings(node: Node, boot_seed: int) -> dict[str, str]:
    if node.kind is NodeKind.SWITCH:
        return silent_settings()
    has_ipv6 = any(one.family is Family.IPV6 for interface in _interfaces(node) for one in interface.addresses)
    if node.configuration is not None:
        return router_settings(node.configuration.network, has_ipv6=has_ipv6, boot_seed=boot_seed)
    if node.kind in (NodeKind.ROUTER, NodeKind.MODEM):
        return router_settings(Network(node.name, "nftables"), has_ipv6=has_ipv6, boot_seed=boot_seed)
    return host_settings(has_ipv6=has_ipv6)


def _interfaces(node: Node) -> tuple[Interface, ...]:
    """Those of the configuration, or a host's from its addresses."""
    if node.configuration is not None:
        return node.configuration.network.interfaces
    return tuple(
        Interface(
            name,
            tuple(
                InterfaceAddress(one.family, one.address, one.length) for one in node.addresses if one.interface == name
            ),
        )
        for name in _ordered((*node.interfaces, *(one.interface for one in node.addresses)))
    )


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
