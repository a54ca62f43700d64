"""``kind: routeros``: a virtual RouterOS with a version, users, ports, and what it begins with."""

from __future__ import annotations

from pathlib import Path

from compiler.placed.complaints import Complaints
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedScalar, PlacedValue
from compiler.policy.network import Network
from labs.boards import BEGINNING, device_of
from labs.reading.configurations import configuration_text, read_configuration
from labs.reading.names import INTERFACE
from labs.topology import Board, Configuration, Link, Node, NodeKind
from labs.virtual_routeros.device import Description, Device
from labs.virtual_routeros.traps import Trap

__all__ = ["check_boards", "read_board"]

_ON_PORTS: tuple[tuple[str, ...], ...] = (
    ("ip", "address"),
    ("ip", "dhcp-client"),
    ("interface", "bridge", "port"),
    ("interface", "vlan"),
    ("interface", "pppoe-client"),
)


def read_board(key: PlacedScalar, fields: Fields, folder: Path, is_up: bool) -> Node:
    """``{kind: routeros, configuration, version, users, ports}``; links make ports that are not named here."""
    complaints = fields.complaints
    version = fields.get("version", _version, Board().version)
    users = _users(fields)
    ports = tuple(dict.fromkeys(port for item in as_items(fields.take("ports")) if (port := _port(item, complaints))))
    path, text, source = configuration_text(fields, folder)
    found = read_configuration(text, source, "routeros", complaints) if text else None
    policy, network = found or (None, Network(source or key.text, "routeros", hostname=key.text))
    return Node(
        key.text,
        NodeKind.ROUTEROS,
        ports,
        configuration=Configuration("routeros", path, policy, network, text),
        is_up=is_up,
        board=Board(version, users, text),
        span=key.span,
    )


def check_boards(nodes: tuple[Node, ...], links: tuple[Link, ...], complaints: Complaints) -> None:
    """Import each script into a device with the ports that it has in the end; what is refused is told."""
    for node in nodes:
        if node.board is None or node.configuration is None:
            continue
        try:
            device = device_of(node.board, node.interfaces)
        except Trap as trap:
            name = node.configuration.path.name if node.configuration.path else "the configuration"
            said = str(trap).replace(BEGINNING, name)
            complaints.error(f"{node.name}, RouterOS {node.board.version}, refuses {name}: {said}", node.span)
            continue
        if node.board.script.strip():
            _check_ports(node.name, device, links, complaints)


def _check_ports(name: str, device: Device, links: tuple[Link, ...], complaints: Complaints) -> None:
    """Warn of a cable in a port that the configuration does nothing with: mostly its name is another."""
    used = {row.properties.get("interface", "") for menu in _ON_PORTS for row in device.tables[menu].rows}
    names = {row.extra["default-name"]: row.properties["name"] for row in device.tables["interface", "ethernet"].rows}
    for link in links:
        for end in link.ends:
            if end.node == name and names.get(end.interface, end.interface) not in used:
                complaints.warn(f"the configuration of {name} does nothing with {end.interface}", link.span)


def _version(text: str) -> str:
    Description(text).numbers  # noqa: B018  # raises ValueError for what is no version
    return text


def _users(fields: Fields) -> tuple[tuple[str, str], ...]:
    value = fields.take("users")
    if value is None:
        return Board().users
    inner = Fields(value, f"{fields.what}, users", fields.complaints)
    found = [(key.text, entry.text) for key, entry in inner.take_any() if isinstance(entry, PlacedScalar)]
    return tuple(found) or Board().users


def _port(item: PlacedValue, complaints: Complaints) -> str:
    text = parse(item, str, complaints)
    if text and not INTERFACE.match(text):
        complaints.error(f"{text!r} is no name of an interface", item.span)
        return ""
    return text or ""
