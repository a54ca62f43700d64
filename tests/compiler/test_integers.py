"""IntegerSet is a set of integers in one form: every operation against Python's own sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compiler.integers import EMPTY, IntegerSet, bit_pattern, full

PAIRS = st.lists(st.tuples(st.integers(0, 31), st.integers(0, 31)), max_size=5)
SETS = PAIRS.map(IntegerSet.of)


def plain(numbers: IntegerSet) -> set[int]:
    return set(numbers.members())


@given(PAIRS)
def test_of_takes_overlapping_adjacent_and_empty_intervals(pairs):
    expected = {number for low, high in pairs for number in range(low, high + 1)}
    assert plain(IntegerSet.of(pairs)) == expected


@given(SETS, SETS)
def test_one_set_has_one_form(left, right):
    assert (left == right) == (plain(left) == plain(right))


@given(SETS, SETS)
def test_set_algebra(left, right):
    assert plain(left.union(right)) == plain(left) | plain(right)
    assert plain(left.intersection(right)) == plain(left) & plain(right)
    assert plain(left.difference(right, 5)) == plain(left) - plain(right)
    assert plain(left.complement(5)) == set(range(32)) - plain(left)
    assert left.issubset(right) == (plain(left) <= plain(right))


@given(SETS, st.integers(0, 31))
def test_membership_and_size(numbers, number):
    assert numbers.contains(number) == (number in plain(numbers))
    assert numbers.size() == len(plain(numbers))
    single = numbers.single()
    assert (single is not None) == (numbers.size() == 1)
    assert single is None or plain(numbers) == {single}


@given(st.integers(0, 255), st.integers(0, 255))
def test_bit_pattern_compares_the_ones_of_the_mask(value, mask):
    assert plain(bit_pattern(value, mask, 8)) == {number for number in range(256) if number & mask == value}


def test_borders():
    assert IntegerSet.range(5, 4) == EMPTY
    assert full(8) == IntegerSet.range(0, 255)
    assert EMPTY.complement(3) == full(3)
