"""Where two stages may differ, without folding either into one set.

Two first-match lists with a common subsequence of equal steps decide alike
every packet that no other step of either matches, given equal defaults: what
matches no unpaired step meets the same paired steps in the same order. So the
whole difference lies inside the unpaired steps. A gap (k steps against m) whose
two sides are equal as partial functions - permit, deny or fall through - adds
nothing either, and the greedy pass below finds the small such blocks first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from compiler.analysis.equivalence.alignment import Gap, gaps, key
from compiler.policy.match import ANY, Match
from compiler.semantics.machine import Outcome, Stage, Step
from compiler.symbolic.evaluate import fate

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.symbolic.space import PacketSpace

__all__ = ["Lazy", "Region", "asks_ttl", "normal_steps", "regions"]

_FOLD_LIMIT = 96
"""Steps of a gap that are folded whole; larger gaps are looked at step by step."""


class Region(NamedTuple):
    """Packets that two stages may decide differently, and a match that holds them all."""

    within: Match
    packets: BDDFunction


def normal_steps(stage: Stage) -> tuple[tuple[Step, ...], bool]:
    """The steps that can decide, and the default.

    A step that matches just what an earlier one decided never comes to its
    turn; a last step that matches everything is the default; a return among a
    stage's own steps is its default too.
    """
    steps, default = _without_repeats(stage.steps), stage.default
    if any(step.outcome is Outcome.RETURN for step in steps):
        back = Outcome.PERMIT if default else Outcome.DENY
        steps = tuple(step._replace(outcome=back) if step.outcome is Outcome.RETURN else step for step in steps)
    end = len(steps)
    while end:
        last = steps[end - 1]
        if last.match == ANY and last.outcome in (Outcome.PERMIT, Outcome.DENY):
            default = last.outcome is Outcome.PERMIT
        elif last.outcome is not (Outcome.PERMIT if default else Outcome.DENY):
            break
        end -= 1
    return steps[:end], default


def _without_repeats(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    decided: set[Match] = set()
    kept = []
    for step in steps:
        if step.match in decided:
            continue
        kept.append(step)
        if step.outcome is not Outcome.CALL:
            if step.match == ANY:
                break  # nothing comes after it
            decided.add(step.match)
    return tuple(kept)


def regions(left: Stage, right: Stage, family_space: Lazy) -> Iterator[Region]:
    """Regions whose union holds every packet that the stages decide differently.

    None when alignment alone shows equality: then no set is ever built.
    """
    left_steps, left_default = normal_steps(left)
    right_steps, right_default = normal_steps(right)
    if left.ttl_decremented != right.ttl_decremented and (asks_ttl(left_steps) or asks_ttl(right_steps)):
        yield Region(ANY, family_space().full)
        return
    left_keys = [key(step) for step in left_steps]
    right_keys = [key(step) for step in right_steps]
    for gap in gaps(left_keys, right_keys):
        yield from _gap(left_steps, right_steps, gap, left.ttl_decremented, family_space)
    if left_default != right_default:
        yield Region(ANY, family_space().full)


class Lazy:
    """The packet space of a family, made when the first set is needed."""

    def __init__(self, family: object) -> None:
        self._family = family

    def __call__(self) -> PacketSpace:
        from compiler.fields import Family
        from compiler.symbolic.space import space

        assert isinstance(self._family, Family)
        return space(self._family)


def asks_ttl(steps: Sequence[Step]) -> bool:
    """Whether a step, or one of its body, looks at the TTL."""
    return any(step.match.ttl is not None or asks_ttl(step.body) for step in steps)


def _gap(
    left: Sequence[Step], right: Sequence[Step], gap: Gap, decremented: bool, family_space: Lazy
) -> Iterator[Region]:
    space = family_space()
    mine = list(left[gap.left_start : gap.left_end])
    theirs = list(right[gap.right_start : gap.right_end])
    mine, theirs = _drop_equal_blocks(mine, theirs, decremented, space)
    if not mine and not theirs:
        return
    inside = space.full
    if len(mine) + len(theirs) <= _FOLD_LIMIT:
        first = fate(mine, space.full, space, decremented=decremented)
        second = fate(theirs, space.full, space, decremented=decremented)
        inside = (first.permitted ^ second.permitted) | (first.denied ^ second.denied)
        if not inside.satisfiable():
            return
    for step in (*mine, *theirs):
        packets = inside & space.encode(step.match, decremented=decremented)
        if packets.satisfiable():
            yield Region(step.match, packets)


def _drop_equal_blocks(
    mine: list[Step], theirs: list[Step], decremented: bool, space: PacketSpace
) -> tuple[list[Step], list[Step]]:
    """Takes equal small blocks from the front: one step against the several that say the same."""
    while mine and theirs:
        taken = _block(mine[0], theirs, decremented, space)
        if taken:
            mine, theirs = mine[1:], theirs[taken:]
            continue
        taken = _block(theirs[0], mine, decremented, space)
        if not taken:
            break
        mine, theirs = mine[taken:], theirs[1:]
    return mine, theirs


def _block(step: Step, others: Sequence[Step], decremented: bool, space: PacketSpace) -> int:
    """How many of ``others``, from the first, are together the same partial function; 0 when none."""
    if step.outcome is Outcome.CALL:
        return 0
    wanted = space.encode(step.match, decremented=decremented)
    found = space.empty
    for count, other in enumerate(others, 1):
        if other.outcome is not step.outcome:
            return 0
        found = found | space.encode(other.match, decremented=decremented)
        if found == wanted:
            return count
        if (found & ~wanted).satisfiable():
            return 0
    return 0
