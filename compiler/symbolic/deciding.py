"""Which step of a stage decides which packets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compiler.semantics.machine import Outcome, Stage, Step
from compiler.symbolic.space import PacketSpace

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["decided", "permits"]


def permits(stage: Stage, step: Step | None) -> bool:
    """Whether what the step decides passes the stage; ``step`` is None for what no step decides."""
    return stage.default if step is None or step.outcome is Outcome.RETURN else step.outcome is Outcome.PERMIT


def decided(stage: Stage, region: BDDFunction, space: PacketSpace) -> Iterator[tuple[Step | None, BDDFunction]]:
    """The steps with what each decides of ``region``, if that is anything; last, without a step, what none does."""
    found: list[tuple[Step | None, BDDFunction]] = []
    rest = _walk(stage.steps, region, stage, space, found, 0)
    yield from found
    yield None, rest


def _walk(
    steps: Sequence[Step],
    region: BDDFunction,
    stage: Stage,
    space: PacketSpace,
    found: list[tuple[Step | None, BDDFunction]],
    depth: int,
) -> BDDFunction:
    """What the steps leave undecided; a return ends a body only, and the stage where it is the stage's own."""
    rest, returned = region, space.empty
    for step in steps:
        if not rest.satisfiable():
            break
        match = space.encode(step.match, decremented=stage.ttl_decremented)
        hit = rest & match
        rest = rest & ~match
        if step.outcome is Outcome.CALL:
            rest = rest | _walk(step.body, hit, stage, space, found, depth + 1)
        elif step.outcome is Outcome.RETURN and depth:
            returned = returned | hit
        elif hit.satisfiable():
            found.append((step, hit))
    return rest | returned
