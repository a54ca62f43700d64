"""A lab drawn: as a tree of lines for a console, and as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from labs.data import render_page
from labs.drawing import Line, Station, addresses_of, end_of, line_label, stations, tree
from labs.reading.services import SERVICES
from labs.topology import Lab, NodeKind

__all__ = ["draw_svg", "draw_text"]

ROW, COLUMN, LEFT, TOP = 68, 300, 70, 50
"""Pixels between rows and between columns, and the margins."""

_SHORT = {NodeKind.HOST: "host", NodeKind.SERVER: "server", NodeKind.SWITCH: "switch"}


def draw_text(lab: Lab) -> str:
    """A tree from the lab's middle outwards; links that close a ring are listed below it."""
    found, lines = stations(lab)
    out = [f"{lab.name}: {_count(len(lab.nodes), 'node')}, {_count(len(lab.links), 'link')}"]
    drawn: set[Line] = set()
    for root, children in tree(found, lines):
        out += ["", _station(found[root])]
        out += _branches(root, children, found, lines, drawn, "")
    rest = [line for line in lines if line not in drawn]
    if rest:
        out += ["", "and these close a ring:"]
        for line in rest:
            label = line_label(line)
            ends = " ── ".join(f"{end.node}:{end.interface}" for end in line.links[0].ends)
            out.append(f"  {ends}  {line.links[0].name}{f' ({label})' if label else ''}{_state(line)}")
    return "\n".join(out) + "\n"


def _branches(
    key: str,
    children: dict[str, list[str]],
    found: dict[str, Station],
    lines: tuple[Line, ...],
    drawn: set[Line],
    indent: str,
) -> Iterator[str]:
    for number, child in enumerate(children[key]):
        last = number == len(children[key]) - 1
        line = next(one for one in lines if set(one.ends) == {key, child})
        drawn.add(line)
        near = end_of(line, key, found)
        label = line_label(line)
        cable = f"{near.interface} ── {line.links[0].name if len(line.links) == 1 else f'{len(line.links)} links'}"
        middle = f"{cable}{f' ({label})' if label else ''}{_state(line)} ── "
        far = end_of(line, child, found).interface if len(line.links) == 1 else ""
        skip = found[child].node.kind in _SHORT and far.startswith(("eth0", "port"))
        yield f"{indent}{'└─' if last else '├─'} {middle}{_station(found[child], '' if skip else far)}"
        yield from _branches(child, children, found, lines, drawn, indent + ("   " if last else "│  "))


def _station(station: Station, interface: str = "") -> str:
    node = station.node
    words = [node.kind.value]
    if node.configuration is not None and node.kind is NodeKind.ROUTER:
        words = [f"{node.configuration.dialect} router"] if node.configuration.policy else ["Linux router"]
    if node.balance is not None:
        words = [f"router, balanced by {node.balance.intent.name} for {node.balance.target}"]
    if node.board is not None:
        words = [f"virtual RouterOS {node.board.version}"]
    if node.wireless:
        words.append("wireless")
    if not node.is_up:
        words.append("DOWN")
    if node.services:
        words.append(" ".join(f"{service.name}:{service.port}" for service in node.services))
    addresses = addresses_of(node)
    if len(station.nodes) > 1:
        addresses = f"{addresses} … {addresses_of(station.nodes[-1])}"
    title = f"{station.title}:{interface}" if interface else station.title
    return f"{title} [{', '.join(words)}]{f'  {addresses}' if addresses else ''}"


def _state(line: Line) -> str:
    return "" if line.links[0].is_up else " DOWN"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


# -- SVG ----------------------------------------------------------------------------


class _Place(NamedTuple):
    x: float
    y: float


def draw_svg(lab: Lab) -> str:
    """An SVG document: columns by distance from the lab's middle, rows by the tree's leaves."""
    found, lines = stations(lab)
    places: dict[str, _Place] = {}
    row = 0.0
    parts = tree(found, lines)
    for root, children in parts:
        row = _set(root, children, found, places, 0, row)
    drawn = [_node(found[key], places[key], is_leaf=not children[key]) for _, children in parts for key in children]
    width = max((place.x + _text_width(station) for station, place in _placed(found, places)), default=0) + LEFT
    height = max((place.y for place in places.values()), default=0) + TOP + 20
    return render_page(
        "topology.svg.j2",
        title=lab.name,
        width=round(width),
        height=round(height),
        nodes=drawn,
        lines=[_line(line, places, found) for line in lines],
    )


def _set(
    key: str,
    children: dict[str, list[str]],
    found: dict[str, Station],
    places: dict[str, _Place],
    depth: int,
    row: float,
) -> float:
    """Place a station and what hangs on it; returns the next free row."""
    first = row
    for child in children[key]:
        row = _set(child, children, found, places, depth + 1, row)
    if not children[key]:
        row += 1
    places[key] = _Place(LEFT + depth * COLUMN, TOP + (first + row - 1) / 2 * ROW)
    return row


def _placed(found: dict[str, Station], places: dict[str, _Place]) -> Iterator[tuple[Station, _Place]]:
    return ((found[key], place) for key, place in places.items())


def _text_width(station: Station) -> int:
    """Pixels that the texts beside a station take, by and large."""
    return 30 + max(8 * len(station.title), 6 * len(_below(station)))


def _below(station: Station) -> str:
    """The small line: addresses and services of hosts, the dialect of routers."""
    node = station.node
    below = addresses_of(node) if node.kind in (NodeKind.HOST, NodeKind.SERVER) else ""
    if len(station.nodes) > 1:
        below = f"{below} …"
    elif node.configuration is not None and node.configuration.policy is not None and node.kind is NodeKind.ROUTER:
        below = node.configuration.dialect
    if node.board is not None:
        below = f"RouterOS {node.board.version}"
    services = " ".join(
        one.name if one.port == SERVICES[one.name].port else f"{one.name}:{one.port}" for one in node.services
    )
    return " · ".join(text for text in (below, services) if text)


def _node(station: Station, place: _Place, *, is_leaf: bool) -> dict[str, object]:
    node = station.node
    return {
        "x": round(place.x),
        "y": round(place.y),
        "kind": (NodeKind.ROUTER if node.board is not None else node.kind).value,
        "title": station.title,
        "below": _below(station),
        "tip": f"{station.title}: {addresses_of(node) or node.kind.value}",
        "many": len(station.nodes) > 1,
        "is_up": node.is_up,
        "is_leaf": is_leaf,
    }


def _line(line: Line, places: dict[str, _Place], found: dict[str, Station]) -> dict[str, object]:
    near, far = sorted(places[key] for key in line.ends)
    link = line.links[0]
    return {
        "x1": round(near.x),
        "y1": round(near.y),
        "x2": round(far.x),
        "y2": round(far.y),
        # Near the far end, where lines of one station have parted.
        "lx": round(near.x + 0.6 * (far.x - near.x)),
        "ly": round(near.y + 0.6 * (far.y - near.y)),
        "labels": _label_lines(line_label(line)),
        "name": link.name if len(line.links) == 1 else "",
        "wireless": any(found[key].node.wireless for key in line.ends),
        "is_up": link.is_up,
    }


def _label_lines(label: str) -> list[str]:
    """A long label on two lines: what differs by direction first."""
    words = label.split(", ")
    if len(label) <= 26 or len(words) < 3:
        return [label] if label else []
    return [", ".join(words[:2]), ", ".join(words[2:])]
