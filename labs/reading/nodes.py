"""The nodes of a lab file: hosts, servers, switches, routers, modems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from compiler.fields import Family
from compiler.placed.addresses import address, interface_address, show
from compiler.placed.complaints import Complaints, near
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedValue, kind_of
from compiler.policy.network import InterfaceAddress
from labs.reading.balancing import balanced
from labs.reading.boards import read_board
from labs.reading.configurations import Addresses, configuration, modem_configuration
from labs.reading.expansion import expand
from labs.reading.names import INTERFACE, NAME
from labs.reading.programs import with_programs
from labs.reading.services import read_services
from labs.topology import HostAddress, Node, NodeKind

__all__ = ["read_nodes"]

_NO_PROGRAMS = (NodeKind.SWITCH, NodeKind.ROUTEROS)
"""What has no processes that a lab could start: a bridge of the kernel, and tables in the simulator."""


def read_nodes(value: PlacedValue | None, folder: Path, complaints: Complaints) -> dict[str, Node]:
    """All nodes by name, those that braces make included."""
    nodes: dict[str, Node] = {}
    if not isinstance(value, PlacedMapping):
        if value is not None:
            complaints.error(f"nodes: expected names with their settings, not {kind_of(value)}", value.span)
        return nodes
    for key, entry in _expanded(value, complaints):
        if not NAME.match(key.text):
            complaints.error(f"{key.text!r} is no name: expected letters, digits, '-', '_' and '.'", key.span)
        elif key.text in nodes:
            complaints.error(f"there are two nodes {key.text!r}", key.span)
        else:
            node = _node(key, entry, folder, complaints)
            if node is not None:
                nodes[key.text] = node
    return nodes


def _expanded(value: PlacedMapping, complaints: Complaints) -> Iterator[tuple[PlacedScalar, PlacedValue]]:
    for key, entry in value.entries:
        for name, copy in expand((key, entry), complaints):
            assert isinstance(name, PlacedScalar)
            yield name, copy


def _node(key: PlacedScalar, entry: PlacedValue, folder: Path, complaints: Complaints) -> Node | None:
    fields = Fields(entry, f"node {key.text}", complaints)
    kinds = [kind.value for kind in NodeKind]
    word = fields.required("kind", f"one of {', '.join(kinds)}")
    if word not in kinds:
        if word:
            place = fields.take("kind")
            complaints.error(f"{word!r} is no kind of node{near(word, kinds)}", place.span if place else key.span)
        return None
    kind = NodeKind(word)
    is_up = fields.choice("state", ("up", "down"), "up") == "up"
    if kind is NodeKind.SWITCH:
        node = Node(key.text, kind, is_up=is_up, span=key.span)
    elif kind is NodeKind.ROUTER:
        node = _router(key, fields, folder, is_up)
    elif kind is NodeKind.ROUTEROS:
        node = read_board(key, fields, folder, is_up)
    elif kind is NodeKind.MODEM:
        node = _modem(key, fields, is_up)
    else:
        node = _host(key, kind, fields, is_up)
    if kind not in _NO_PROGRAMS:
        node = with_programs(node, fields, folder)
    fields.done()
    return node


def _host(key: PlacedScalar, kind: NodeKind, fields: Fields, is_up: bool) -> Node:
    interfaces = _interfaces(fields)
    plain = tuple(_addresses(fields.take("address"), fields.complaints))
    if plain:
        if "eth0" in interfaces:
            fields.complaints.error("'address' is that of eth0: say it once", fields.place("address"))
        interfaces = {"eth0": (plain, key)} | interfaces
    addresses = tuple(HostAddress(name, *one) for name, (found, _) in interfaces.items() for one in found)
    if not addresses and not fields.complaints:
        fields.complaints.error(f"{fields.what} has no address", key.span)
    gateways = _gateways(fields, addresses)
    name_server = fields.optional("name_server", address)
    services = read_services(fields) if kind is NodeKind.SERVER else ()
    if kind is NodeKind.HOST and fields.take("services") is not None:
        fields.complaints.error("a host has no services: its kind would be 'server'", fields.place("services"))
    return Node(
        key.text,
        kind,
        tuple(interfaces),
        addresses,
        gateways,
        name_server[1] if name_server else None,
        services,
        is_up=is_up,
        wireless=fields.truth("wireless", False),
        span=key.span,
    )


def _router(key: PlacedScalar, fields: Fields, folder: Path, is_up: bool) -> Node:
    interfaces = _interfaces(fields)
    value = fields.take("balance")
    balance = None
    if value is None:
        made = configuration(fields, folder, key.text, interfaces)
    else:
        found = balanced(value, fields, folder, interfaces)
        if found is None:
            return Node(key.text, NodeKind.ROUTER, tuple(interfaces), is_up=is_up, span=key.span)
        made, balance = found
    names = tuple(interface.name for interface in made.network.interfaces)
    return Node(key.text, NodeKind.ROUTER, names, configuration=made, is_up=is_up, balance=balance, span=key.span)


def _modem(key: PlacedScalar, fields: Fields, is_up: bool) -> Node:
    interfaces = _interfaces(fields)
    uplink = fields.required("uplink", "the interface that faces the provider")
    if uplink and uplink not in interfaces:
        fields.complaints.error(
            f"{fields.what} has no interface {uplink!r}{near(uplink, interfaces)}", fields.place("uplink")
        )
    made = modem_configuration(key.text, uplink, interfaces, fields)
    return Node(
        key.text, NodeKind.MODEM, tuple(interfaces), configuration=made, uplink=uplink, is_up=is_up, span=key.span
    )


def _interfaces(fields: Fields) -> Addresses:
    """``interfaces: {ether1: 192.168.1.2/24, wan: [192.0.2.2/24, 2001:db8::2/64], spare: }``."""
    value = fields.take("interfaces")
    if value is None:
        return {}
    inner = Fields(value, f"{fields.what}, interfaces", fields.complaints)
    found: Addresses = {}
    for key, entry in inner.take_any():
        if not INTERFACE.match(key.text):
            fields.complaints.error(f"{key.text!r} is no name of an interface", key.span)
        else:
            found[key.text] = tuple(_addresses(entry, fields.complaints)), key
    return found


def _addresses(value: PlacedValue | None, complaints: Complaints) -> Iterator[InterfaceAddress]:
    seen = set()
    for item in as_items(value):
        one = parse(item, interface_address, complaints)
        if one is None:
            continue
        if one.address in seen:
            complaints.error(f"{show(one.family, one.address)} stands twice here", item.span)
        seen.add(one.address)
        yield one


def _gateways(fields: Fields, addresses: tuple[HostAddress, ...]) -> tuple[tuple[Family, int], ...]:
    """The default gateways, at most one a family, each in a network of the host."""
    found: dict[Family, int] = {}
    for item in as_items(fields.take("gateway")):
        gateway = parse(item, address, fields.complaints)
        if gateway is None:
            continue
        family, value = gateway
        if family in found:
            fields.complaints.error(f"a second gateway for IPv{family.value}", item.span)
        own = [one for one in addresses if one.family is family]
        if addresses and not any(_same_network(one, value) for one in own):
            fields.complaints.error(
                f"the gateway {show(family, value)} is in none of the networks of {fields.what.removeprefix('node ')}",
                item.span,
            )
        elif any(one.address == value for one in own):
            fields.complaints.error(f"{show(family, value)} is the host itself, not its gateway", item.span)
        found[family] = value
    return tuple(found.items())


def _same_network(one: HostAddress, value: int) -> bool:
    shift = one.family.width - one.length
    return one.address >> shift == value >> shift
