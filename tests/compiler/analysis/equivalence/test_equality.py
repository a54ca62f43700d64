"""Where two stages may differ: the regions hold every packet that they decide differently, and nothing is missed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.analysis.equivalence.equality import Lazy, normal_steps, regions
from compiler.fields import TCP, UDP, Family
from compiler.integers import IntegerSet
from compiler.policy.match import ANY, Match, layer4
from compiler.semantics.machine import Outcome, Stage, Step
from compiler.symbolic.evaluate import passing
from compiler.symbolic.space import space

FOUR = space(Family.IPV4)
LAZY = Lazy(Family.IPV4)

MATCHES = [
    ANY,
    Match(protocol=IntegerSet.values(TCP)),
    Match(protocol=IntegerSet.values(TCP, UDP)),
    Match(source=AddressSet.wildcard(Wildcard.of(0x0A000000, 0xFF))),
    Match(source=AddressSet.wildcard(Wildcard.of(0x0A000000, 0x7F))),
    Match(source=AddressSet.wildcard(Wildcard.of(0x0A000080, 0x7F))),
    Match(destination=AddressSet.wildcard(Wildcard.of(0x0A000001, 0xF0))),
    layer4(Match(protocol=IntegerSet.values(TCP), destination_port=IntegerSet.range(0, 79)))._replace(noninitial=None),
    layer4(Match(protocol=IntegerSet.values(TCP), destination_port=IntegerSet.values(80)))._replace(noninitial=None),
    layer4(Match(protocol=IntegerSet.values(TCP), destination_port=IntegerSet.range(81, 65535)))._replace(
        noninitial=None
    ),
    Match(ttl=IntegerSet.values(9)),
]


def _step(match: Match, outcome: Outcome) -> Step:
    """A plain function: of a NamedTuple Hypothesis would draw every field it can infer."""
    return Step(match, outcome)


plain = st.builds(_step, st.sampled_from(MATCHES), st.sampled_from([Outcome.PERMIT, Outcome.DENY]))
inner = st.builds(_step, st.sampled_from(MATCHES), st.sampled_from([Outcome.PERMIT, Outcome.DENY, Outcome.RETURN]))
calls = st.builds(
    lambda match, body: Step(match, Outcome.CALL, tuple(body)),
    st.sampled_from(MATCHES),
    st.lists(inner, min_size=1, max_size=3),
)
returns = st.sampled_from(MATCHES).map(lambda match: Step(match, Outcome.RETURN))
steps = st.lists(st.one_of(plain, plain, plain, calls, returns), max_size=7).map(tuple)
stages = st.builds(lambda name, some, default: Stage("x", some, default), st.just("x"), steps, st.booleans())


def difference(left: Stage, right: Stage):
    """All packets that the two decide differently, by folding both whole."""
    return passing(left, FOUR.full, FOUR) ^ passing(right, FOUR.full, FOUR)


@settings(max_examples=300)
@given(stages, stages)
def test_the_regions_hold_every_difference(left, right):
    rest = difference(left, right)
    for region in regions(left, right, LAZY):
        rest = rest & ~region.packets
        assert not (region.packets & ~FOUR.encode(region.within)).satisfiable()
    assert not rest.satisfiable()


@settings(max_examples=300)
@given(steps, steps, steps, st.booleans())
def test_a_changed_middle_is_found(head, middle, tail, default):
    left, right = Stage("x", head + tail, default), Stage("x", head + middle + tail, default)
    rest = difference(left, right)
    for region in regions(left, right, LAZY):
        rest = rest & ~region.packets
    assert not rest.satisfiable()


@given(stages)
def test_a_stage_has_no_region_with_itself(stage):
    assert not list(regions(stage, stage._replace(name="other"), LAZY))


@given(stages)
def test_normal_steps_decide_alike(stage):
    some, default = normal_steps(stage)
    assert passing(Stage("x", some, default), FOUR.full, FOUR) == passing(stage, FOUR.full, FOUR)
    assert all(step.outcome is not Outcome.RETURN for step in some)


def test_a_return_is_not_a_fall_through():
    """Regression: a return ends the stage; the steps after a gap never see its packets."""
    tail = Step(MATCHES[3], Outcome.DENY)
    left = Stage("x", (Step(MATCHES[1], Outcome.RETURN), tail), True)
    right = Stage("x", (tail,), True)
    assert list(regions(left, right, LAZY))


def test_one_step_equals_the_several_that_say_the_same():
    whole = Stage("x", (Step(MATCHES[3], Outcome.DENY),), True)
    halves = Stage("x", (Step(MATCHES[4], Outcome.DENY), Step(MATCHES[5], Outcome.DENY)), True)
    ports = Stage("x", tuple(Step(match, Outcome.DENY) for match in MATCHES[7:10]), True)
    assert not list(regions(whole, halves, LAZY))
    assert not list(regions(ports, Stage("x", (Step(MATCHES[1], Outcome.DENY),), True), LAZY))
    assert list(regions(whole, halves._replace(steps=halves.steps[:1]), LAZY))


def test_thousands_of_trailing_steps_with_the_default_vanish():
    many = tuple(
        Step(Match(source=AddressSet.wildcard(Wildcard.of(number, 0))), Outcome.DENY) for number in range(20_000)
    )
    assert normal_steps(Stage("x", many, False)) == ((), False)


def test_the_ttl_before_and_after_the_router_is_not_the_same():
    asks = (Step(MATCHES[10], Outcome.DENY),)
    assert list(regions(Stage("x", asks, True), Stage("x", asks, True, "", True), LAZY))
