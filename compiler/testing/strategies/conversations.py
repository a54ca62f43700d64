"""Conversations: who of a network speaks to whom, and the packet that begins it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from hypothesis import strategies as st

from compiler.fields import ICMP, ICMPV6, TCP, UDP, Family
from compiler.policy.packet import Packet
from compiler.policy.packet_text import format_packet
from compiler.testing.networks.model import NetworkModel
from compiler.testing.strategies.packets import DrawnPacket

__all__ = ["SERVICES", "Conversation", "Service", "conversations", "opening"]

Service = tuple[int, int]
"""A protocol, and a destination port where it has ports."""

SERVICES: tuple[Service, ...] = ((TCP, 80), (TCP, 443), (TCP, 22), (UDP, 53), (ICMP, 0))


class Conversation(NamedTuple):
    """A host begins, another is meant to hear and answer it."""

    source: str
    destination: str
    packet: Packet

    def __repr__(self) -> str:
        return f"{self.source} to {self.destination}: {format_packet(self.packet)}"


def conversations(model: NetworkModel, *, services: Iterable[Service] = SERVICES) -> st.SearchStrategy[Conversation]:
    """Two hosts of the network, and the first packet between them: a SYN, a datagram, an echo request.

    The hosts stand in the order in which the network has them, the first one
    simplest; of two families that both have the first is taken.
    """
    found = tuple(
        Conversation(one.name, other.name, packet)
        for service in services
        for one in model.hosts
        for other in model.hosts
        if (packet := opening(model, one.name, other.name, service)) is not None
    )
    return st.sampled_from(found)


def opening(model: NetworkModel, source: str, destination: str, service: Service, port: int = 1025) -> Packet | None:
    """The first packet of a connection; None to oneself, or where the two have no family in common."""
    ends = {host.name: host.addresses for host in model.hosts}
    if source == destination:
        return None
    for mine in ends[source]:
        for theirs in ends[destination]:
            if mine.family is theirs.family:
                protocol, number = service
                fields: dict[str, Any] = {"source_port": port, "destination_port": number}
                if protocol == TCP:
                    fields["tcp_flags"] = 0x02
                elif protocol == ICMP:
                    four = mine.family is Family.IPV4
                    fields, protocol = {"icmp_type": 8 if four else 128}, ICMP if four else ICMPV6
                return DrawnPacket(mine.family, mine.address, theirs.address, protocol, **fields)
    return None
