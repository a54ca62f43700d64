"""What depends on a node that cannot be realised: the traffic whose way may lead through it."""

from __future__ import annotations

from typing import Any

from labs.requests import addresses_of
from labs.topology import Lab, Traffic, TrafficKind

__all__ = ["depends"]


def depends(lab: Lab, traffic: Traffic, node: str) -> bool:
    """Whether the node lies on some way between client and server.

    That is so when it shares a biconnected component with an edge drawn between
    the two. Packets that are sent raw, and those to addresses of no node, may go anywhere.
    """
    import networkx

    if traffic.client == node:
        return True
    if traffic.kind in (TrafficKind.PACKETS, TrafficKind.REPLAY) or not traffic.server:
        return True
    server = _server(lab, traffic)
    if server is None or server == node:
        return True
    graph: networkx.Graph[Any] = networkx.Graph()
    for link in lab.links:
        graph.add_edge(link.ends[0].node, link.ends[1].node)
    graph.add_edge(traffic.client, server)
    pair = {traffic.client, server}
    groups: Any = networkx.biconnected_components(graph)
    return any(pair <= group and node in group for group in groups)


def _server(lab: Lab, traffic: Traffic) -> str | None:
    if lab.node(traffic.server) is not None:
        return traffic.server
    from compiler.addresses import parse_address

    try:
        address, width = parse_address(traffic.server)
    except ValueError:
        return None
    for node in lab.nodes:
        if any(family.width == width and own == address for family, own in addresses_of(node)):
            return node.name
    return None
