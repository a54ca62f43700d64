"""Who hears whom without a router: the segments that switches join, and static neighbours in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from compiler.policy.network import InterfaceAddress
from labs.kernel.namespaces import Namespace
from labs.kernel.neighbours import set_neighbours
from labs.topology import Attachment, Lab, NodeKind

__all__ = ["Station", "forget_unanswered", "introduce", "segments"]

_INCOMPLETE, _FAILED = 0x01, 0x20  # NUD_…
_TICK = 10_000_000
"""Nanoseconds of the unit of a neighbour's times (USER_HZ)."""


class Station(NamedTuple):
    """An interface with addresses on a segment."""

    namespace: Namespace
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
            others = (
                (family, address, other.link_address)
                for other in members
                if other is not station
                for family, address, _ in other.addresses
            )
            set_neighbours(station.namespace, station.number, others)


def forget_unanswered(station: Station, age: int) -> None:
    """Drop the neighbours that the station has asked for in vain since ``age`` ns ago: the next packet asks anew.

    What waits for an older question is left alone: it would be lost, and the question is repeated each second.
    """
    ticks = age // _TICK + 1
    for message in list(station.namespace.routing.get_neighbours(ifindex=station.number)):
        if message["ifindex"] == station.number and message["state"] & (_INCOMPLETE | _FAILED):
            asked = message.get_attr("NDA_CACHEINFO")
            if asked is None or asked["ndm_updated"] <= ticks:
                station.namespace.routing.neigh(
                    "del", family=message["family"], dst=message.get_attr("NDA_DST"), ifindex=station.number
                )
