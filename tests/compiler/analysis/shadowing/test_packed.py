"""Drawn packets lie inside their match, and the columns test as the plain meaning of a match does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.analysis.shadowing.packed import PackedMatches
from compiler.fields import Family
from compiler.policy.match import Match
from compiler.policy.packet import Packet, matches

FIELDS = ("protocol", "tcp_flags", "icmp_type", "icmp_code", "traffic_class", "ttl")
ORDER = (*FIELDS, "source", "destination", "source_port", "destination_port", "week_minute", "date_minute")


def packet_of(family: Family, rules: list[Match], columns: list, place: int) -> Packet:
    """The packet that the columns hold at ``place``."""
    names = [name for name in ORDER if any(getattr(rule, name) is not None for rule in rules)]
    values = {"source": 0, "destination": 0, "protocol": 0}
    for name, halves in zip(names, columns, strict=True):
        value = 0
        for half in halves:
            value = value << 64 | int(half[place])
        values[name] = value
    return Packet(family, **values)


@given(st.data(), st.sampled_from(Family), st.integers(0, 5))
def test_draws_and_tests_agree_with_the_plain_meaning(tiny_matches, data, family, seed):
    rules = data.draw(st.lists(tiny_matches(family), min_size=1, max_size=5))
    packed = PackedMatches(rules, family)
    everyone = np.arange(len(rules))
    packets = packed.draw(everyone, np.random.default_rng(seed))
    assert packed.contain(everyone, packets, everyone).all()
    for place, drawn_from in enumerate(rules):
        packet = packet_of(family, rules, packets, place)
        assert matches(drawn_from, packet)
        held = packed.contain(everyone, packets, np.full(len(rules), place))
        assert held.tolist() == [matches(rule, packet) for rule in rules]


@pytest.mark.parametrize("seed", range(3))
def test_realistic_lists(realistic, seed):
    rules = realistic(60, seed)
    packed = PackedMatches(rules, Family.IPV4)
    packets = packed.draw(np.arange(60), np.random.default_rng(seed))
    for place in range(60):
        packet = packet_of(Family.IPV4, rules, packets, place)
        held = packed.contain(np.arange(60), packets, np.full(60, place))
        assert held.tolist() == [matches(rule, packet) for rule in rules]


def test_ranges_across_the_halves_of_ipv6():
    from compiler.addresses import AddressSet

    low, high = (5 << 64) - 3, (7 << 64) + 9
    rule = Match(source=AddressSet.of(128, [(low, high)]))
    packed = PackedMatches([rule], Family.IPV6)
    (columns,) = packed.draw(np.zeros(200, dtype=int), np.random.default_rng(1))
    drawn = [int(upper) << 64 | int(lower) for upper, lower in zip(*columns, strict=True)]
    assert all(low <= one <= high for one in drawn)
    assert len(set(drawn)) > 50
