"""What a drawing of a lab shows: stations (nodes, or many alike as one), the tree that they hang on, and lines."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from compiler.addresses import format_address
from compiler.errors import UsageError
from compiler.placed.quantities import format_duration, format_octets, format_rate
from compiler.policy.network import InterfaceAddress
from labs.topology import Attachment, HostAddress, Lab, Link, LinkDirection, Node, NodeKind

__all__ = ["Line", "Station", "addresses_of", "end_of", "figures", "line_label", "stations", "tree"]

MANY = 8
"""So many leaves of one kind on one node are drawn as one."""

_RANK = {NodeKind.ROUTER: 3, NodeKind.ROUTEROS: 3, NodeKind.SWITCH: 2, NodeKind.MODEM: 1}


class Station(NamedTuple):
    """What is drawn as one: a node, or several alike that hang on the same one."""

    nodes: tuple[Node, ...]

    @property
    def key(self) -> str:
        """The name of its first node."""
        return self.nodes[0].name

    @property
    def node(self) -> Node:
        """Its first node."""
        return self.nodes[0]

    @property
    def title(self) -> str:
        """Its name: ``client-0.1 … client-255.254 (67)``."""
        if len(self.nodes) == 1:
            return self.key
        return f"{self.key} … {self.nodes[-1].name} ({len(self.nodes)})"


class Line(NamedTuple):
    """What is drawn as one line: a link between two stations, or those of several leaves."""

    links: tuple[Link, ...]
    ends: tuple[str, str]


def stations(lab: Lab) -> tuple[dict[str, Station], tuple[Line, ...]]:
    """Stations by the names of their first nodes, and the lines between them."""
    ports: dict[str, list[Link]] = defaultdict(list)
    for link in lab.links:
        for end in link.ends:
            ports[end.node].append(link)
    groups: dict[tuple[object, ...], list[Node]] = defaultdict(list)
    for node in lab.nodes:
        links = ports[node.name]
        alike: tuple[object, ...] = (node.name,)
        if len(links) == 1 and node.kind is NodeKind.HOST:
            alike = (_other(links[0], node.name), node.kind, node.wireless, node.is_up)
        groups[alike].append(node)
    found: dict[str, Station] = {}
    of: dict[str, str] = {}
    for group in groups.values():
        for nodes in [tuple(group)] if len(group) >= MANY else [(node,) for node in group]:
            found[nodes[0].name] = Station(nodes)
            of |= {node.name: nodes[0].name for node in nodes}
    lines: dict[tuple[object, ...], list[Link]] = defaultdict(list)
    for link in lab.links:
        ends = of[link.ends[0].node], of[link.ends[1].node]
        several = len(found[ends[0]].nodes) > 1 or len(found[ends[1]].nodes) > 1
        lines[ends if several else (*ends, link.name)].append(link)
    return found, tuple(Line(tuple(links), (str(key[0]), str(key[1]))) for key, links in lines.items())


def _other(link: Link, node: str) -> str:
    return link.ends[1].node if link.ends[0].node == node else link.ends[0].node


def tree(found: dict[str, Station], lines: tuple[Line, ...]) -> list[tuple[str, dict[str, list[str]]]]:
    """For each connected part of the lab its root and the children of each station, in the lab's order."""
    try:
        import networkx
    except ImportError as missing:
        raise UsageError("drawings need networkx: pip install 'gerbang[labs]'") from missing
    graph: networkx.Graph[str] = networkx.Graph()
    graph.add_nodes_from(found)
    graph.add_edges_from(line.ends for line in lines)
    order = {key: number for number, key in enumerate(found)}
    parts = []
    for part in sorted(networkx.connected_components(graph), key=lambda keys: min(order[key] for key in keys)):
        root = max(part, key=lambda key: (*_middle(found[key].node), -order[key]))
        children: dict[str, list[str]] = {key: [] for key in sorted(part, key=order.__getitem__)}
        for parent, child in networkx.bfs_edges(
            graph, root, sort_neighbors=lambda keys: sorted(keys, key=order.__getitem__)
        ):
            children[parent].append(child)
        parts.append((root, children))
    return parts


def _middle(node: Node) -> tuple[int, bool, int]:
    """What makes a node the middle of a drawing: a router with a policy, a router, a switch; then its ports."""
    decides = node.configuration is not None and node.configuration.policy is not None
    return _RANK.get(node.kind, 0), decides, len(node.interfaces)


# -- words --------------------------------------------------------------------------


def figures(way: LinkDirection) -> str:
    """``3 Mbit/s, 10 ms, queue 50, loss 0.1 %``; empty for a plain cable."""
    words = []
    if way.rate is not None:
        words.append(format_rate(way.rate))
    if way.delay:
        words.append(format_duration(way.delay))
    if way.queue_octets is not None:
        words.append(f"queue {format_octets(way.queue_octets)}")
    elif way.queue not in (None, LinkDirection().queue):
        words.append(f"queue {way.queue}")
    if way.loss:
        words.append(f"loss {way.loss * 100:g} %")
    return ", ".join(words)


def line_label(line: Line) -> str:
    """The figures of a line; ``↑`` is the way from its first end to its second."""
    link = line.links[0]
    up, down = figures(link.up), figures(link.down)
    if up == down:
        return up
    shared = [word for word in up.split(", ") if word in down.split(", ")]
    ways = [
        f"{arrow} {', '.join(word for word in text.split(', ') if word not in shared)}"
        for arrow, text in (("↑", up), ("↓", down))
    ]
    return ", ".join([*ways, *shared])


def addresses_of(node: Node, interface: str = "") -> str:
    """A node's addresses, or those of one interface."""
    own: list[HostAddress | InterfaceAddress] = []
    if node.configuration is None:
        own = [one for one in node.addresses if interface in ("", one.interface)]
    else:
        for one in node.configuration.network.interfaces:
            own += one.addresses if interface in ("", one.name) else ()
    return ", ".join(f"{format_address(one.address, one.family.width)}/{one.length}" for one in own)


def end_of(line: Line, key: str, found: dict[str, Station]) -> Attachment:
    """The end of a line at a station."""
    names = {node.name for node in found[key].nodes}
    link = line.links[0]
    return link.ends[0] if link.ends[0].node in names else link.ends[1]
