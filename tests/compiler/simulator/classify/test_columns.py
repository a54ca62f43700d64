"""Columns hold what packets hold, and refuse what does not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.semantics.machine import Stage
from compiler.simulator.classify.classifier import Classifier
from compiler.simulator.classify.columns import columns_of, make_columns
from tests.compiler.simulator.classify.strategies import packets


@given(st.data(), st.sampled_from(Family))
def test_packets_come_back_as_they_went_in(data, family):
    several = data.draw(st.lists(packets(family), min_size=1))
    columns = columns_of(several)
    # The interface is no field: it belongs to all packets of a classifier.
    assert [columns.packet(place) for place in range(columns.size)] == [one._replace(ingress="") for one in several]


def test_what_is_not_given_has_the_default_of_a_packet():
    columns = make_columns(Family.IPV4, np.arange(3, dtype=np.uint32), 7, {"protocol": 6})
    assert columns.size == 3
    assert columns.packet(2)[1:4] == (2, 7, 6)
    assert columns.ttl.tolist() == [64, 64, 64]


def test_halves_of_ipv6():
    high, low = np.array([1], dtype=np.uint64), np.array([2], dtype=np.uint64)
    assert make_columns(Family.IPV6, (high, low), 5).packet(0)[1:3] == (1 << 64 | 2, 5)


def test_the_ttl_is_lowered_and_stays_at_zero():
    columns = make_columns(Family.IPV4, [0, 0, 0], 0, {"ttl": [0, 1, 255]})
    assert columns.routed().ttl.tolist() == [0, 0, 254]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"port": 1}, "no column 'port'"),
        ({"ttl": [256, 1]}, "'ttl' has a value outside 0 to 255"),
        ({"ttl": [-1, 1]}, "'ttl' has a value outside 0 to 255"),
        ({"ttl": [1, 2, 3]}, "differ in length: 2, 3"),
        ({"ttl": [1.5, 2.0]}, "'ttl' is no column of whole numbers"),
        ({"noninitial": [1, 0]}, "'noninitial' is no column of flags"),
    ],
)
def test_wrong_columns(fields, said):
    with pytest.raises(UsageError, match=said):
        make_columns(Family.IPV4, [1, 2], [3, 4], fields)


def test_packets_of_two_families_or_none():
    with pytest.raises(UsageError, match="no packet"):
        columns_of([])
    with pytest.raises(UsageError, match="no IPv6 address"):
        make_columns(Family.IPV6, [1 << 128], [0])
    with pytest.raises(UsageError, match="packets of IPv6 and a classifier of IPv4"):
        Classifier([Stage("x", (), True)], Family.IPV4).classify(make_columns(Family.IPV6, 1, 2))
