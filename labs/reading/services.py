"""The services of a server: ``[ftp, http, {name: echo, port: 7777}, {name: dns, zone: {example.test: 192.0.2.1}}]``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from compiler.placed.complaints import near
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedValue
from compiler.placed.quantities import octets
from labs.topology import Service

__all__ = ["SERVICES", "ServiceFacts", "name_asked_for", "port_named", "read_services"]


class ServiceFacts(NamedTuple):
    """What a service listens to by default, and the settings that it knows."""

    port: int
    protocol: str
    settings: frozenset[str] = frozenset()


SERVICES = {
    "echo": ServiceFacts(7, "tcp"),
    "discard": ServiceFacts(9, "tcp"),
    "source": ServiceFacts(19, "tcp"),
    "ftp": ServiceFacts(21, "tcp", frozenset({"file", "passive-ports"})),
    "http": ServiceFacts(80, "tcp", frozenset({"page"})),
    "forum": ServiceFacts(80, "tcp"),
    "dns": ServiceFacts(53, "udp", frozenset({"zone"})),
    "sink": ServiceFacts(9, "udp"),
    "udp-echo": ServiceFacts(7, "udp"),
}
"""Ports of IANA's register: echo 7, discard 9, chargen 19 for ``source``."""

_PORTS = {
    "ftp": 21,
    "ssh": 22,
    "telnet": 23,
    "smtp": 25,
    "dns": 53,
    "http": 80,
    "pop3": 110,
    "imap": 143,
    "https": 443,
    "submission": 587,
    "imaps": 993,
    "pop3s": 995,
}


def port_named(text: str) -> int:
    """A port by number or by its well-known name; ValueError otherwise."""
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    if text in _PORTS:
        return _PORTS[text]
    raise ValueError(f"{text!r} is no port: expected 1 to 65535{near(text, _PORTS)}")


def read_services(fields: Fields) -> tuple[Service, ...]:
    """The list of services; each port at most once a protocol."""
    complaints = fields.complaints
    found: list[Service] = []
    taken: dict[tuple[str, int], str] = {}
    for item in as_items(fields.take("services")):
        service = _service(item, fields)
        if service is None:
            continue
        place = SERVICES[service.name].protocol, service.port
        if place in taken:
            complaints.error(f"{place[0]} port {service.port} is taken by {taken[place]!r}", item.span)
        taken[place] = service.name
        found.append(service)
    return tuple(found)


def _service(item: PlacedValue, fields: Fields) -> Service | None:
    complaints = fields.complaints
    if isinstance(item, PlacedScalar):
        name = parse(item, _known, complaints)
        return None if name is None else Service(name, SERVICES[name].port, span=item.span)
    inner = Fields(item, "a service", complaints)
    if inner.required("name", f"one of {', '.join(SERVICES)}") == "":
        return None
    name = inner.optional("name", _known)
    if name is None:
        return None
    port = inner.get("port", port_named, SERVICES[name].port)
    settings = tuple(
        pair for setting in sorted(SERVICES[name].settings) for pair in _setting(setting, inner.take(setting), inner)
    )
    stands_for = inner.text("stands_for")
    inner.done()
    return Service(name, port, settings, item.span, stands_for)


def _setting(name: str, value: PlacedValue | None, fields: Fields) -> list[tuple[str, str]]:
    """A mapping becomes pairs ``key=value``, a list or a single value one pair for each item."""
    if value is None:
        return []
    complaints = fields.complaints
    pairs = []
    if isinstance(value, PlacedMapping):
        for key, entry in value.entries:
            for item in as_items(entry):
                reader = _READERS[name]
                text = parse(item, partial(reader, key.text), complaints)
                if text is not None:
                    pairs.append((name, text))
        return pairs
    for item in as_items(value):
        text = parse(item, _whole_setting(name), complaints)
        if text is not None:
            pairs.append((name, text))
    return pairs


def _sized(name: str, text: str) -> str:
    return f"{name}={octets(text)}"


def _zone(name: str, text: str) -> str:
    from compiler.simulator.applications.dns_server import parse_zone

    parse_zone((("zone", f"{name}={text}"),))
    return f"{name_asked_for(name)}={text}"


def _no_pairs(name: str, text: str) -> str:
    raise ValueError(f"expected ports such as 50000-50100, not {name}: {text}")


_READERS = {"file": _sized, "page": _sized, "zone": _zone, "passive-ports": _no_pairs}


def _whole_setting(name: str) -> Callable[[str], str]:
    """How a single value of a setting is read: ports for ``passive-ports``; the others want pairs."""

    def read(text: str) -> str:
        if name != "passive-ports":
            raise ValueError(f"{text!r}: expected pairs, such as {{{_EXAMPLES[name]}}}")
        first, _, last = text.partition("-")
        if port_named(first) > port_named(last):
            raise ValueError(f"{text!r}: the first port is above the last")
        return text

    return read


_EXAMPLES = {"file": "report.pdf: 1 MB", "page": "/index.html: 5 kB", "zone": "www.example.test: 192.0.2.1"}


def name_asked_for(text: str) -> str:
    """A name that DNS can carry (RFC 1035, 2.3.4); ValueError otherwise."""
    labels = text.rstrip(".").split(".")
    if len(text) > 253 or not text.isascii() or any(not 0 < len(label) < 64 or " " in label for label in labels):
        raise ValueError(f"{text!r} is no name: expected labels of 1 to 63 characters, such as www.example.test")
    return text


def _known(text: str) -> str:
    if text not in SERVICES:
        raise ValueError(f"{text!r} is no service{near(text, SERVICES)}")
    return text
