"""The faults of a lab file: what breaks and mends, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from compiler.placed.complaints import Complaints, near
from compiler.placed.fields import Fields, as_items
from compiler.placed.places import PlacedValue
from labs.reading.expansion import expand
from labs.reading.links import direction
from labs.topology import Fault, FaultKind, Link, LinkDirection, Node

__all__ = ["read_faults"]

_SILENT = "each"
"""Both ways, one by one: a link that fails in one direction keeps its carrier."""


def read_faults(
    value: PlacedValue | None, nodes: Mapping[str, Node], links: Mapping[str, Link], complaints: Complaints
) -> tuple[Fault, ...]:
    """All faults, by their moments."""
    found = [
        fault
        for item in as_items(value)
        for (copy,) in expand((item,), complaints)
        for fault in _faults(copy, nodes, links, complaints)
    ]
    return tuple(sorted(found, key=lambda fault: fault.at))


def _faults(
    value: PlacedValue, nodes: Mapping[str, Node], links: Mapping[str, Link], complaints: Complaints
) -> Iterator[Fault]:
    """``{at, link|node, state: down, direction, until}``, ``{at, link, flap: …}`` or ``{at, link, change: …}``.

    With ``carrier: kept`` a link that goes down goes silent: it fails both ways, and neither end sees it.
    """
    fields = Fields(value, "a fault", complaints)
    fields.required("at", "when does it happen?")
    at = fields.duration("at")
    fields.exclude("link", "node")
    fields.exclude("state", "flap", "change")
    link = _target(fields, "link", links, complaints)
    node = _target(fields, "node", nodes, complaints)
    if "link" not in fields and "node" not in fields:
        complaints.error("a fault has a 'link' or a 'node'", fields.span)
    flap, change = fields.take("flap"), fields.take("change")
    for key in ("flap", "change", "direction", "carrier"):
        if key in fields and "node" in fields:
            complaints.error(f"{key!r} is for links", fields.place(key))
    state = fields.choice("state", ("down", "up"), "")
    if not any(key in fields for key in ("state", "flap", "change")):
        complaints.error("a fault has a 'state' (down or up), a 'flap' or a 'change'", fields.span)
    way = fields.choice("direction", ("both", "up", "down"), "both")
    fields.exclude("direction", "carrier")
    if fields.choice("carrier", ("lost", "kept"), "lost") == "kept":
        way = _SILENT
        if flap is not None or change is not None or not state:
            complaints.error("'carrier' is for 'state'", fields.place("carrier"))
    until = fields.take("until")
    end = fields.duration("until")
    fields.done()
    if until is not None and (state != "down" or end <= at):
        complaints.error("'until' ends what 'state: down' began, and comes after 'at'", fields.place("until"))
    if flap is not None and link:
        yield _flap(flap, link, at, way, complaints)
    elif change is not None and link:
        yield _change(change, links[link], at, complaints)
    elif state and (link or node):
        kinds = (FaultKind.LINK_DOWN, FaultKind.LINK_UP) if link else (FaultKind.NODE_DOWN, FaultKind.NODE_UP)
        fault = Fault(kinds[state == "up"], link or node, at, way, span=value.span)
        for one in (fault,) if way != _SILENT else (replace(fault, direction=single) for single in ("up", "down")):
            yield one
            if until is not None:
                yield replace(one, kind=kinds[1], at=end)


def _target(fields: Fields, key: str, known: Mapping[str, object], complaints: Complaints) -> str:
    value = fields.take(key)
    name = fields.text(key)
    if value is not None and name and name not in known:
        complaints.error(f"unknown {key} {name!r}{near(name, known)}", value.span)
        return ""
    return name


def _flap(value: PlacedValue, link: str, at: int, way: str, complaints: Complaints) -> Fault:
    """``flap: {count: 3, down: 100 ms, up: 1 s}``."""
    fields = Fields(value, "flap", complaints)
    for key in ("down", "up"):
        fields.required(key)
    fault = Fault(
        FaultKind.LINK_FLAP,
        link,
        at,
        way,
        fields.duration("down"),
        fields.duration("up"),
        fields.integer("count", 1, 1, 1_000_000),
        span=value.span,
    )
    fields.done()
    return fault


def _change(value: PlacedValue, link: Link, at: int, complaints: Complaints) -> Fault:
    """``change: {rate: 1 Mbit/s}`` for both ways, ``change: {up: {…}, down: {…}}`` for each."""
    fields = Fields(value, "change", complaints)
    ways: list[LinkDirection] = []
    for name, old in (("up", link.up), ("down", link.down)):
        both = direction(fields, old)
        inner = fields.take(name)
        if inner is None:
            ways.append(both)
            continue
        one = Fields(inner, f"change {name}", complaints)
        ways.append(direction(one, both))
        one.done()
    fields.done()
    return Fault(FaultKind.LINK_CHANGE, link.name, at, up=ways[0], down=ways[1], span=value.span)
