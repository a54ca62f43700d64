"""The traffic of a lab file: who does what with whom, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from compiler.fields import Family
from compiler.placed.addresses import address
from compiler.placed.complaints import Complaints, near
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedValue
from labs.reading.activities import FILLERS
from labs.reading.expansion import expand
from labs.reading.names import NAME
from labs.reading.services import port_named
from labs.topology import Node, NodeKind, Traffic, TrafficKind

__all__ = ["read_traffic"]

_APPLICATIONS = (NodeKind.HOST, NodeKind.SERVER)
_NO_SERVER = frozenset({TrafficKind.PACKETS, TrafficKind.REPLAY})
_COMMAND_TIMEOUT = 60_000_000_000
"""A command may take a minute unless it says otherwise: interpreters begin slowly on a busy machine."""


def read_traffic(
    value: PlacedValue | None, nodes: Mapping[str, Node], folder: Path, complaints: Complaints
) -> tuple[Traffic, ...]:
    """All activities, those that braces make included."""
    found: dict[str, Traffic] = {}
    for item in as_items(value):
        for (copy,) in expand((item,), complaints):
            traffic = _activity(copy, nodes, folder, complaints)
            if traffic is None:
                continue
            if traffic.name in found:
                complaints.error(f"there are two activities {traffic.name!r}", copy.span)
            found[traffic.name] = traffic
    return tuple(found.values())


def _activity(value: PlacedValue, nodes: Mapping[str, Node], folder: Path, complaints: Complaints) -> Traffic | None:
    fields = Fields(value, "an activity", complaints)
    name = fields.required("name", "assertions and reports call it by that")
    if name and not NAME.match(name):
        complaints.error(f"{name!r} is no name: expected letters, digits, '-', '_' and '.'", fields.place("name"))
    kinds = [kind for kind in TrafficKind if kind.value in fields]
    for kind in TrafficKind:
        fields.take(kind.value)
    if len(kinds) != 1:
        words = ", ".join(kind.value for kind in TrafficKind)
        given = " and ".join(repr(kind.value) for kind in kinds) or "none of them"
        complaints.error(f"an activity has one of {words}: here {given}", fields.span)
    client = _client(fields, nodes)
    is_command = kinds[:1] == [TrafficKind.RUN]
    traffic = Traffic(name, kinds[0] if kinds else TrafficKind.CONNECT, client, span=value.span)
    duration = fields.take("duration")
    traffic = replace(
        traffic,
        start=fields.duration("at"),
        duration=None if duration is None else fields.duration("duration"),
        connections=fields.integer("connections", 1, 1, 1_000_000),
        interval=fields.duration("every"),
        source_ports=_ports(fields),
        timeout=fields.duration("timeout", _COMMAND_TIMEOUT if is_command else traffic.timeout),
    )
    family = fields.choice("family", ("ipv4", "ipv6"), "")
    if kinds:
        argument = fields.take(kinds[0].value)
        assert argument is not None
        traffic = FILLERS[traffic.kind](traffic, argument, fields, folder)
        traffic = _server(traffic, fields, nodes, family)
    fields.done()
    # What is wrong with it has been said; its name is kept, so that assertions about it are not wrong too.
    return traffic if name else None


def _client(fields: Fields, nodes: Mapping[str, Node]) -> str:
    client = fields.required("client", "a host or a server")
    if not client:
        return ""
    place = fields.take("client")
    span = place.span if place else fields.span
    if client not in nodes:
        fields.complaints.error(f"unknown node {client!r}{near(client, nodes)}", span)
        return ""
    if nodes[client].kind not in _APPLICATIONS:
        fields.complaints.error(f"{client} is a {nodes[client].kind.value}: only hosts and servers run clients", span)
        return ""
    return client


def _server(traffic: Traffic, fields: Fields, nodes: Mapping[str, Node], family: str) -> Traffic:
    """The server's name or address, and the family."""
    value = fields.take("server")
    wanted = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}.get(family)
    if value is None:
        return _no_server(traffic, fields, nodes, wanted)
    server = parse(value, str, fields.complaints) or ""
    if traffic.kind in _NO_SERVER:
        fields.complaints.error(f"{traffic.kind.value!r} needs no 'server': packets say where they go", value.span)
    node = nodes.get(server)
    if node is None:
        try:
            found, _ = address(server)
        except ValueError:
            fields.complaints.error(f"{server!r} is neither a node nor an address{near(server, nodes)}", value.span)
            return traffic
        if wanted not in (None, found):
            fields.complaints.error(f"{server} is not an IPv{wanted} address", value.span)
        return replace(traffic, server=server, family=found)
    families = _families(node)
    chosen = wanted or (Family.IPV6 if families == {Family.IPV6} else Family.IPV4)
    if families and chosen not in families:
        fields.complaints.error(f"{server} has no IPv{chosen.value} address", value.span)
    if not families:
        fields.complaints.error(f"{server} has no address", value.span)
    return replace(traffic, server=server, family=chosen)


def _no_server(traffic: Traffic, fields: Fields, nodes: Mapping[str, Node], family: Family | None) -> Traffic:
    if family is not None:
        traffic = replace(traffic, family=family)
    if traffic.kind in _NO_SERVER or traffic.kind is TrafficKind.RUN:
        return traffic
    client = nodes.get(traffic.client)
    if traffic.kind is TrafficKind.DNS and client is not None and client.name_server is not None:
        # Below 2**32 a number is an IPv4 address: ::0.0.0.0/96 is of no use to a host (RFC 4291, 2.5.5.1).
        family = Family.IPV4 if client.name_server < 1 << 32 else Family.IPV6
        from compiler.addresses import format_address

        return replace(traffic, server=format_address(client.name_server, family.width), family=family)
    more = ", or the client a 'name_server'" if traffic.kind is TrafficKind.DNS else ""
    fields.complaints.error(f"{traffic.kind.value!r} needs a 'server': a node or an address{more}", fields.span)
    return traffic


def _families(node: Node) -> set[Family]:
    if node.configuration is not None:
        interfaces = node.configuration.network.interfaces
        return {one.family for interface in interfaces for one in interface.addresses}
    return {one.family for one in node.addresses}


def _ports(fields: Fields) -> tuple[int, ...]:
    ports = (parse(item, port_named, fields.complaints) for item in as_items(fields.take("source_ports")))
    return tuple(port for port in ports if port is not None)
