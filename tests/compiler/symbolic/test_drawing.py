"""Draws are of the set, each packet of it with the same chance, and the count is the number of packets."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.addresses import AddressSet
from compiler.fields import ICMP, TCP, UDP, Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match, layer4
from compiler.policy.packet import Packet, Path, matches
from compiler.semantics.machine import Context
from compiler.symbolic.drawing import Drawing
from compiler.symbolic.space import space

HERE = Context(Family.IPV4, Path.FORWARD, "in", "out", False)
PLAIN = {"traffic_class": IntegerSet.values(0), "ttl": IntegerSet.values(64)}


def small(protocol: int, sources: tuple[int, ...], ports: tuple[int, ...]) -> Match:
    more = {}
    if protocol in (TCP, UDP):
        more = {"destination_port": IntegerSet.values(*ports), "source_port": IntegerSet.values(9)}
    if protocol == TCP:
        more["tcp_flags"] = IntegerSet.values(2)
    if protocol == ICMP:
        more = {"icmp_type": IntegerSet.values(8), "icmp_code": IntegerSet.values(0)}
    source = AddressSet.of(32, ranges=[(one, one) for one in sources])
    destination = AddressSet.of(32, ranges=[(5, 5)])
    return layer4(Match(source=source, destination=destination, protocol=IntegerSet.values(protocol), **more, **PLAIN))


PARTS = st.lists(
    st.builds(
        small,
        st.sampled_from([TCP, UDP, ICMP, 47]),
        st.sets(st.integers(0, 9), min_size=1, max_size=4).map(tuple),
        st.sets(st.integers(0, 9), min_size=1, max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=4,
)


def enumerated(parts: list[Match]) -> set[Packet]:
    """All packets of the parts, one by one."""
    found = set()
    for protocol, source, port in product([TCP, UDP, ICMP, 47], range(10), range(10)):
        fields = {"source_port": 9, "destination_port": port} if protocol in (TCP, UDP) else {}
        fields |= {"tcp_flags": 2} if protocol == TCP else {}
        fields |= {"icmp_type": 8} if protocol == ICMP else {}
        packet = Packet(Family.IPV4, source, 5, protocol, ingress="in", egress="out", **fields)
        if any(matches(part, packet) for part in parts):
            found.add(packet)
    return found


@given(PARTS)
@settings(max_examples=60, deadline=None)
def test_the_count_is_the_number_of_packets_and_every_draw_is_one(parts):
    everything = space(Family.IPV4)
    region = everything.empty
    for part in parts:
        region = region | everything.encode(part)
    drawing = Drawing(region, everything)
    known = enumerated(parts)
    assert drawing.count == len(known)
    drawn = set(drawing.packets(HERE, random.Random(1), 40 * len(known)))
    assert drawn == known


def test_each_packet_has_the_same_chance():
    """A lone packet beside a large set: chi-square over 61 packets, far beyond any luck of the seed."""
    everything = space(Family.IPV4)
    parts = [small(TCP, tuple(range(10)), (0, 1, 2, 3, 4, 5)), small(ICMP, (3,), ())]
    region = everything.encode(parts[0]) | everything.encode(parts[1])
    drawing = Drawing(region, everything)
    assert drawing.count == 61
    number = 61_000
    seen = Counter(drawing.packets(HERE, random.Random(7), number))
    expected = number / 61
    square = sum((count - expected) ** 2 / expected for count in seen.values())
    assert len(seen) == 61
    assert square < 130  # 60 degrees of freedom: one in a million


def test_the_same_source_gives_the_same_packets():
    everything = space(Family.IPV6)
    drawing = Drawing(everything.possible, everything)
    context = HERE._replace(family=Family.IPV6)
    first = list(drawing.packets(context, random.Random(3), 50))
    assert first == list(drawing.packets(context, random.Random(3), 50))
    assert max(packet.source for packet in first) >> 100


def test_what_the_set_does_not_ask_about_stands_still():
    """A moment is no header; but a set that asks for one gets it."""
    everything = space(Family.IPV4)
    (packet,) = Drawing(everything.possible, everything).packets(HERE, random.Random(1), 1)
    assert (packet.week_minute, packet.date_minute) == (0, 0)
    asked = everything.encode(Match(week_minute=IntegerSet.range(100, 199)))
    minutes = {one.week_minute for one in Drawing(asked, everything).packets(HERE, random.Random(1), 200)}
    assert minutes <= set(range(100, 200))
    assert len(minutes) > 50


def test_an_empty_set_is_refused():
    everything = space(Family.IPV4)
    with pytest.raises(ValueError, match="empty"):
        Drawing(everything.empty, everything)
