"""Rows of interfaces and addresses -> the interfaces of a network.

Sources: MikroTik documentation, "IP Addressing" (the ``network`` of an address
is a route to its other end), "Bridging and Switching", "PPPoE".
"""

from __future__ import annotations

from dataclasses import replace

from compiler.dialects.routeros.network_facts import OTHER_LINKS
from compiler.dialects.routeros.row_values import RowReader
from compiler.dialects.routeros.script import Path, Script
from compiler.dialects.routeros.tables import Item, Table
from compiler.errors import Unmodelled
from compiler.fields import Family
from compiler.policy.network import Interface, InterfaceAddress, NextHop, Prefix, Route

__all__ = ["InterfaceReader"]

_CONNECTED_SCOPE = 10
_PPPOE_MTU = 1480
"""What ``max-mtu=auto`` comes to on a line with the usual 1500 octets of Ethernet."""


class InterfaceReader(RowReader):
    """The interfaces with their addresses, and the routes that come with these."""

    def __init__(self, script: Script, tables: dict[Path, Table]) -> None:
        super().__init__(script)
        self.tables = tables
        self.found: dict[str, Interface] = {}
        self.routes: list[Route] = []
        self._old_names: dict[str, str] = {}

    def read(self) -> tuple[Interface, ...]:
        """All interfaces: the declared ones, then those that only addresses and ports name."""
        for kind in ("ethernet", "bridge", "vlan", "pppoe-client", *OTHER_LINKS):
            for item in self.tables["interface", kind].items:
                self._link(kind, item)
        for kind in ("vlan", "pppoe-client"):
            for item in self.tables["interface", kind].items:
                self._named(item, "interface")
        self._members()
        for path, family in ((("ip", "address"), Family.IPV4), (("ipv6", "address"), Family.IPV6)):
            for item in self.tables[path].items:
                self._address(item, family)
        for item in self.tables["ip", "dhcp-client"].items:
            self._named(item, "interface")
        return tuple(self.found.values())

    def _link(self, kind: str, item: Item) -> None:
        properties = item.properties
        name = properties["name"]
        if name in self.found:
            self.fault(item, f"there is an interface {name} already", "name")
            return
        default = properties.get("default-name", name)
        if default != name:
            self._old_names[default] = name
        if kind == "bridge" and self.yes(item, "vlan-filtering"):
            self.fault(item, "a bridge that filters VLANs is not modelled", "vlan-filtering", Unmodelled)
        enabled = not self.yes(item, "disabled")
        mtu = self._mtu(item, kind)
        comment, span = properties.get("comment", ""), item.span(self.script)
        self.found[name] = Interface(name, (), enabled, mtu, comment=comment, span=span)
        if kind == "pppoe-client" and self.yes(item, "add-default-route"):
            distance = self.number(item, "default-route-distance", 1, 0, 255)
            default_route = Prefix(Family.IPV4, 0, 0)
            hops = (NextHop(None, name),)
            self.routes.append(Route(default_route, hops, distance=distance, enabled=enabled, span=span))

    def _mtu(self, item: Item, kind: str) -> int:
        name, usual = ("max-mtu", _PPPOE_MTU) if kind == "pppoe-client" else ("mtu", 1500)
        if item.properties.get(name) == "auto":
            return usual
        return self.number(item, name, usual, 68, 65535)

    def _named(self, item: Item, name: str) -> str:
        """The interface that a property names; one that no menu declares is a port of the router."""
        text = item.properties[name]
        if not text:
            self.fault(item, f"{name} has no value", name)
        if text in self._old_names and text not in self.found:
            self.fault(item, f"{name}={text}: this interface is called {self._old_names[text]} here", name)
        elif text not in self.found:
            self.found[text] = Interface(text, span=item.span(self.script, name))
        return text

    def _members(self) -> None:
        settings = self.tables["interface", "bridge", "settings"].items
        if settings and self.yes(settings[0], "use-ip-firewall"):
            self.fault(settings[0], "a firewall for bridged packets is not modelled", "use-ip-firewall", Unmodelled)
        lists = {item.properties["name"] for item in self.tables["interface", "list"].items}
        bridges = {item.properties["name"] for item in self.tables["interface", "bridge"].items}
        for item in self.tables["interface", "bridge", "port"].items:
            if item.disabled:
                continue
            name = item.properties["bridge"]
            if name not in bridges:
                near = self.near(name, bridges)
                self.fault(item, f"bridge={name} names no bridge of this text{near}", "bridge")
                continue
            if item.properties["interface"] in lists - self.found.keys():
                self.fault(item, "an interface list as a port is not modelled", "interface", Unmodelled)
                continue
            port = self._named(item, "interface")
            bridge = self.found.get(name)
            if bridge is not None:
                self.found[name] = replace(bridge, members=(*bridge.members, port))

    def _address(self, item: Item, family: Family) -> None:
        name = self._named(item, "interface")
        if family is Family.IPV6:
            for word in ("from-pool", "eui-64"):
                if item.properties.get(word, "no") not in ("", "no", "false"):
                    self.fault(item, f"{word} makes an address on the running router: not modelled", word, Unmodelled)
                    return
        found = self._interface_address(item, family)
        if found is None or self.yes(item, "disabled") or name not in self.found:
            return
        interface = self.found[name]
        self.found[name] = replace(interface, addresses=(*interface.addresses, found))

    def _interface_address(self, item: Item, family: Family) -> InterfaceAddress | None:
        properties = item.properties
        text, slash, length = properties.get("address", "").partition("/")
        address = self.address(item, text, family, "address")
        if address is None:
            return None
        size: int | None = 32 if family is Family.IPV4 else 64
        if slash:
            size = self.length(item, length, family, "address")
        elif properties.get("netmask"):
            size = self.length(item, properties["netmask"], family, "netmask")
        if size is None:
            return None
        if properties.get("network"):
            other = self.address(item, properties["network"], family, "network")
            if other is None or not self._other_end(item, address, size, other):
                return None
        return InterfaceAddress(family, address, size)

    def _other_end(self, item: Item, address: int, size: int, other: int) -> bool:
        """The ``network`` of an address: its own network, or the single other end of a line."""
        mask = (1 << (32 - size)) - 1
        if other & ~mask == address & ~mask and (size < 32 or other == address):
            return True
        if size < 32:
            self.fault(item, "a network that the address does not lie in is not modelled", "network", Unmodelled)
            return False
        route = Route(
            Prefix(Family.IPV4, other, 32),
            (NextHop(None, item.properties["interface"]),),
            distance=0,
            scope=_CONNECTED_SCOPE,
            preferred_source=address,
            enabled=not item.disabled,
            span=item.span(self.script, "network"),
        )
        self.routes.append(route)
        return True
