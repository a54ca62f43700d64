"""The links of a lab file: cables with rates and delays, and which interface each end is plugged into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from compiler.dialects.interface_names import in_full
from compiler.placed import quantities
from compiler.placed.complaints import Complaints, near
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedSequence, PlacedValue, kind_of
from compiler.source import Span
from labs.reading.expansion import expand
from labs.reading.names import NAME
from labs.topology import Attachment, Link, LinkDirection, Node, NodeKind

__all__ = ["WIRELESS", "direction", "plug", "read_links"]

WIRELESS = LinkDirection(rate=25_000_000, delay=2_000_000)
"""Figures of a wireless client's link where the lab file gives none: half of 802.11g's 54 Mbit/s less its overhead."""


class _End(NamedTuple):
    node: str
    interface: str
    span: Span


class _Draft(NamedTuple):
    name: str
    ends: tuple[_End, _End]
    link: Link


def read_links(
    value: PlacedValue | None, nodes: Mapping[str, Node], complaints: Complaints
) -> tuple[tuple[Link, ...], dict[str, Node]]:
    """The links, and the nodes with the interfaces that links made up for them."""
    drafts = []
    for item in as_items(value):
        for (copy,) in expand((item,), complaints):
            draft = _draft(copy, nodes, complaints)
            if draft is not None:
                drafts.append(draft)
    plugged, known = plug([draft.ends for draft in drafts], nodes, complaints)
    links: dict[str, Link] = {}
    for draft, ends in zip(drafts, plugged, strict=True):
        if ends is None:
            continue
        name = draft.name or _made_up(ends, links)
        if name in links:
            complaints.error(f"there are two links {name!r}", draft.link.span)
        links[name] = replace(draft.link, name=name, ends=ends)
    return tuple(links.values()), known


def _made_up(ends: tuple[Attachment, Attachment], links: Mapping[str, Link]) -> str:
    base = f"{ends[0].node}-{ends[1].node}"
    name, number = base, 1
    while name in links:
        number += 1
        name = f"{base}-{number}"
    return name


def _draft(value: PlacedValue, nodes: Mapping[str, Node], complaints: Complaints) -> _Draft | None:
    nowhere = Attachment("", "")
    if isinstance(value, PlacedSequence):
        ends = _ends(value, nodes, complaints)
        plain = _default(ends, nodes)
        return _Draft("", ends, Link("", (nowhere, nowhere), plain, plain, span=value.span)) if ends else None
    fields = Fields(value, "a link", complaints)
    name = fields.text("name")
    if name and not NAME.match(name):
        complaints.error(f"{name!r} is no name: expected letters, digits, '-', '_' and '.'", fields.place("name"))
    place = fields.take("ends")
    if place is None:
        complaints.error("a link needs 'ends', such as [pc, router:ether1]", fields.span)
    ends = _ends(place, nodes, complaints) if place is not None else None
    both = direction(fields, _default(ends, nodes))
    up, down = (
        both if (inner := fields.take(way)) is None else _one_way(inner, f"{way} of a link", both, complaints)
        for way in ("up", "down")
    )
    link = Link(
        name,
        (nowhere, nowhere),
        up,
        down,
        fields.integer("mtu", 1500, 68, 65535),
        fields.choice("state", ("up", "down"), "up") == "up",
        value.span,
    )
    fields.done()
    return _Draft(name, ends, link) if ends else None


def _one_way(value: PlacedValue, what: str, default: LinkDirection, complaints: Complaints) -> LinkDirection:
    fields = Fields(value, what, complaints)
    made = direction(fields, default)
    fields.done()
    return made


def direction(fields: Fields, default: LinkDirection) -> LinkDirection:
    """``rate``, ``delay``, ``queue`` and ``loss`` of a mapping, over a default."""
    frames, octets = default.queue, default.queue_octets
    queue = fields.take("queue")
    if queue is not None:
        made = parse(queue, _queue, fields.complaints)
        frames, octets = made if made is not None else (frames, octets)
    return LinkDirection(
        fields.get("rate", _rate, default.rate),
        fields.duration("delay", default.delay),
        frames,
        octets,
        fields.get("loss", quantities.share, default.loss),
    )


def _rate(text: str) -> int | None:
    return None if text in ("unlimited", "none") else quantities.rate(text)


def _queue(text: str) -> tuple[int | None, int | None]:
    """Frames and octets: ``50 packets``, ``64 KiB``, ``unlimited``."""
    if text in ("unlimited", "none"):
        return None, None
    try:
        return quantities.packets(text), None
    except ValueError as error:
        if text.isdigit():
            raise
        try:
            return None, quantities.octets(text)
        except ValueError:
            raise error from None


def _ends(value: PlacedValue, nodes: Mapping[str, Node], complaints: Complaints) -> tuple[_End, _End] | None:
    if not isinstance(value, PlacedSequence) or len(value.items) != 2:
        given = f"{len(value.items)} ends" if isinstance(value, PlacedSequence) else kind_of(value)
        complaints.error(f"a link has two ends, such as [pc, router:ether1], not {given}", value.span)
        return None
    ends = []
    for item in value.items:
        text = parse(item, str, complaints)
        if text is None:
            continue
        node, _, interface = text.partition(":")
        if node in nodes:
            ends.append(_End(node, _in_full(interface, nodes[node]), item.span))
        else:
            complaints.error(f"unknown node {node!r}{near(node, nodes)}", item.span)
    return (ends[0], ends[1]) if len(ends) == 2 else None


def _in_full(interface: str, node: Node) -> str:
    """``Gi0/1`` as the configuration of a Cisco router spells it."""
    policy = node.configuration.policy if node.configuration else None
    return in_full(interface, policy) if policy is not None and interface not in node.interfaces else interface


def _default(ends: tuple[_End, _End] | None, nodes: Mapping[str, Node]) -> LinkDirection:
    return WIRELESS if ends and any(nodes[end.node].wireless for end in ends) else LinkDirection()


# -- plugging in --------------------------------------------------------------------


def plug(
    pairs: list[tuple[_End, _End]], nodes: Mapping[str, Node], complaints: Complaints
) -> tuple[list[tuple[Attachment, Attachment] | None], dict[str, Node]]:
    """Find the interface of each end: those that are named first, then the free ones in their order."""
    used: dict[tuple[str, str], Span] = {}
    made: dict[str, list[str]] = {name: list(node.interfaces) for name, node in nodes.items()}
    for end in (end for pair in pairs for end in pair if end.interface):
        _named(end, nodes[end.node], made[end.node], used, complaints)
    ports = {name: _free_ports(node, frozenset(made[name])) for name, node in nodes.items() if _grows(node)}
    plugged: list[tuple[Attachment, Attachment] | None] = []
    for pair in pairs:
        ends = [_plugged(end, nodes[end.node], made[end.node], used, ports, complaints) for end in pair]
        plugged.append(None if ends[0] is None or ends[1] is None else (ends[0], ends[1]))
    return plugged, {name: replace(node, interfaces=tuple(made[name])) for name, node in nodes.items()}


def _named(
    end: _End, node: Node, interfaces: list[str], used: dict[tuple[str, str], Span], complaints: Complaints
) -> None:
    place = end.node, end.interface
    if place in used:
        complaints.error(
            f"{end.node}:{end.interface} has a link already (line {used[place].line}): a cable has one end", end.span
        )
    used[place] = end.span
    if end.interface in interfaces:
        return
    if _grows(node):
        interfaces.append(end.interface)
    else:
        complaints.error(f"{end.node} has no interface {end.interface!r}{near(end.interface, interfaces)}", end.span)


def _grows(node: Node) -> bool:
    """Whether links make its ports: a switch, and a virtual RouterOS that does not say which it has.

    And a router whose configuration could not be read, which has been complained about already.
    """
    if node.kind is NodeKind.ROUTEROS:
        return not node.interfaces
    return node.kind is NodeKind.SWITCH or (node.kind is NodeKind.ROUTER and node.configuration is None)


def _free_ports(node: Node, taken: frozenset[str]) -> Iterator[str]:
    """``port1``, ``port2`` … without those that links name. A switch of thousands of ports asks once for each."""
    word = "port" if node.kind is NodeKind.SWITCH else "ether"
    return (port for number in count(1) if (port := f"{word}{number}") not in taken)


def _plugged(
    end: _End,
    node: Node,
    interfaces: list[str],
    used: dict[tuple[str, str], Span],
    ports: Mapping[str, Iterator[str]],
    complaints: Complaints,
) -> Attachment | None:
    if end.interface:
        return Attachment(end.node, end.interface)
    if _grows(node):
        port = next(ports[node.name])
        interfaces.append(port)
        return Attachment(end.node, port)
    free = [name for name in interfaces if (end.node, name) not in used]
    if len(free) == 1 or (free and node.kind in (NodeKind.HOST, NodeKind.SERVER)):
        used[end.node, free[0]] = end.span
        return Attachment(end.node, free[0])
    if not free:
        complaints.error(f"{end.node} has no interface left: it has {', '.join(interfaces) or 'none'}", end.span)
    else:
        complaints.error(f"which interface of {end.node}? Say {end.node}:{free[0]} (free: {', '.join(free)})", end.span)
    return None
