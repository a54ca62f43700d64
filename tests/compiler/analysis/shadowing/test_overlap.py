"""The overlap index never misses an overlap; brute force by ``intersect`` is the judge."""

from hypothesis import given
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.analysis.shadowing.columns import shape
from compiler.analysis.shadowing.overlap import OverlapIndex
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match, intersect


@given(st.data(), st.sampled_from(Family))
def test_never_misses_an_overlap(tiny_matches, data, family):
    matches = data.draw(st.lists(tiny_matches(family), max_size=8))
    query = data.draw(tiny_matches(family))
    before = data.draw(st.one_of(st.none(), st.integers(0, 8)))
    index = OverlapIndex(matches, family)
    expected = [
        position
        for position, match in enumerate(matches)
        if (before is None or position < before) and intersect(match, query) is not None
    ]
    found = index.overlapping(query, before)
    assert found == sorted(set(found))
    assert set(expected) <= set(found)
    assert index.overlapping(query, before, exact=True) == expected


def test_realistic_lists_against_brute_force(realistic):
    matches = realistic(400, 7)
    index = OverlapIndex(matches, Family.IPV4)
    excess = 0
    for query in matches[::5]:
        expected = {position for position, match in enumerate(matches) if intersect(match, query) is not None}
        found = set(index.overlapping(query))
        assert expected <= found
        excess += len(found - expected)
    assert excess < 80  # single wildcards and ranges are told apart exactly but for a few mixtures


def test_odd_masks_are_compared_bit_by_bit():
    fours = Match(source=AddressSet.wildcard(Wildcard.of(0, 0xFC)))
    ones = Match(source=AddressSet.wildcard(Wildcard.of(1, 0xFC)))
    index = OverlapIndex([fours, ones], Family.IPV4)
    assert index.overlapping(Match(source=AddressSet.wildcard(Wildcard.of(5, 0)))) == [1]
    assert index.overlapping(ones) == [1]


def test_groups_are_told_apart_range_by_range():
    def group(family, *numbers):
        return Match(source=AddressSet.of(family.width, [(number, number) for number in numbers]))

    for family in Family:
        index = OverlapIndex([group(family, 0, 100), group(family, 50, 150), group(family, 60)], family)
        assert index.overlapping(group(family, 0, 150)) == ([0, 1] if family is Family.IPV4 else [0, 1, 2])
        assert index.overlapping(group(family, 60)) == [2]
        assert index.overlapping(group(family, 40, 200)) == ([] if family is Family.IPV4 else [2])


def test_the_low_half_of_ipv6_addresses_is_compared():
    low = Match(source=AddressSet.wildcard(Wildcard.of(1 << 127 | 1, 0xF0, 128)))
    high = Match(source=AddressSet.wildcard(Wildcard.of(1 << 127 | 2, 0xF0, 128)))
    assert OverlapIndex([low, high], Family.IPV6).overlapping(high) == [1]


def test_other_families_and_empty_sets_overlap_nothing():
    other = Match(family=Family.IPV6)
    empty = Match(protocol=IntegerSet(()))
    index = OverlapIndex([other, Match(), empty], Family.IPV4)
    assert index.overlapping(Match()) == [1]
    assert index.overlapping(other) == []
    assert index.overlapping(empty) == []


def test_fragments_are_told_apart():
    index = OverlapIndex([Match(noninitial=True), Match(noninitial=False), Match()], Family.IPV4)
    assert index.overlapping(Match(noninitial=False)) == [1, 2]
    assert index.overlapping(Match()) == [0, 1, 2]


def test_an_empty_index():
    assert OverlapIndex([], Family.IPV4).overlapping(Match()) == []
    assert len(OverlapIndex([], Family.IPV4)) == 0


@given(st.data(), st.sampled_from(Family))
def test_the_shape_holds_every_member(tiny_matches, data, family):
    match = data.draw(tiny_matches(family))
    for addresses in (match.source, match.destination):
        if addresses is None:
            continue
        found = shape(addresses)
        members = [end for low, high in addresses.ranges for end in (low, high)]
        members += [end for one in addresses.wildcards for end in (one.value, one.value | one.mask)]
        for member in members:
            assert found.low <= member <= found.high
            assert (member ^ found.value) & found.care == 0
