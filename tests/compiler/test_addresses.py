"""Wildcards and address sets against their plainest meaning, in small spaces and in large."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard, format_address, parse_address

BYTE = st.integers(0, 255)
SMALL = st.builds(lambda value, mask: Wildcard.of(value, mask, 8), BYTE, BYTE)
RANGES = st.lists(st.tuples(BYTE, BYTE), max_size=3)
SETS = st.builds(lambda ranges, wildcards: AddressSet.of(8, ranges, wildcards), RANGES, st.lists(SMALL, max_size=3))


def plain(addresses: AddressSet | Wildcard) -> set[int]:
    return {address for address in range(256) if addresses.contains(address)}


@given(BYTE, BYTE, BYTE)
def test_the_rule_of_the_router(value, mask, address):
    wildcard = Wildcard.of(value, mask, 8)
    assert wildcard.contains(address) == ((address ^ value) & ~mask & 0xFF == 0)
    assert wildcard.value == value & ~mask


@given(SMALL)
def test_runs_are_maximal_ascending_and_counted_before(wildcard):
    runs = list(wildcard.runs())
    assert len(runs) == wildcard.run_count()
    assert {address for low, high in runs for address in range(low, high + 1)} == plain(wildcard)
    assert all(low <= high for low, high in runs)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(runs))
    assert wildcard.size() == len(plain(wildcard))


@given(SMALL, SMALL)
def test_wildcard_algebra(left, right):
    both = left.intersection(right)
    assert (set() if both is None else plain(both)) == plain(left) & plain(right)
    assert left.issubset(right) == (plain(left) <= plain(right))
    pieces = left.complement()
    assert {address for piece in pieces for address in plain(piece)} == set(range(256)) - plain(left)
    assert sum(piece.size() for piece in pieces) == 256 - left.size()


@given(SETS, SETS)
def test_set_algebra(left, right):
    assert plain(left.union(right)) == plain(left) | plain(right)
    assert plain(left.intersection(right)) == plain(left) & plain(right)
    assert plain(left.complement()) == set(range(256)) - plain(left)


@given(SETS)
def test_runs_hull_and_prefixes_cover_just_the_set(addresses):
    assert {address for low, high in addresses.runs() for address in range(low, high + 1)} == plain(addresses)
    assert len(addresses.runs()) <= addresses.run_count()
    low, high = addresses.hull()
    assert not plain(addresses) or (low, high) == (min(plain(addresses)), max(plain(addresses)))
    assert addresses.is_empty == (not plain(addresses))


@given(RANGES, st.lists(SMALL, max_size=3), st.randoms(use_true_random=False))
def test_a_small_set_has_one_form_however_it_is_written(ranges, wildcards, source):
    assume(sum(wildcard.run_count() for wildcard in wildcards) <= 64)
    first = AddressSet.of(8, ranges, wildcards)
    parts = [*ranges, *((low, high) for wildcard in wildcards for low, high in wildcard.runs())]
    source.shuffle(parts)
    assert AddressSet.of(8, parts) == first


@given(st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 32) - 1))
def test_prefixes_are_least(first, last):
    low, high = min(first, last), max(first, last)
    blocks = AddressSet.of(32, ((low, high),)).prefixes()
    assert blocks[0].value == low
    assert blocks[-1].value | blocks[-1].mask == high
    for before, after in pairwise(blocks):
        assert (before.value | before.mask) + 1 == after.value
        # Two neighbours of one size that could be one prefix would have been one.
        assert not (before.mask == after.mask and not before.value & (before.mask + 1))


@cache
def every_wildcard() -> frozenset[frozenset[int]]:
    """What each of the 6,561 wildcards over eight bits holds."""
    pairs = ((value, mask) for mask in range(256) for value in range(256) if not value & mask)
    return frozenset(frozenset(plain(Wildcard.of(value, mask, 8))) for value, mask in pairs)


@given(RANGES, st.lists(SMALL, max_size=2))
def test_as_wildcard_finds_it_when_there_is_one(ranges, wildcards):
    assume(sum(wildcard.run_count() for wildcard in wildcards) <= 64)
    addresses = AddressSet.of(8, ranges, wildcards)
    wildcard = addresses.as_wildcard()
    assert (wildcard is not None) == (frozenset(plain(addresses)) in every_wildcard())
    assert wildcard is None or plain(wildcard) == plain(addresses)


def test_case_3_of_the_paper_is_counted_before_it_is_built():
    wildcard = Wildcard.of(0xAC100600, 0x0000FFF8)
    assert (wildcard.run_count(), wildcard.size()) == (8192, 8192)
    assert AddressSet.of(32, wildcard.runs()) == AddressSet.wildcard(wildcard)


def test_an_enormous_wildcard_costs_nothing():
    wildcard = Wildcard.of(1, int("5" * 32, 16) & ~1, 128)
    assert wildcard.run_count() == 2 ** (64 - 1)
    assert AddressSet.wildcard(wildcard).complement().complement().contains(1)


@given(st.integers(0, (1 << 128) - 1), st.sampled_from([32, 128]))
def test_text_and_back(value, width):
    value &= (1 << width) - 1
    assert parse_address(format_address(value, width)) == (value, width)


@pytest.mark.parametrize(
    "text", ["1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.-4", "", "²1.2.3.4", "::g", "1:2", "1.2.3.4 "]
)
def test_what_is_no_address(text):
    with pytest.raises(ValueError, match="is not an IPv"):
        parse_address(text)


def test_values_wider_than_the_space_are_refused():
    with pytest.raises(ValueError, match="wider"):
        Wildcard.of(1 << 32, 0)
