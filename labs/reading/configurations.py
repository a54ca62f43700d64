"""Routers and modems: the device's own configuration, joined with what the lab file adds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from compiler.dialects import DIALECTS, detect
from compiler.errors import InputError, InputErrors
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.placed.addresses import address, default_prefix, prefix
from compiler.placed.complaints import Complaints
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedValue
from compiler.policy.access_list import Device
from compiler.policy.network import (
    CheckGateway,
    Interface,
    InterfaceAddress,
    Network,
    NextHop,
    Prefix,
    Route,
    RouteKind,
    RoutingRule,
    RuleAction,
)
from compiler.policy.ruleset import Ruleset
from compiler.policy.stateful import MarkIn, Register
from compiler.source import Span
from labs.topology import Configuration

__all__ = [
    "Addresses",
    "beside",
    "configuration",
    "configuration_text",
    "modem_configuration",
    "read_configuration",
    "text_of",
]

Addresses = dict[str, tuple[tuple[InterfaceAddress, ...], PlacedScalar]]
"""Interfaces that the lab file names, with their addresses and the place of the name."""

_MASQUERADE = """\
table inet modem {{
	chain postrouting {{
		type nat hook postrouting priority srcnat; policy accept;
		oifname "{uplink}" masquerade
	}}
}}
"""


def configuration(fields: Fields, folder: Path, name: str, interfaces: Addresses) -> Configuration:
    """What the router does: its file (if it has one) and the lab file's interfaces, routes and rules."""
    complaints = fields.complaints
    dialect = fields.choice("dialect", DIALECTS, "")
    path, text, source = configuration_text(fields, folder)
    policy: Device | Ruleset | None = None
    network = Network(source=source or name, dialect=dialect or "nftables")
    if text:
        dialect = dialect or detect(text)
        bare = replace(network, dialect=dialect)
        policy, network = read_configuration(text, source, dialect, complaints) or (None, bare)
    elif dialect and "configuration" not in fields:
        complaints.error(f"{fields.what} has a dialect, but no configuration", fields.place("dialect"))
    network = beside(network, fields, name, interfaces)
    return Configuration(network.dialect, path, policy, network, text)


def beside(network: Network, fields: Fields, name: str, interfaces: Addresses) -> Network:
    """What a configuration says, with the ``interfaces``, ``routes`` and ``rules`` that the lab file puts beside it."""
    complaints = fields.complaints
    multipath = fields.choice("multipath", ("l3", "l4", "l3-inner"), "")
    tracking = fields.take("tracking")
    network = replace(
        network,
        hostname=network.hostname or name,
        interfaces=_joined(network, interfaces, complaints),
        routes=network.routes + _routes(fields),
        rules=network.rules + _rules(fields),
        multipath_policy=multipath or network.multipath_policy,
    )
    return network if tracking is None else replace(network, tracking=parse(tracking, _tracking, complaints))


def modem_configuration(name: str, uplink: str, interfaces: Addresses, fields: Fields) -> Configuration:
    """A modem masquerades towards its uplink and routes the rest there: an nftables rule set says so."""
    text = _MASQUERADE.format(uplink=uplink)
    read = read_configuration(text, f"{name}.nft", "nftables", fields.complaints)
    network = Network(source=name, dialect="nftables", hostname=name)
    policy = read[0] if read else None
    routes = _routes(fields)
    for item in as_items(fields.take("gateway")):
        gateway = parse(item, address, fields.complaints)
        if gateway is not None:
            routes += (Route(default_prefix(gateway[0]), (NextHop(gateway[1]),), span=item.span),)
    network = replace(network, interfaces=_joined(network, interfaces, fields.complaints), routes=routes)
    return Configuration("nftables", None, policy, network, text)


def configuration_text(fields: Fields, folder: Path) -> tuple[Path | None, str, str]:
    """Path, text and source name of the configuration: a file, or a block after ``|`` in the lab file itself."""
    value = fields.take("configuration")
    if isinstance(value, PlacedScalar) and value.literal:
        # Line ends before the text make its lines those of the lab file, so that errors point there.
        return None, "\n" * value.span.line + value.text, value.span.source
    path = fields.file("configuration", folder)
    if path is None:
        return None, "", ""
    return path, text_of(path, fields.place("configuration"), fields.complaints), str(path)


def text_of(path: Path, place: Span, complaints: Complaints) -> str:
    """A file's text; empty after a complaint."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        complaints.error(f"cannot read {path.name!r}: {error}", place)
        return ""
    if not text.strip():
        complaints.error(f"{path.name!r} is empty", place)
        return ""
    return text


def read_configuration(
    text: str, source: str, dialect: str, complaints: Complaints
) -> tuple[Device | Ruleset, Network] | None:
    """Policy and network of a text, as lenient as the simulator; None after complaints."""
    from compiler.dialects import read, read_network

    found: list[InputError] = []
    policy: Device | Ruleset | None = None
    network: Network | None = None
    try:
        policy = read(text, source, dialect=dialect, unmodelled="simulate")
    except InputErrors as errors:
        found += errors.errors
    except InputError as error:
        found.append(error)
    try:
        # A rule set has no addresses and no routes: the lab file says those.
        bare = Network(source=source, dialect=dialect)
        network = bare if dialect == "nftables" else read_network(text, source, dialect=dialect)
    except InputErrors as errors:
        found += errors.errors
    except InputError as error:
        found.append(error)
    # Both readers may stumble over one word.
    complaints.adopt({(error.span, error.message): error for error in found}.values())
    return None if policy is None or network is None else (policy, network)


def _joined(network: Network, interfaces: Addresses, complaints: Complaints) -> tuple[Interface, ...]:
    """The configuration's interfaces with the lab file's addresses, then those that only the lab file has."""
    joined = []
    for interface in network.interfaces:
        extra, key = interfaces.get(interface.name, ((), None))
        doubled = [one for one in extra if one in interface.addresses]
        if doubled and key is not None:
            complaints.error(f"the configuration gives {key.text!r} that address already", key.span)
        joined.append(replace(interface, addresses=interface.addresses + extra))
    known = {interface.name for interface in network.interfaces}
    joined += [
        Interface(name, addresses, span=key.span) for name, (addresses, key) in interfaces.items() if name not in known
    ]
    return tuple(joined)


# -- routes -------------------------------------------------------------------------


def _routes(fields: Fields) -> tuple[Route, ...]:
    return tuple(
        route
        for item in as_items(fields.take("routes"))
        if (route := _route(Fields(item, "a route", fields.complaints), item)) is not None
    )


def _route(fields: Fields, value: PlacedValue) -> Route | None:
    """``{to, via, dev, table, metric, type, src, check}``, as ``ip route`` calls them."""
    hops = _next_hops(fields)
    destination = fields.required("to", "a network, or 'default'")
    kind = RouteKind(fields.choice("type", [one.value for one in RouteKind], "unicast"))
    source = fields.optional("src", address)
    route = Route(
        Prefix(Family.IPV4, 0, 0),
        hops,
        fields.text("table", "main"),
        fields.integer("metric", 1),
        kind,
        CheckGateway(fields.choice("check", [one.value for one in CheckGateway], "none")),
        preferred_source=source[1] if source else None,
        span=value.span,
    )
    fields.done()
    place = fields.take("to")
    if not destination or place is None:
        return None
    if destination == "default":
        six = any(hop.address is not None and hop.address >= 1 << 32 for hop in hops)
        return replace(route, prefix=default_prefix(Family.IPV6 if six else Family.IPV4))
    network = parse(place, prefix, fields.complaints)
    if kind is RouteKind.UNICAST and not hops:
        fields.complaints.error("a route needs 'via' or 'dev' (or a 'type' such as blackhole)", fields.span)
    return replace(route, prefix=network) if network else None


def _next_hops(fields: Fields) -> tuple[NextHop, ...]:
    device = fields.text("dev")
    hops = []
    for item in as_items(fields.take("via")):
        if isinstance(item, PlacedMapping):
            inner = Fields(item, "a next hop", fields.complaints)
            gateway = inner.optional("address", address)
            hops.append(
                NextHop(gateway[1] if gateway else None, inner.text("dev", device), inner.integer("weight", 1, 1, 256))
            )
            inner.done()
            continue
        gateway = parse(item, address, fields.complaints)
        if gateway is not None:
            hops.append(NextHop(gateway[1], device))
    return tuple(hops) or ((NextHop(None, device),) if device else ())


def _rules(fields: Fields) -> tuple[RoutingRule, ...]:
    return tuple(_rule(Fields(item, "a rule", fields.complaints), item) for item in as_items(fields.take("rules")))


def _rule(fields: Fields, value: PlacedValue) -> RoutingRule:
    """``{priority, from, to, iif, mark, table, type, suppress, family}``, as ``ip rule`` calls them."""
    source, destination = fields.optional("from", prefix), fields.optional("to", prefix)
    given = source or destination
    family = fields.choice("family", ("ipv4", "ipv6"), "")
    suppress = fields.take("suppress")
    fields.required("priority", "rules are looked at in ascending priority")
    rule = RoutingRule(
        Family.IPV6 if family == "ipv6" else given.family if given else Family.IPV4,
        fields.integer("priority", 0),
        fields.text("table", "main"),
        RuleAction(fields.choice("type", [one.value for one in RuleAction], "lookup")),
        source,
        destination,
        fields.text("iif"),
        fields.optional("mark", _mark),
        None if suppress is None else fields.integer("suppress", 0, 0, 128),
        span=value.span,
    )
    fields.done()
    return rule


def _mark(text: str) -> MarkIn:
    """``0x1/0xff``: the mark under the mask has that value."""
    value_text, slash, mask_text = text.partition("/")
    try:
        value, mask = int(value_text, 0), int(mask_text, 0) if slash else 0xFFFFFFFF
    except ValueError:
        raise ValueError(f"{text!r}: expected a mark such as '1' or '0x1/0xff'") from None
    if not (0 <= value <= 0xFFFFFFFF and 0 <= mask <= 0xFFFFFFFF):
        raise ValueError(f"{text!r}: a mark has 32 bits")
    if value & ~mask:
        raise ValueError(f"{text!r} never matches: the value has bits outside the mask")
    return MarkIn(Register.PACKET, IntegerSet.values(value), mask)


def _tracking(text: str) -> bool:
    if text not in ("on", "off", "true", "false"):
        raise ValueError(f"{text!r}: expected on or off")
    return text in ("on", "true")
