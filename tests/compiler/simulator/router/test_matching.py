"""Compiled matches mean what ``policy.packet.matches`` means."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compiler.addresses import AddressSet
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match
from compiler.policy.packet import Packet
from compiler.policy.packet import matches as means
from compiler.simulator.frame import Datagram
from compiler.simulator.router.matching import predicate
from tests.compiler.dialects.nftables.rulesets import matches


def datagram_of(packet: Packet) -> Datagram:
    made = Datagram(
        packet.family,
        packet.source,
        packet.destination,
        packet.protocol,
        100,
        packet.source_port,
        packet.destination_port,
        packet.tcp_flags,
        packet.icmp_type,
        packet.icmp_code,
        ttl=packet.ttl,
    )
    made.traffic_class = packet.traffic_class
    made.fragment_offset = 64 if packet.noninitial else 0
    return made


def corners(values: IntegerSet | None, top: int) -> list[int]:
    """Numbers at the edges of a set, simplest first."""
    edges = {0, top}
    for low, high in values.intervals if values is not None else ():
        edges |= {max(low - 1, 0), low, high, min(high + 1, top)}
    return sorted(edges)


def addresses(wanted: AddressSet | None, width: int) -> list[int]:
    top = (1 << width) - 1
    edges = {0, top}
    if wanted is not None:
        for low, high in wanted.ranges:
            edges |= {max(low - 1, 0), low, high, min(high + 1, top)}
        for one in wanted.wildcards:
            edges |= {one.value, one.value | one.mask, one.value ^ 1}
    return sorted(edges)


@st.composite
def questions(draw) -> tuple[Match, Packet]:
    """A match, and a packet at its corners."""
    family = draw(st.sampled_from(Family))
    match = draw(matches(family))
    sent = draw(st.sampled_from((family, *Family)))
    widths = {"protocol": 8, "source_port": 16, "destination_port": 16, "tcp_flags": 8, "icmp_type": 8}
    widths |= {"icmp_code": 8, "traffic_class": 8, "ttl": 8}
    fields = {
        name: draw(st.sampled_from(corners(getattr(match, name), (1 << width) - 1))) for name, width in widths.items()
    }
    for name in ("source", "destination"):
        fields[name] = draw(st.sampled_from(addresses(getattr(match, name), sent.width))) & (1 << sent.width) - 1
    names = st.sampled_from(("", "eth0", "ppp7", "wan"))
    return match, Packet(
        sent, **fields, noninitial=draw(st.booleans()), ingress=draw(names), egress=draw(names), week_minute=5
    )


@given(questions())
def test_a_predicate_means_its_match(question):
    match, packet = question
    asked = predicate(match)
    now = (packet.week_minute, packet.date_minute)
    assert asked(datagram_of(packet), packet.ingress, packet.egress, now) == means(match, packet)


def test_time_is_asked_of_the_moment():
    match = Match(week_minute=IntegerSet.range(60, 119), date_minute=IntegerSet.range(5, 9))
    asked = predicate(match)
    datagram = Datagram(Family.IPV4, 1, 2, 17, 28)
    assert [asked(datagram, "", "", now) for now in ((60, 5), (119, 9), (120, 9), (60, 4))] == [
        True,
        True,
        False,
        False,
    ]


def test_many_intervals_are_looked_up():
    match = Match(protocol=IntegerSet.values(*range(0, 60, 2)))
    asked = predicate(match)
    for protocol in range(60):
        assert asked(Datagram(Family.IPV4, 1, 2, protocol, 28), "", "", (0, 0)) == (protocol % 2 == 0)
