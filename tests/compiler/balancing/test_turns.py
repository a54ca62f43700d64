from __future__ import annotations

from fractions import Fraction
from functools import reduce
from math import gcd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.balancing.turns import bound, cycle, furthest


@given(st.lists(st.integers(1, 20), min_size=2, max_size=8))
def test_each_gets_its_weight_and_nobody_drifts(weights):
    common = reduce(gcd, weights)
    parts = [weight // common for weight in weights]
    turns = cycle(weights)
    assert [turns.count(index) for index in range(len(parts))] == parts
    assert furthest(turns * 2, parts) <= bound(len(parts)) < 1


def test_equal_weights_take_plain_turns():
    assert cycle([1, 1, 1]) == (0, 1, 2)
    assert cycle([7, 7]) == (0, 1)


def test_unequal_weights_are_interleaved():
    assert cycle([3, 1]) == (0, 0, 1, 0)
    assert furthest(cycle([10, 10]), [1, 1]) == Fraction(1, 2)


def test_contiguous_slots_would_drift():
    assert furthest([0] * 10 + [1] * 10, [10, 10]) == 5


def test_one_uplink_has_every_turn():
    assert cycle([5]) == (0,)


@pytest.mark.parametrize("weights", [[], [0, 1], [2, -1]])
def test_weights_are_above_zero(weights):
    with pytest.raises(ValueError, match="above zero"):
        cycle(weights)
