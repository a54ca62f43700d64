"""From a set of packets to one packet: the plainest that shows the point."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import ICMP, ICMP_PROTOCOLS, ICMPV6, PORT_PROTOCOLS, TCP, Family
from compiler.integers import IntegerSet
from compiler.policy.packet import Packet
from compiler.semantics.machine import Context
from compiler.symbolic.space import PacketSpace

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["packet_from", "plainest_packet", "random_packet", "shortest_packet"]

_PLAIN: dict[str, int] = {
    "protocol": TCP,
    "destination_port": 80,
    "source_port": 1025,
    "tcp_flags": 0x02,
    "icmp_type": 8,
    "icmp_code": 0,
    "traffic_class": 0,
    "ttl": 64,
    "ttl_out": 63,
    "week_minute": 0,
    "date_minute": 0,
}
"""The values of a packet that nobody wonders about: a TCP connection's first segment."""

_ADDRESSES = {
    Family.IPV4: {"source": 0xC0000201, "destination": 0xC6336401},  # 192.0.2.1, 198.51.100.1 (RFC 5737)
    Family.IPV6: {"source": 0x20010DB8 << 96 | 1, "destination": 0x20010DB8 << 96 | 2},  # RFC 3849
}


def shortest_packet(region: BDDFunction, space: PacketSpace, context: Context) -> Packet:
    """The packet of the shortest path: as few header bits demanded as possible. ``region`` is not empty."""
    cube: dict[int, bool] = {}
    node = region
    for variable, value, below in _shortest_path(node):
        cube[variable] = value
        node = below
    return packet_from(cube, space, context)


def plainest_packet(region: BDDFunction, space: PacketSpace, context: Context) -> Packet:
    """A packet that a person would choose, as far as the region has such: TCP before UDP, SYN, a host's address.

    ``region`` is not empty.
    """
    for name, wishes in _wishes(space.family):
        for wish in wishes:
            narrower = region & space.field(name, wish)
            if narrower.satisfiable():
                region = narrower
                break
    return shortest_packet(region, space, context)


def _wishes(family: Family) -> Iterator[tuple[str, tuple[IntegerSet | AddressSet, ...]]]:
    """What people like to see, the most telling field first; of each the first value that there is."""

    def values(*numbers: int) -> tuple[IntegerSet, ...]:
        return tuple(IntegerSet.values(number) for number in numbers)

    four = family is Family.IPV4
    yield "protocol", values(TCP, 17, ICMP if four else ICMPV6)
    yield "tcp_flags", values(_PLAIN["tcp_flags"])
    yield "destination_port", values(80, 443, 22, 21, 53)
    yield "icmp_type", values(8 if four else 128)
    for name in ("source", "destination"):
        ends = (Wildcard.of(end, (1 << family.width) - 256, family.width) for end in (1, 2, 10))
        own = AddressSet.of(family.width, ranges=[(_ADDRESSES[family][name],) * 2])
        yield name, (own, *(AddressSet.wildcard(wildcard) for wildcard in ends))
    for name in ("source_port", "traffic_class", "ttl"):
        yield name, values(_PLAIN[name])


def random_packet(region: BDDFunction, space: PacketSpace, context: Context, source: random.Random) -> Packet:
    """A packet of the region: a random path, free bits random. Not uniform. ``region`` is not empty."""
    cube: dict[int, bool] = {}
    node = region
    while (children := node.cofactors()) is not None:
        positive, negative = children
        value = source.random() < 0.5
        if not (positive if value else negative).satisfiable():
            value = not value
        variable = node.node_var()
        assert variable is not None
        cube[variable] = value
        node = positive if value else negative
    for variable in range(space.size):
        cube.setdefault(variable, source.random() < 0.5)
    return packet_from(cube, space, context)


def packet_from(cube: dict[int, bool], space: PacketSpace, context: Context) -> Packet:
    """A packet with the given header bits; free fields take plain values, free bits of others zero.

    A non-initial fragment keeps the layer-4 bits that were asked for: what nft
    reads there is its payload.
    """
    values: dict[str, int] = {}
    asked: set[str] = set()
    for name, (first, width) in space.layout.items():
        bits = [cube.get(first + offset) for offset in range(width)]
        if all(bit is None for bit in bits):
            values[name] = _PLAIN.get(name, 0) or _ADDRESSES[space.family].get(name, 0)
        else:
            asked.add(name)
            values[name] = int("".join("1" if bit else "0" for bit in bits), 2)
    if "protocol" not in asked and asked & {"icmp_type", "icmp_code"}:
        values["protocol"] = ICMP if space.family is Family.IPV4 else ICMPV6
    # The field before the router and the one after it are one number apart.
    if "ttl_out" in asked and "ttl" not in asked:
        values["ttl"] = min(values["ttl_out"] + 1, 255)
    protocol, fragment = values["protocol"], context.noninitial
    for name, carriers in (
        ("source_port", PORT_PROTOCOLS),
        ("destination_port", PORT_PROTOCOLS),
        ("icmp_type", ICMP_PROTOCOLS),
        ("icmp_code", ICMP_PROTOCOLS),
    ):
        if not carriers.contains(protocol) or (fragment and name not in asked):
            values[name] = 0
    if protocol != TCP or (fragment and "tcp_flags" not in asked):
        values["tcp_flags"] = 0
    values.pop("ttl_out")
    return Packet(
        context.family,
        noninitial=fragment,
        ingress=context.ingress,
        egress=context.egress,
        path=context.path,
        **values,
    )


def _shortest_path(region: BDDFunction) -> list[tuple[int, bool, BDDFunction]]:
    """The path to true with the fewest decisions, as (variable, value, node below)."""
    best: dict[BDDFunction, tuple[int, bool]] = {}

    def length(node: BDDFunction) -> int:
        """Decisions from the node to true; a large number when there is no way."""
        children = node.cofactors()
        if children is None:
            return 0 if node.satisfiable() else 1 << 30
        known = best.get(node)
        if known is None:
            positive, negative = length(children[0]), length(children[1])
            known = (1 + min(positive, negative), positive < negative)
            best[node] = known
        return known[0]

    length(region)
    path = []
    node = region
    while (children := node.cofactors()) is not None:
        value = best[node][1]
        variable = node.node_var()
        assert variable is not None
        node = children[0] if value else children[1]
        path.append((variable, value, node))
    return path
