"""Matches as products of sets: intersection, the law of carried fields, interfaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import TCP, UDP, Family, flags_any
from compiler.integers import IntegerSet
from compiler.policy.match import ANY, InterfaceSet, Match, intersect, layer4, without_layer4
from compiler.policy.packet import Packet, matches

NAMES = ["ppp", "ppp0", "ppp1", "eth0", "p"]
INTERFACES = st.builds(
    InterfaceSet, st.frozensets(st.sampled_from(["ppp*", "ppp0", "eth0", "p*", "eth*"]), min_size=1), st.booleans()
)
MATCHES = st.builds(
    lambda family, source, protocol, port, flags, noninitial: layer4(
        Match(
            family=family,
            source=source,
            protocol=protocol,
            destination_port=port,
            tcp_flags=flags,
            noninitial=noninitial,
        )
    ),
    st.sampled_from([None, Family.IPV4, Family.IPV6]),
    st.sampled_from([None, AddressSet.wildcard(Wildcard.of(8, 0xF5)), AddressSet.of(32, ((3, 12),))]),
    st.sampled_from([None, IntegerSet.values(TCP), IntegerSet.values(TCP, UDP)]),
    st.sampled_from([None, IntegerSet.values(80), IntegerSet.range(79, 90)]),
    st.sampled_from([None, flags_any(0x14)]),
    st.sampled_from([None, False]),
)
PACKETS = st.builds(
    lambda source, protocol, port, flags, later: Packet(
        Family.IPV4, source, 1, protocol, 0, 0 if later else port, flags, noninitial=later
    ),
    st.integers(0, 16),
    st.sampled_from([TCP, UDP, 47]),
    st.sampled_from([0, 79, 80, 91]),
    st.sampled_from([0x02, 0x10]),
    st.booleans(),
)


@given(MATCHES, MATCHES, PACKETS)
def test_intersection_is_both(left, right, packet):
    both = intersect(left, right)
    inside = both is not None and matches(both, packet)
    assert inside == (matches(left, packet) and matches(right, packet))


@given(MATCHES)
def test_any_is_neutral(match):
    assert intersect(match, ANY) == intersect(ANY, match) == match


@given(INTERFACES, INTERFACES, st.sampled_from(NAMES))
def test_interfaces_of_both(left, right, name):
    try:
        both = intersect(Match(ingress=left), Match(ingress=right))
    except ValueError:  # a pattern without some of its names
        assert left.negated != right.negated
        return
    inside = both is not None and both.ingress is not None and both.ingress.contains(name)
    assert inside == (left.contains(name) and right.contains(name))


def test_layer_4_narrows_the_protocol_and_leaves_later_fragments_out():
    match = layer4(Match(destination_port=IntegerSet.values(53)))
    assert match.noninitial is False
    assert match.protocol is not None
    assert match.protocol.contains(UDP)
    assert not match.protocol.contains(1)
    flags = layer4(Match(tcp_flags=flags_any(0x10)))
    assert flags.protocol == IntegerSet.values(TCP)
    assert layer4(ANY) == ANY


def test_the_layer_3_part_takes_every_fragment():
    match = layer4(Match(protocol=IntegerSet.values(TCP), destination_port=IntegerSet.values(80)))
    assert without_layer4(match) == Match(protocol=IntegerSet.values(TCP))


@pytest.mark.parametrize(("packet_family", "inside"), [(Family.IPV4, True), (Family.IPV6, False)])
def test_addresses_of_another_family_never_match(packet_family, inside):
    match = Match(source=AddressSet.of(32, ((0, 100),)))
    assert matches(match, Packet(packet_family, 5, 6, TCP)) is inside
