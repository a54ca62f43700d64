"""Witnesses: there is one exactly when two sides differ, and it is right."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.analysis.equivalence.comparison import Comparison
from compiler.analysis.equivalence.contexts import OTHER, contexts, renamed
from compiler.errors import UsageError
from compiler.fields import TCP, Family
from compiler.integers import IntegerSet
from compiler.policy.match import ANY, Match
from compiler.policy.packet import Path
from compiler.semantics.decision import decide
from compiler.semantics.machine import Context, Outcome, Stage, Step
from compiler.symbolic.evaluate import passing
from compiler.symbolic.space import space

FOUR = space(Family.IPV4)
CONTEXT = Context(Family.IPV4, Path.FORWARD, "a", "b", False)
MATCHES = [
    ANY,
    Match(protocol=IntegerSet.values(TCP)),
    Match(source=AddressSet.wildcard(Wildcard.of(0x0A000000, 0xFF))),
    Match(source=AddressSet.wildcard(Wildcard.of(0x0A000001, 0xF0))),
    Match(ttl=IntegerSet.values(9)),
    Match(ttl=IntegerSet.range(0, 8)),
    Match(ttl=IntegerSet.values(255)),
    Match(week_minute=IntegerSet.range(0, 10_079)),
]


def _step(match: Match, outcome: Outcome) -> Step:
    """A plain function: of a NamedTuple Hypothesis would draw every field it can infer."""
    return Step(match, outcome)


steps = st.lists(
    st.builds(_step, st.sampled_from(MATCHES), st.sampled_from([Outcome.PERMIT, Outcome.DENY])), max_size=4
).map(tuple)
sequences = st.lists(
    st.builds(
        lambda some, default, lowered: Stage("x", some, default, "", lowered), steps, st.booleans(), st.booleans()
    ),
    max_size=3,
)


def _passes(stages):
    packets = FOUR.possible & FOUR.one_hop()
    for stage in stages:
        packets = passing(stage, packets, FOUR)
    return packets


@settings(max_examples=300)
@given(sequences, sequences)
def test_there_is_a_witness_for_each_direction_that_exists(left, right):
    mine, theirs = _passes(left), _passes(right)
    found = Comparison().witnesses(left, right, CONTEXT)
    expected = {
        verdicts
        for verdicts, packets in (((True, False), mine & ~theirs), ((False, True), theirs & ~mine))
        if packets.satisfiable()
    }
    assert {(witness.left.passes, witness.right.passes) for witness in found} == expected
    for witness in found:
        assert decide(left, witness.packet).passes is witness.left.passes
        assert decide(right, witness.packet).passes is witness.right.passes


@settings(max_examples=150)
@given(sequences, sequences)
def test_a_narrower_claim_fails_only_where_the_right_side_is_wider(left, right):
    wider = (_passes(right) & ~_passes(left)).satisfiable()
    found = Comparison(narrower=True).witnesses(left, right, CONTEXT)
    assert bool(found) is bool(wider)
    assert all((witness.left.passes, witness.right.passes) == (False, True) for witness in found)


@settings(max_examples=100)
@given(sequences, sequences)
def test_differences_are_disjoint_and_whole(left, right):
    mine, theirs = _passes(left), _passes(right)
    seen_left, seen_right = FOUR.empty, FOUR.empty
    possible = FOUR.possible & FOUR.one_hop()
    for part in Comparison().differences(left, right, CONTEXT):
        assert not (seen_left & part.left_only).satisfiable()
        assert not (seen_right & part.right_only).satisfiable()
        seen_left, seen_right = seen_left | part.left_only, seen_right | part.right_only
    assert (seen_left & possible) == (mine & ~theirs)
    assert (seen_right & possible) == (theirs & ~mine)


def _host(number: int) -> Match:
    return Match(source=AddressSet.wildcard(Wildcard.of(number, 0)))


def _block(number: int, mask: int) -> Match:
    return Match(source=AddressSet.wildcard(Wildcard.of(number, mask)))


def test_tries_that_show_only_narrower_packets_do_not_prove_narrower():
    """Regression: random packets of a large region showed the harmless direction, and the sets were never asked."""
    number = random.Random(7)
    noise = tuple(
        Step(_host(number.getrandbits(31) | 4), number.choice([Outcome.PERMIT, Outcome.DENY])) for _ in range(600)
    )
    half = _block(0, 0x7FFFFFFF)
    rest = Match(source=AddressSet.of(32, [(2, 2), (1 << 31, (1 << 32) - 1)]))
    body = (Step(rest, Outcome.DENY), Step(ANY, Outcome.PERMIT))
    # Everywhere narrower, and wider in one address of two billion, which no step names alone.
    left = Stage("x", (Step(half, Outcome.CALL, body), Step(rest, Outcome.PERMIT), *noise), False)
    right = Stage("x", (Step(rest, Outcome.PERMIT), Step(half, Outcome.DENY), *noise), False)
    (witness,) = Comparison(narrower=True).witnesses([left], [right], CONTEXT)
    assert witness.packet.source == 2
    assert (witness.left.passes, witness.right.passes) == (False, True)


def test_one_changed_entry_among_thousands_is_found():
    number = random.Random(3)
    some = [
        Step(
            _block(number.getrandbits(32), number.choice((0, 0xFF, 0xF0F, 0xFFFF))),
            number.choice([Outcome.PERMIT, Outcome.DENY]),
        )
        for _ in range(3000)
    ]
    changed = list(some)
    changed[1500] = changed[1500]._replace(match=_block(0x01020304, 0))
    left, right = Stage("x", (Step(_block(0x01020304, 0), Outcome.DENY), *some), True), Stage("x", tuple(changed), True)
    found = Comparison().witnesses([left], [right], CONTEXT)
    assert found
    assert all(witness.left.passes != witness.right.passes for witness in found)


def test_equal_stages_cancel_in_any_order():
    one = Stage("one", (Step(MATCHES[1], Outcome.DENY),), True)
    other = Stage("other", (Step(MATCHES[2], Outcome.DENY),), True)
    assert not Comparison().witnesses([one, other], [other._replace(name="b"), one._replace(name="a")], CONTEXT)


def test_the_other_interface_is_in_no_pattern():
    """Regression: a pattern ``a*`` took in the name that stands for all interfaces without a name."""
    found = {context.ingress for context in contexts(("a*", "any*", "eth0"), Family.IPV4, False)}
    assert OTHER in found
    assert not any(OTHER.startswith(name[:-1]) for name in found if name.endswith("*"))
    with pytest.raises(UsageError, match="cannot be told apart"):
        list(contexts((OTHER,), Family.IPV4, False))


def test_contexts_are_all_combinations():
    found = [
        context
        for family in Family
        for noninitial in (False, True)
        for context in contexts(("a", "b"), family, noninitial)
    ]
    assert len(found) == len(set(found)) == 2 * 2 * (3 * 3 + 3 + 3)


def test_a_name_that_is_taken_on_the_other_side_names_nothing_there():
    """Regression: with eth0 mapped to eth1, the right side's own eth0 was taken for the left one's."""
    back = {"eth1": "eth0"}
    context = Context(Family.IPV4, Path.FORWARD, "eth1", "eth0", False)
    assert renamed(context, back)[2:4] == ("eth0", OTHER)
    assert renamed(context, {}) is context
