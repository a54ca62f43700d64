"""The shadow report is exact: against full folding of sets, and against every packet of a tiny space."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.analysis.shadowing.rows import Row
from compiler.analysis.shadowing.shadow import View, shadow, shadow_steps
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match, layer4
from compiler.policy.packet import Packet, matches
from compiler.semantics.machine import Outcome, Step
from compiler.symbolic.space import space


def reached(space_, views, item):
    """Whether some packet reaches the item, by folding every earlier item, row by row."""
    for view in views:
        taken = space_.empty
        for row in view.rows:
            if row.item == item and (space_.encode(row.match) & ~taken).satisfiable():
                return True
            if row.item < item:
                taken = taken | space_.encode(row.match)
    return False


def meaning(space_, view, gone):
    """The permitted set of a view without the items that are gone."""
    permitted, rest = space_.empty, space_.full
    for row in view.rows:
        if row.item not in gone:
            match = space_.encode(row.match)
            if row.label:
                permitted = permitted | rest & match
            rest = rest & ~match
    return permitted | rest if view.default else permitted


def check_exactly(views, count, family):
    """The whole claim of a report, judged by folding."""
    fates = shadow(views, count)
    symbolic = space(family)
    removed = {item for item, fate in enumerate(fates) if not fate.alive or fate.redundant}
    for item, fate in enumerate(fates):
        present = any(row.item == item for view in views for row in view.rows)
        assert fate.empty == (not present)
        assert fate.alive == reached(symbolic, views, item)
        assert not (fate.redundant and not fate.alive)
        if not fate.alive and present:
            assert fate.covering
            assert max(fate.covering) < item
            labels = {row.item: row.label for view in views for row in view.rows}
            assert fate.opposed == any(labels[other] != labels[item] for other in fate.covering)
            for view in views:
                cover = symbolic.empty
                for row in view.rows:
                    if row.item in fate.covering:
                        cover = cover | symbolic.encode(row.match)
                for row in view.rows:
                    if row.item == item:
                        assert not (symbolic.encode(row.match) & ~cover).satisfiable()
    for view in views:
        assert meaning(symbolic, view, removed) == meaning(symbolic, view, set())
    for item in set(range(count)) - removed:  # and nothing that stays could go as well
        assert any(meaning(symbolic, view, removed | {item}) != meaning(symbolic, view, removed) for view in views)
    return fates


@given(st.data(), st.sampled_from(Family), st.booleans())
def test_exact_on_small_lists(tiny_matches, data, family, default):
    drawn = data.draw(st.lists(st.tuples(tiny_matches(family), st.booleans()), max_size=7))
    rows = tuple(Row(match, permits, item) for item, (match, permits) in enumerate(drawn))
    check_exactly((View(family, rows, default),), len(rows), family)


@given(st.data())
def test_exact_over_two_views_and_items_of_several_rows(tiny_matches, data):
    """As a router's entries: in each half of the packets an entry has none, one or several matches."""
    labels = data.draw(st.lists(st.booleans(), min_size=1, max_size=5))
    views = []
    for _ in range(2):
        rows = []
        for item, label in enumerate(labels):
            rows += [Row(match, label, item) for match in data.draw(st.lists(tiny_matches(Family.IPV4), max_size=2))]
        views.append(View(Family.IPV4, tuple(rows), False))
    check_exactly(tuple(views), len(labels), Family.IPV4)


@pytest.mark.parametrize("seed", range(4))
def test_exact_on_realistic_lists(realistic, seed):
    rows = tuple(Row(match, position % 3 > 0, position) for position, match in enumerate(realistic(150, seed)))
    check_exactly((View(Family.IPV4, rows, False),), len(rows), Family.IPV4)


SMALL = st.builds(
    lambda value, mask: AddressSet.wildcard(Wildcard.of(0x0A000000 | value, mask)), st.integers(0, 7), st.integers(0, 7)
)
PORTS = st.one_of(st.none(), st.lists(st.integers(0, 3), min_size=1).map(lambda some: IntegerSet.values(*some)))


@given(st.lists(st.tuples(SMALL, PORTS, st.booleans()), max_size=6), st.booleans())
def test_against_every_packet_of_a_tiny_space(drawn, default):
    """Eight sources and four ports (and one outside of each) stand for all that these matches can tell apart."""
    steps = [
        Step(
            layer4(Match(source=source, protocol=IntegerSet.values(6), destination_port=ports)),
            Outcome.PERMIT if permits else Outcome.DENY,
        )
        for source, ports, permits in drawn
    ]
    fates = shadow_steps(steps, default, Family.IPV4)
    packets = [
        Packet(Family.IPV4, 0x0A000000 | source, 0, protocol, destination_port=port)
        for source, port, protocol in itertools.product((*range(8), 255), (*range(4), 9), (6, 17))
    ]

    def decided(packet, kept):
        for position in kept:
            if matches(steps[position].match, packet):
                return position, steps[position].outcome is Outcome.PERMIT
        return None, default

    everyone = range(len(steps))
    deciding = {decided(packet, everyone)[0] for packet in packets}
    assert [fate.alive for fate in fates] == [position in deciding for position in everyone]
    kept = [position for position in everyone if fates[position].alive and not fates[position].redundant]
    assert all(decided(packet, kept)[1] == decided(packet, everyone)[1] for packet in packets)
    for fewer in itertools.combinations(kept, max(len(kept) - 1, 0)):
        assert not kept or any(decided(packet, fewer)[1] != decided(packet, kept)[1] for packet in packets)


def host(number: int) -> Match:
    return Match(source=AddressSet.wildcard(Wildcard.of(number, 0)))


def steps_of(*pairs):
    return [Step(match, Outcome.PERMIT if permits else Outcome.DENY) for match, permits in pairs]


def test_a_union_covers_and_is_named_without_what_can_be_spared():
    low = Match(source=AddressSet.of(32, [(0, 9)]))
    high = Match(source=AddressSet.of(32, [(8, 20)]))
    middle = Match(source=AddressSet.of(32, [(5, 12)]))
    fates = shadow_steps(steps_of((host(6), True), (low, True), (high, True), (middle, False)), False, Family.IPV4)
    assert fates[3] == (False, (1, 2), True, False, False)


def test_a_single_cover_is_preferred():
    half = Match(source=AddressSet.of(32, [(0, 9)]))
    whole = Match(source=AddressSet.of(32, [(0, 20)]))
    fates = shadow_steps(steps_of((half, True), (whole, True), (half, True)), False, Family.IPV4)
    assert fates[2].covering == (0,)
    assert not fates[2].opposed


def test_of_two_that_spare_each_other_one_stays():
    wide = Match(source=AddressSet.of(32, [(0, 9)]))
    wider = Match(source=AddressSet.of(32, [(0, 20)]))
    fates = shadow_steps(steps_of((wide, True), (wider, True)), False, Family.IPV4)
    assert [fate.redundant for fate in fates] == [True, False]
    assert not any(fate.redundant for fate in shadow_steps(steps_of((wide, True), (wide, True)), False, Family.IPV4))


def test_rows_that_only_may_decide_cover_nothing_and_spare_nothing():
    everything = Match()
    rows = (
        Row(everything, "jump", 0, decides=False),
        Row(everything, "log", 1, decides=False, silent=True),
        Row(host(1), "drop", 2),
        Row(everything, "jump", 3, decides=False),
        Row(everything, "drop", 4),
        Row(everything, "log", 5, decides=False, silent=True),
    )
    fates = shadow((View(Family.IPV4, rows, "accept"),), 6)
    assert [fate.alive for fate in fates] == [True, True, True, True, True, False]
    assert not any(fate.redundant for fate in fates)


def test_without_redundancy():
    fates = shadow_steps(steps_of((host(1), False)), False, Family.IPV4, redundancy=False)
    assert fates == ((True, (), False, False, False),)
    assert shadow_steps(steps_of((host(1), False)), False, Family.IPV4)[0].redundant


def test_the_same_list_gives_the_same_report(realistic):
    rows = tuple(Row(match, position % 2 > 0, position) for position, match in enumerate(realistic(300, 5)))
    view = View(Family.IPV4, rows, False)
    assert shadow((view,), 300) == shadow((view,), 300)
