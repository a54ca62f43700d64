"""What stages do with a set of packets, in sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from compiler.semantics.machine import Outcome, Stage, Step
from compiler.symbolic.space import PacketSpace

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Fate", "fate", "passing"]


class Fate(NamedTuple):
    """A set cut in three: what the steps permit, deny, and leave undecided."""

    permitted: BDDFunction
    denied: BDDFunction
    undecided: BDDFunction


def fate(steps: Iterable[Step], region: BDDFunction, space: PacketSpace, *, decremented: bool = False) -> Fate:
    """What the steps, in order, do with the packets of ``region``."""
    permitted = denied = returned = space.empty
    remaining = region
    for step in steps:
        if not remaining.satisfiable():
            break
        match = space.encode(step.match, decremented=decremented)
        hit = remaining & match
        if not hit.satisfiable():
            continue
        remaining = remaining & ~match
        if step.outcome is Outcome.PERMIT:
            permitted = permitted | hit
        elif step.outcome is Outcome.DENY:
            denied = denied | hit
        elif step.outcome is Outcome.RETURN:
            returned = returned | hit
        else:
            inner = fate(step.body, hit, space, decremented=decremented)
            permitted = permitted | inner.permitted
            denied = denied | inner.denied
            remaining = remaining | inner.undecided
    return Fate(permitted, denied, remaining | returned)


def passing(stage: Stage, region: BDDFunction, space: PacketSpace) -> BDDFunction:
    """The packets of ``region`` that the stage lets pass."""
    result = fate(stage.steps, region, space, decremented=stage.ttl_decremented)
    return result.permitted | result.undecided if stage.default else result.permitted
