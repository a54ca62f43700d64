"""Alignment: what lies between gaps is equal, gaps are ordered, and they cover all that differs."""

from hypothesis import given
from hypothesis import strategies as st

from compiler.analysis.equivalence.alignment import gaps, key
from compiler.integers import IntegerSet
from compiler.policy.match import ANY, Match
from compiler.semantics.machine import Outcome, Step


def _key(number: int):
    return key(Step(Match(protocol=IntegerSet.values(number)), Outcome.PERMIT))


lists = st.lists(st.integers(0, 7), max_size=14).map(lambda numbers: [_key(number) for number in numbers])


@given(lists, lists)
def test_outside_the_gaps_both_sides_are_equal_step_by_step(left, right):
    at_left = at_right = 0
    for gap in gaps(left, right):
        assert gap.left_start >= at_left
        assert gap.right_start >= at_right
        assert left[at_left : gap.left_start] == right[at_right : gap.right_start]
        assert gap.left_end > gap.left_start or gap.right_end > gap.right_start
        at_left, at_right = gap.left_end, gap.right_end
    assert left[at_left:] == right[at_right:]


@given(lists)
def test_equal_lists_have_no_gap(steps):
    assert not list(gaps(steps, list(steps)))


@given(lists, st.integers(0, 14), st.integers(8, 9))
def test_one_new_step_is_one_gap(steps, place, number):
    place = min(place, len(steps))
    longer = [*steps[:place], _key(number), *steps[place:]]
    (gap,) = gaps(steps, longer)
    assert (gap.left_start, gap.right_end - gap.right_start) == (gap.left_end, 1)


def test_a_key_does_not_know_where_a_step_is_written():
    assert key(Step(ANY, Outcome.DENY, (), None, "one reason")) == key(Step(ANY, Outcome.DENY, (), None, "another"))


def test_a_key_knows_what_a_call_calls():
    permit, deny = Step(ANY, Outcome.PERMIT), Step(ANY, Outcome.DENY)
    assert key(Step(ANY, Outcome.CALL, (permit,))) != key(Step(ANY, Outcome.CALL, (deny,)))
