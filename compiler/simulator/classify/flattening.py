"""Stages as programs of flat lists: what an engine can search is one list in which the first match decides.

A call whose body never returns is written out in its place, which changes
nothing. A body with returns stays a program of its own: packets in the
guard go through it, and those that it does not decide come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from compiler.addresses import AddressSet
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import ANY, Match, intersect
from compiler.semantics.decision import Decision
from compiler.semantics.machine import Outcome, Stage, Step

__all__ = ["RETURNED", "UNDECIDED", "Block", "Call", "FlatList", "FlatRule", "Half", "Plan", "flatten"]

UNDECIDED, RETURNED = -1, -2
"""What a part of a program says of packets that it does not decide: they fell through, or a rule sent them back."""


class Half(NamedTuple):
    """What all packets of one program have in common, and rules may ask for."""

    family: Family
    noninitial: bool
    ingress: str = ""
    egress: str = ""


class FlatRule(NamedTuple):
    """One rule: ``match`` constrains packet fields alone, ``outcome`` is the number of a decision or RETURNED."""

    match: Match
    outcome: int


class FlatList(NamedTuple):
    """Rules in order; the first that matches decides."""

    rules: tuple[FlatRule, ...]


class Call(NamedTuple):
    """Packets in ``guard`` go through ``body``; a RETURNED there is UNDECIDED here."""

    guard: FlatList
    body: Block


Block = tuple["FlatList | Call", ...]


class Plan(NamedTuple):
    """One stage: its program, and the number of the decision for what nothing decides."""

    block: Block
    default: int
    ttl_decremented: bool


class _Decisions:
    """The numbers of decisions: a step that is written out twice is still one decision."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, str], int] = {}
        self.found: list[Decision] = []

    def default(self, stage: Stage) -> int:
        self.found.append(Decision(stage.default, stage.name, None, stage.default_why))
        return len(self.found) - 1

    def number(self, stage: Stage, step: Step) -> int:
        if step.outcome is Outcome.RETURN:
            return RETURNED
        key = (id(step), stage.name)
        if key not in self._numbers:
            self._numbers[key] = len(self.found)
            self.found.append(Decision(step.outcome is Outcome.PERMIT, stage.name, step, step.why))
        return self._numbers[key]


def flatten(
    stages: Iterable[Stage], half: Half, decisions: list[Decision] | None = None
) -> tuple[tuple[Plan, ...], list[Decision]]:
    """The plans of the stages, and all decisions that there can be (added to those given)."""
    numbers = _Decisions()
    numbers.found = [] if decisions is None else decisions
    plans = []
    for stage in stages:
        flat = _Flattener(stage, half, numbers)
        plans.append(Plan(flat.block(stage.steps), numbers.default(stage), stage.ttl_decremented))
    return tuple(plans), numbers.found


class _Flattener:
    def __init__(self, stage: Stage, half: Half, decisions: _Decisions) -> None:
        self._stage = stage
        self._half = half
        self._decisions = decisions
        self._returning: dict[int, bool] = {}

    def block(self, steps: tuple[Step, ...]) -> Block:
        parts: list[FlatList | Call] = []
        rules: list[FlatRule] = []
        for part in self._parts(steps, ANY):
            if isinstance(part, FlatRule):
                rules.append(part)
                if part.match == ANY:  # nothing comes further
                    break
            else:
                parts += [FlatList(tuple(rules)), part] if rules else [part]
                rules = []
        return (*parts, FlatList(tuple(rules))) if rules else tuple(parts)

    def _parts(self, steps: tuple[Step, ...], guard: Match) -> Iterator[FlatRule | Call]:
        for step in steps:
            asked = narrowed(step.match, self._half)
            match = asked if guard == ANY or asked is None else intersect(guard, asked)
            if match is None:
                continue
            if step.outcome is not Outcome.CALL:
                yield FlatRule(match, self._decisions.number(self._stage, step))
            elif self._returns(step.body):
                yield Call(FlatList((FlatRule(match, 0),)), self.block(step.body))
            else:
                yield from self._parts(step.body, match)

    def _returns(self, steps: tuple[Step, ...]) -> bool:
        """Whether a return stands in the body or below; below one of a call it goes back there, and is its own."""
        known = self._returning.get(id(steps))
        if known is None:
            known = self._returning[id(steps)] = any(
                step.outcome is Outcome.RETURN or (step.outcome is Outcome.CALL and self._returns(step.body))
                for step in steps
            )
        return known


def narrowed(match: Match, half: Half) -> Match | None:
    """What is left to ask of the packet's fields under what is known; None when no packet of the half is in it."""
    if match.family is not None and match.family is not half.family:
        return None
    if match.noninitial is not None and match.noninitial is not half.noninitial:
        return None
    for interfaces, name in ((match.ingress, half.ingress), (match.egress, half.egress)):
        if interfaces is not None and not interfaces.contains(name):
            return None
    for allowed in match[1:13]:
        if isinstance(allowed, AddressSet) and (allowed.is_empty or allowed.width != half.family.width):
            return None
        if isinstance(allowed, IntegerSet) and not allowed.intervals:
            return None
    return Match._make((None, *match[1:13], None, None, None))
