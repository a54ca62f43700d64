"""What each kind of activity is told: one function for each, from its value in the lab file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from compiler.errors import InputError
from compiler.placed import quantities
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedValue
from compiler.policy.packet_text import parse_packet
from labs.reading.programs import read_command
from labs.reading.services import SERVICES, name_asked_for, port_named
from labs.topology import PacketSpec, Traffic, TrafficKind

__all__ = ["FILLERS", "SERVICE_OF", "Filler"]

Filler = Callable[[Traffic, PlacedValue, Fields, Path], Traffic]
"""Makes the activity whole: given what is common to all, the kind's value, the activity's fields, the lab's folder."""

_ARRIVALS = ("constant", "poisson", "on-off", "heavy-tailed")
_SHAPES = {
    "constant": (),
    "poisson": (),
    "on-off": ("on", "off"),
    "heavy-tailed": ("alpha", "smallest"),
}
"""Further figures of arrivals: mean seconds on and off; Pareto's exponent, and the least transfer in octets."""

SERVICE_OF = {
    TrafficKind.DOWNLOAD: "source",
    TrafficKind.UPLOAD: "discard",
    TrafficKind.HTTP: "http",
    TrafficKind.FTP: "ftp",
    TrafficKind.DNS: "dns",
    TrafficKind.FORUM: "forum",
}
"""What an activity needs at the other end."""


def _inner(value: PlacedValue, traffic: Traffic, fields: Fields) -> Fields:
    return Fields(value, traffic.kind.value, fields.complaints)


def _connect(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    return replace(traffic, port=parse(value, port_named, fields.complaints) or 0)


def _transfer(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``download: 5 MB`` or ``download: {octets: 5 MB, port: 19}``; without octets, as much as ``duration`` allows."""
    service = SERVICE_OF[traffic.kind]
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
        return replace(traffic, query=parse(value, name_asked_for, fields.complaints) or "", port=53)
    inner = _inner(value, traffic, fields)
    inner.required("name")
    kind = inner.choice("type", ("A", "AAAA", "CNAME"), "")
    made = replace(
        traffic,
        query=" ".join(word for word in (inner.get("name", name_asked_for, ""), kind) if word),
        port=inner.get("port", port_named, 53),
        count=inner.integer("count", 1, 1, 1_000_000),
    )
    inner.done()
    return made


def _forum(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``forum: 20 kB``, ``forum: {visits: [0 s, 3 s, 134 s], octets, port}``, else ``connections``."""
    port = SERVICES["forum"].port
    if isinstance(value, PlacedScalar) and value.text:
        return replace(traffic, octets=parse(value, quantities.octets, fields.complaints), port=port)
    inner = _inner(value, traffic, fields)
    given = [parse(item, quantities.duration, fields.complaints) for item in as_items(inner.take("visits"))]
    moments = tuple(moment for moment in given if moment is not None)
    if list(moments) != sorted(moments):
        fields.complaints.error("visits: one after the other expected", inner.place("visits"))
    if moments and ("connections" in fields or "every" in fields):
        fields.complaints.error("'visits' and 'connections' exclude each other", inner.place("visits"))
    octets = inner.optional("octets", quantities.octets)
    made = replace(traffic, octets=octets, port=inner.get("port", port_named, port), moments=moments)
    inner.done()
    return replace(made, connections=len(moments)) if moments else made


def _ping(traffic: Traffic, value: PlacedValue, fields: Fields, _: Path) -> Traffic:
    """``ping: 5`` or ``ping: {count: 5, size: 56}``; ``every`` of the activity is one second unless given."""
    interval = 1_000_000_000 if fields.take("every") is None else traffic.interval
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


def _run(traffic: Traffic, value: PlacedValue, fields: Fields, folder: Path) -> Traffic:
    """``run: python3 clients/send.py``, ``run: {command: [python3, send.py], folder: clients}``."""
    for key in ("duration", "source_ports", "family"):
        if key in fields:
            fields.complaints.error(f"a command has no {key!r}: it does what it does", fields.place(key))
    return replace(traffic, command=read_command(value, "run", fields.complaints, folder))


FILLERS: dict[TrafficKind, Filler] = {
    TrafficKind.CONNECT: _connect,
    TrafficKind.DOWNLOAD: _transfer,
    TrafficKind.UPLOAD: _transfer,
    TrafficKind.HTTP: _http,
    TrafficKind.FTP: _ftp,
    TrafficKind.DNS: _dns,
    TrafficKind.FORUM: _forum,
    TrafficKind.PING: _ping,
    TrafficKind.TRACEROUTE: _traceroute,
    TrafficKind.UDP: _udp,
    TrafficKind.PACKETS: _packets,
    TrafficKind.REPLAY: _replay,
    TrafficKind.RUN: _run,
}
