"""Who hears whom without a router: the segments that switches join, and static neighbours in them."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

from compiler.addresses import format_address
from compiler.fields import Family
from compiler.policy.network import InterfaceAddress
from labs.kernel.netlink import Routing
from labs.topology import Attachment, Lab, NodeKind

__all__ = ["FAMILIES", "Station", "forget_unanswered", "introduce", "segments"]

_INCOMPLETE, _FAILED, _PERMANENT = 0x01, 0x20, 0x80  # NUD_…
FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}


class Station(NamedTuple):
    """An interface with addresses on a segment."""

    routing: Routing
    number: int
    """Linux's number of the interface."""
    link_address: str
    addresses: tuple[InterfaceAddress, ...]


def segments(lab: Lab) -> tuple[frozenset[Attachment], ...]:
    """The attachments of hosts and routers that share a segment, segment by segment."""
    import networkx

    switches = {node.name for node in lab.nodes if node.kind is NodeKind.SWITCH}
    graph: networkx.Graph[Any] = networkx.Graph()
    for link in lab.links:
        ends = [end.node if end.node in switches else end for end in link.ends]
        graph.add_edge(*ends)
    return tuple(
        frozenset(member for member in component if isinstance(member, Attachment))
        for component in networkx.connected_components(graph)
    )


def introduce(lab: Lab, stations: Mapping[Attachment, Station]) -> None:
    """Tell each station the link addresses of all others on its segment."""
    for segment in segments(lab):
        members = [stations[attachment] for attachment in sorted(segment) if attachment in stations]
        for station in members:
            for other in members:
                if other is station:
                    continue
                for family, address, _ in other.addresses:
                    station.routing.neigh(
                        "replace",
                        family=FAMILIES[family],
                        dst=format_address(address, family.width),
                        lladdr=other.link_address,
                        ifindex=station.number,
                        state=_PERMANENT,
                    )


def forget_unanswered(station: Station) -> None:
    """Drop the neighbours that the station has asked for in vain, so that the next packet asks anew."""
    for message in list(station.routing.get_neighbours(ifindex=station.number)):
        if message["ifindex"] == station.number and message["state"] & (_INCOMPLETE | _FAILED):
            station.routing.neigh(
                "del", family=message["family"], dst=message.get_attr("NDA_DST"), ifindex=station.number
            )
