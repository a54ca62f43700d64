"""Sets of packets by their words: what is in them, the laws of joining and taking away, and wrong use."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.addresses import AddressSet, parse_address
from compiler.errors import UsageError
from compiler.fields import ICMP, TCP, UDP, Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match
from compiler.policy.packet import Packet, matches
from compiler.symbolic.space import space
from compiler.testing.headers import Headers, packets

ADDRESSES = (
    "",
    "10.1.0.1",
    "10.1.0.0/24",
    "10.1.0.0 0.0.255.254",
    "10.1.0.1-10.1.0.9",
    "10.1.0.2,10.2.0.0/16",
    "2001:db8::/64",
)
SERVICES = ("", "tcp", "udp", "icmp", "icmp/echo", "tcp/80", "tcp/80,443", "udp/53", "tcp/1024-65535")

parts = st.builds(packets, st.sampled_from(ADDRESSES[:-1]), st.sampled_from(ADDRESSES[:-1]), st.sampled_from(SERVICES))


def single(protocol: int, source: int, destination: int, port: int) -> Packet:
    carries = protocol in (TCP, UDP)
    return Packet(
        Family.IPV4,
        source,
        destination,
        protocol,
        source_port=1025 if carries else 0,
        destination_port=port if carries else 0,
        icmp_type=8 if protocol == ICMP else 0,
    )


single_packets = st.builds(
    single,
    st.sampled_from([TCP, UDP, ICMP, 47]),
    st.sampled_from([parse_address(one)[0] for one in ("10.1.0.1", "10.1.0.2", "10.1.0.10", "10.2.7.7", "192.0.2.1")]),
    st.sampled_from([parse_address(one)[0] for one in ("10.1.0.1", "10.1.0.9", "10.1.1.1", "10.2.7.7")]),
    st.sampled_from([53, 80, 443, 1024, 65535]),
)


def has(headers: Headers, packet: Packet) -> bool:
    width = packet.family.width
    fields = ("protocol", "source_port", "destination_port", "icmp_type", "icmp_code")
    one = Match(
        source=AddressSet.of(width, ranges=[(packet.source,) * 2]),
        destination=AddressSet.of(width, ranges=[(packet.destination,) * 2]),
        **{name: IntegerSet.values(getattr(packet, name)) for name in fields},
    )
    family_space = space(packet.family)
    return bool((headers.encode(family_space) & family_space.encode(one)).satisfiable())


@settings(deadline=None)
@given(parts, single_packets)
def test_a_set_has_the_packets_that_its_words_match(headers, packet):
    (part,) = headers.parts
    assert has(headers, packet) == matches(part.match, packet)


@settings(deadline=None)
@given(st.lists(parts, min_size=1, max_size=3), st.lists(parts, max_size=3), single_packets)
def test_joining_and_taking_away_are_what_they_are_for_single_packets(joined, without, packet):
    headers = reduce(lambda left, right: left | right, joined)
    wanted = any(has(one, packet) for one in joined) and not any(has(one, packet) for one in without)
    for one in without:
        headers = headers - one
    assert has(headers, packet) == wanted


@settings(deadline=None, max_examples=50)
@given(parts, parts, parts)
def test_laws(a, b, c):
    here = space(Family.IPV4)

    def same(left: Headers, right: Headers) -> bool:
        return bool(left.encode(here) == right.encode(here))

    assert same(a | b, b | a)
    assert same((a | b) | c, a | (b | c))
    assert same(a | a, a)
    assert same(a - b - c, a - c - b)
    assert same(a - b - c, a - (b | c))
    assert not (a - a).encode(here).satisfiable()


def test_families_and_layer_four():
    assert packets().families == tuple(Family)
    assert packets("10.0.0.0/8").families == (Family.IPV4,)
    assert packets("2001:db8::/32").families == (Family.IPV6,)
    assert (packets("10.0.0.0/8") | packets("2001:db8::/32")).families == tuple(Family)
    assert (packets() - packets("10.0.0.0/8")).families == tuple(Family)
    assert not packets("2001:db8::/32").encode(space(Family.IPV4)).satisfiable()
    assert packets(service="tcp").halves == (False, True)
    assert packets(service="tcp/80").halves == (False,)
    assert (packets(service="tcp") - packets(service="tcp/80")).halves == (False, True)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (packets(), "any packet"),
        (packets("10.0.0.0/8", "", "tcp/80"), "tcp/80 from 10.0.0.0/8"),
        (packets(destination="10.0.0.1", service="icmp/echo"), "icmp echo to 10.0.0.1"),
        (packets(protocol="udp", source_port="53"), "udp from port 53"),
        (packets("10.0.0.1") | packets("10.0.0.2"), "packets from 10.0.0.1 or packets from 10.0.0.2"),
        (packets("10.0.0.0/8") - packets(service="tcp"), "packets from 10.0.0.0/8 but not tcp"),
    ],
)
def test_sets_are_said_as_they_were_asked_for(headers, said):
    assert str(headers) == said


def test_the_short_form_is_the_long_form():
    assert (
        packets(service="tcp/80,443").parts[0].match
        == packets(protocol="tcp", destination_port="80,443").parts[0].match
    )
    assert packets(service="icmp/echo").parts[0].match == packets(protocol="icmp", icmp="echo").parts[0].match


@pytest.mark.parametrize(
    "make",
    [
        lambda: packets("10.0.0.0/40"),
        lambda: packets("nobody"),
        lambda: packets("10.0.0.1", "2001:db8::1"),
        lambda: packets(service="tcp/http/80"),
        lambda: packets(service="tcp/99999"),
        lambda: packets(service="nonsense/80"),
        lambda: packets(service="icmp/80,nonsense"),
        lambda: packets(service="tcp/80", protocol="tcp"),
        lambda: packets(service="tcp/80", destination_port="80"),
        lambda: packets(service="icmp/echo", icmp="echo"),
        lambda: packets(service="icmp/echo", destination_port="80"),
        lambda: packets(protocol="icmp", source_port="80"),
        lambda: (packets() - packets("10.0.0.1")) | packets(),
        lambda: packets() | (packets() - packets("10.0.0.1")),
        lambda: packets() - (packets() - packets("10.0.0.1")),
    ],
)
def test_wrong_words(make):
    with pytest.raises(UsageError) as failed:
        make()
    assert len(str(failed.value)) > 10
