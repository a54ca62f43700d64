"""The traffic of a lab file: who does what with whom, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from compiler.errors import InputError
from compiler.fields import Family
from compiler.policy.packet_text import parse_packet
from labs.reading import quantities
from labs.reading.addresses import address
from labs.reading.complaints import Complaints, near
from labs.reading.expansion import expand
from labs.reading.fields import Fields, as_items, parse
from labs.reading.nodes import NAME
from labs.reading.places import PlacedMapping, PlacedScalar, PlacedValue
from labs.reading.services import SERVICES, port_named
from labs.topology import Node, NodeKind, PacketSpec, Traffic, TrafficKind

__all__ = ["read_traffic"]

_APPLICATIONS = (NodeKind.HOST, NodeKind.SERVER)
_ARRIVALS = ("constant", "poisson", "on-off", "heavy-tailed")
_SHAPES = {
    "constant": (),
    "poisson": (),
    "on-off": ("on", "off"),
    "heavy-tailed": ("alpha", "smallest"),
}
"""Further figures of arrivals: mean seconds on and off; Pareto's exponent, and the least transfer in octets."""

_NO_SERVER = frozenset({TrafficKind.PACKETS, TrafficKind.REPLAY})
_SERVICE = {
    TrafficKind.DOWNLOAD: "source",
    TrafficKind.UPLOAD: "discard",
    TrafficKind.HTTP: "http",
    TrafficKind.FTP: "ftp",
    TrafficKind.DNS: "dns",
}

Filler = Callable[[Traffic, PlacedValue, Fields, Path], Traffic]


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
    traffic = Traffic(name, kinds[0] if kinds else TrafficKind.CONNECT, client, span=value.span)
    duration = fields.take("duration")
    traffic = replace(
        traffic,
        start=fields.duration("at"),
        duration=None if duration is None else fields.duration("duration"),
        connections=fields.integer("connections", 1, 1, 1_000_000),
        interval=fields.duration("every"),
        source_ports=_ports(fields),
        timeout=fields.duration("timeout", traffic.timeout),
    )
    family = fields.choice("family", ("ipv4", "ipv6"), "")
    if kinds:
        argument = fields.take(kinds[0].value)
        assert argument is not None
        traffic = _FILLERS[traffic.kind](traffic, argument, fields, folder)
        traffic = _server(traffic, fields, nodes, family)
    fields.done()
    return traffic if name and kinds and client else None


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
    if traffic.kind in _NO_SERVER:
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


# -- one for each kind --------------------------------------------------------------


def _inner(value: PlacedValue, traffic: Traffic, fields: Fields) -> Fields:
    return Fields(value, traffic.kind.value, fields.complaints)


def _connect(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    return replace(traffic, port=parse(value, port_named, fields.complaints) or 0)


def _transfer(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``download: 5 MB`` or ``download: {octets: 5 MB, port: 19}``; without octets, as much as ``duration`` allows."""
    service = _SERVICE[traffic.kind]
    if isinstance(value, PlacedScalar) and value.text:
        octets = parse(value, quantities.octets, fields.complaints)
        return replace(traffic, octets=octets, port=SERVICES[service].port)
    inner = _inner(value, traffic, fields)
    made = replace(
        traffic,
        octets=inner.optional("octets", quantities.octets),
        port=inner.get("port", port_named, SERVICES[service].port),
    )
    inner.done()
    if made.octets is None and made.duration is None:
        fields.complaints.error(f"{traffic.kind.value!r} needs octets, or the activity a 'duration'", fields.span)
    return made


def _http(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``http: /index.html``, ``http: {path: /, port: 8080, count: 3}``: so many requests on each connection."""
    if isinstance(value, PlacedScalar):
        return _path(replace(traffic, query=value.text or "/", port=80), value, fields)
    inner = _inner(value, traffic, fields)
    octets = inner.optional("octets", quantities.octets)
    path = inner.text("path", "/" if octets is None else f"/bytes/{octets}")
    inner.exclude("octets", "path")
    made = replace(
        traffic,
        query=path,
        octets=octets,
        port=inner.get("port", port_named, 80),
        count=inner.integer("count", 1, 1, 1_000_000),
    )
    inner.done()
    return _path(made, value, fields)


def _path(traffic: Traffic, value: PlacedValue, fields: Fields) -> Traffic:
    if not traffic.query.startswith("/"):
        fields.complaints.error(f"{traffic.query!r}: a path begins with '/'", value.span)
    return traffic


def _ftp(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``ftp: 1 MB``, ``ftp: {file: report.pdf, mode: active}``."""
    if isinstance(value, PlacedScalar) and value.text:
        octets = parse(value, quantities.octets, fields.complaints)
        return replace(traffic, octets=octets, query=str(octets), port=21)
    inner = _inner(value, traffic, fields)
    inner.exclude("octets", "file")
    octets = inner.optional("octets", quantities.octets)
    made = replace(
        traffic,
        octets=octets,
        query=inner.text("file", "" if octets is None else str(octets)),
        mode=inner.choice("mode", ("passive", "active"), "passive"),
        port=inner.get("port", port_named, 21),
    )
    inner.done()
    return made


def _dns(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``dns: www.example.test``, ``dns: {name: www.example.test, type: AAAA, port: 5353, count: 3}``."""
    if isinstance(value, PlacedScalar):
        return replace(traffic, query=parse(value, str, fields.complaints) or "", port=53)
    inner = _inner(value, traffic, fields)
    kind = inner.choice("type", ("A", "AAAA", "CNAME"), "")
    made = replace(
        traffic,
        query=" ".join(word for word in (inner.required("name"), kind) if word),
        port=inner.get("port", port_named, 53),
        count=inner.integer("count", 1, 1, 1_000_000),
    )
    inner.done()
    return made


def _ping(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``ping: 5`` or ``ping: {count: 5, size: 56}``; ``every`` of the activity is one second unless given."""
    interval = traffic.interval or 1_000_000_000
    if isinstance(value, PlacedScalar) and value.text:
        return replace(traffic, count=fields.integer("ping", 1, 1, 1_000_000), interval=interval)
    inner = _inner(value, traffic, fields)
    made = replace(
        traffic,
        count=inner.integer("count", 1, 1, 1_000_000),
        size=inner.integer("size", 56, 0, 65507),
        interval=inner.duration("every", interval),
    )
    inner.done()
    return made


def _traceroute(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``traceroute: {hops: 30}``."""
    inner = _inner(value, traffic, fields)
    made = replace(traffic, count=inner.integer("hops", 30, 1, 255))
    inner.done()
    return made


def _udp(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``udp: {arrivals: poisson, rate: 1 Mbit/s, size: 1000, port: 9}``; how long, the activity's ``duration`` says."""
    inner = _inner(value, traffic, fields)
    arrivals = inner.choice("arrivals", _ARRIVALS, "constant")
    size = inner.integer("size", 1000, 20, 65507)
    count = inner.take("count")
    made = replace(
        traffic,
        arrivals=arrivals,
        rate=inner.optional("rate", quantities.rate),
        size=size,
        port=inner.get("port", port_named, SERVICES["sink"].port),
        shape=tuple(
            (name, figure) for name in _SHAPES[arrivals] if (figure := inner.optional(name, _FIGURES[name])) is not None
        ),
        count=inner.integer("count", 1, 1, 2**31 - 1) if count is not None else 0,
    )
    inner.done()
    if made.rate is None:
        fields.complaints.error("udp: how much? Say 'rate', such as 1 Mbit/s", value.span)
    if made.duration is None and not made.count:
        fields.complaints.error("udp: how long? Say a 'count', or the activity's 'duration'", value.span)
    return made


def _seconds(text: str) -> float:
    seconds = quantities.duration(text) / 10**9
    if not seconds:
        raise ValueError(f"{text!r}: expected a time above zero")
    return seconds


def _alpha(text: str) -> float:
    """The exponent of Pareto's distribution: at 1 and below it has no mean."""
    try:
        alpha = float(text)
    except ValueError:
        alpha = 0.0
    if not 1 < alpha < 100:
        raise ValueError(f"{text!r}: expected a number above 1")
    return alpha


_FIGURES: dict[str, Callable[[str], float]] = {
    "on": _seconds,
    "off": _seconds,
    "alpha": _alpha,
    "smallest": quantities.octets,
}


def _packets(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``packets: ["tcp 10.0.0.2:1234 > 10.0.0.9:80 flags=syn", {packet: …, times: 3, every: 1 s}]``."""
    specs = []
    for item in as_items(value):
        if isinstance(item, PlacedMapping):
            inner = Fields(item, "a packet", fields.complaints)
            inner.required("packet")
            text = inner.optional("packet", _packet)
            spec = PacketSpec(text or "", inner.integer("times", 1, 1, 1_000_000), inner.duration("every"))
            inner.done()
        else:
            text = parse(item, _packet, fields.complaints)
            spec = PacketSpec(text or "")
        specs.append(spec)
    return replace(traffic, packets=tuple(specs))


def _packet(text: str) -> str:
    try:
        parse_packet(text)
    except InputError as error:
        raise ValueError(f"{text!r}, column {error.span.column}: {error.message}") from error
    return text


def _replay(traffic: Traffic, value: PlacedValue, fields: Fields, folder: Path) -> Traffic:
    return replace(traffic, capture=fields.file("replay", folder))


_FILLERS: dict[TrafficKind, Filler] = {
    TrafficKind.CONNECT: _connect,
    TrafficKind.DOWNLOAD: _transfer,
    TrafficKind.UPLOAD: _transfer,
    TrafficKind.HTTP: _http,
    TrafficKind.FTP: _ftp,
    TrafficKind.DNS: _dns,
    TrafficKind.PING: _ping,
    TrafficKind.TRACEROUTE: _traceroute,
    TrafficKind.UDP: _udp,
    TrafficKind.PACKETS: _packets,
    TrafficKind.REPLAY: _replay,
}
