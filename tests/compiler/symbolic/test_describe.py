"""A described set is the set: the products are disjoint, and their union is the whole."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import TCP, UDP, Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match, layer4
from compiler.symbolic.describe import describe
from compiler.symbolic.space import space

ADDRESSES = st.sampled_from(
    [
        None,
        AddressSet.wildcard(Wildcard.of(0x0A000000, 0xFF)),
        AddressSet.wildcard(Wildcard.of(0x0A000001, 0xF0)),
        AddressSet.wildcard(Wildcard.of(0xAC100600, 0xFFF8)),
        AddressSet.of(32, ((0x0A000003, 0x0A000011),)),
    ]
)
PORTS = st.sampled_from([None, IntegerSet.values(21), IntegerSet.range(20, 1023), IntegerSet.of([(1, 5), (9, 9)])])
MATCHES = st.builds(
    lambda source, destination, protocol, ports: layer4(
        Match(source=source, destination=destination, protocol=protocol, destination_port=ports)
    ),
    ADDRESSES,
    ADDRESSES,
    st.sampled_from([IntegerSet.values(TCP), IntegerSet.values(UDP), IntegerSet.values(TCP, UDP)]),
    PORTS,
)


@settings(deadline=None)
@given(st.lists(st.tuples(MATCHES, st.booleans()), min_size=1, max_size=5))
def test_products_are_disjoint_and_whole(parts):
    family_space = space(Family.IPV4)
    packets = family_space.empty
    for match, adds in parts:
        encoded = family_space.encode(match)
        packets = packets | encoded if adds else packets & ~encoded
    matches, whole = describe(packets, family_space, 10_000)
    assert whole
    union = family_space.empty
    for match in matches:
        encoded = family_space.encode(match)
        assert not (union & encoded).satisfiable()
        union = union | encoded
    assert union == packets


def test_a_limit_is_told():
    family_space = space(Family.IPV4)
    packets = family_space.empty
    for number in range(40):
        packets = packets | family_space.encode(
            Match(
                source=AddressSet.of(32, ((number * 7, number * 7),)),
                destination=AddressSet.of(32, ((number * number, number * number),)),
            )
        )
    matches, whole = describe(packets, family_space, 10)
    assert len(matches) == 10
    assert not whole


def test_one_wildcard_stays_one_rule():
    family_space = space(Family.IPV4)
    wildcard = AddressSet.wildcard(Wildcard.of(0xAC100600, 0x0000FFF8))
    matches, whole = describe(family_space.encode(Match(source=wildcard)), family_space, 5)
    assert (matches, whole) == ((Match(source=wildcard),), True)
