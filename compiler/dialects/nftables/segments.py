"""A rule whose clauses do things: how it is said so that each thing is done when the text has it done.

The simulator looks at ``Rule.match`` first and at the clauses after it, in
order. A number that is drawn, a token that is taken or a mark that is set BEFORE
a match in the text is done even where that match fails; so such a rule is cut:
its first part jumps to a chain of its own that holds the rest. Where one rule
stands for several (maps, concatenations), none of them may draw what another
drew, nor see what the chain of another changed: then they stand in such a chain
too, and leave it by goto.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import NamedTuple

from compiler.addresses import AddressSet
from compiler.dialects.nftables.conditions import MOST_ALTERNATIVES
from compiler.dialects.nftables.draft import Alternative, Draft, FieldValue, TooMuch
from compiler.integers import IntegerSet
from compiler.policy.access_list import Clause
from compiler.policy.match import Match
from compiler.policy.ruleset import Rule, Verdict
from compiler.policy.stateful import (
    AddToSet,
    AssignHelper,
    ChangeField,
    ClampSegment,
    InSet,
    Limit,
    MarkIn,
    Meaning,
    Numbered,
    NumberIn,
    SetMark,
    Translate,
    Untrack,
)
from compiler.source import Span

__all__ = ["Branch", "NotInAChain", "Segment", "asks", "clauses_of", "draws", "orders", "written"]

_DRAWS = (NumberIn, Limit)
_EFFECTS = (SetMark, Translate, Untrack, ChangeField, ClampSegment, AddToSet, AssignHelper)
_CHANGING = (MarkIn, InSet, NumberIn, Limit)
"""Conditions whose answer another chain may change."""
_CHANGING_FIELDS = frozenset({"traffic_class", "ttl"})
_LEAVES = frozenset({Verdict.ACCEPT, Verdict.DROP, Verdict.REJECT, Verdict.RETURN, Verdict.GOTO})


class NotInAChain(Exception):
    """A return or goto of the chain itself, where the rest of the rule stands in another."""


class Branch(NamedTuple):
    """One of the conjunctions that a segment stands for."""

    match: Match
    clauses: tuple[Clause, ...]
    verdict: Verdict | None
    target: str


class Segment(NamedTuple):
    """A part of a rule whose matches all stand before what it does."""

    base: Match
    branches: tuple[Branch, ...]
    apart: bool
    """Whether no branch can take, or be changed by, what another one did."""
    log: str | None

    @classmethod
    def of(cls, draft: Draft) -> Segment:
        """What the draft now holds. Raises TooMuch."""
        if prod(len(choice) for choice in draft.choices) > MOST_ALTERNATIVES:
            raise TooMuch(f"a rule that stands for more than {MOST_ALTERNATIVES}")
        base = draft.match()
        assert base is not None
        return cls(base, tuple(_branches(draft)), all(map(_is_apart, draft.choices)), draft.log)


def clauses_of(alternative: Alternative) -> tuple[Clause, ...]:
    """What the alternative asks and does, in order."""
    return tuple(clause for clause in (alternative.clause, alternative.effect) if clause is not None)


def draws(meaning: Meaning | None) -> bool:
    """Whether asking twice is not asking once: the rule keeps a count, or the answer is chance."""
    if isinstance(meaning, SetMark):
        return isinstance(meaning.value, Numbered)
    if isinstance(meaning, Translate):
        return meaning.number is not None
    return isinstance(meaning, _DRAWS)


def orders(choices: list[tuple[Alternative, ...]]) -> bool:
    """Whether something is done here before what comes after."""
    return any(
        isinstance(clause.meaning, _DRAWS + _EFFECTS)
        for choice in choices
        for alternative in choice
        for clause in clauses_of(alternative)
    )


def asks(choices: list[tuple[Alternative, ...]]) -> bool:
    """Whether a condition stands here, not only changes."""
    return any(
        not isinstance(clause.meaning, _EFFECTS)
        for choice in choices
        for alternative in choice
        for clause in clauses_of(alternative)
    )


def _branches(draft: Draft) -> Iterator[Branch]:
    seen = set()
    for combination in product(*draft.choices):
        fields = tuple(pair for alternative in combination for pair in alternative.fields)
        verdict, target = draft.verdict, draft.target
        for alternative in combination:
            if alternative.verdict is not None:
                verdict, target = alternative.verdict, alternative.target
        match = draft.match(fields)
        branch = (
            Branch(match, tuple(c for one in combination for c in clauses_of(one)), verdict, target) if match else None
        )
        if branch is not None and branch not in seen:
            seen.add(branch)
            yield branch


def _is_apart(choice: tuple[Alternative, ...]) -> bool:
    if len(choice) < 2:
        return True
    for alternative in choice:
        if alternative.clause is not None and isinstance(alternative.clause.meaning, _CHANGING):
            return False
        if any(name in _CHANGING_FIELDS for name, _ in alternative.fields):
            return False
    return _are_disjoint(choice)


def _are_disjoint(choice: tuple[Alternative, ...]) -> bool:
    """Elements of maps are (the reader has checked); those of a concatenation where each names single values."""
    if any(alternative.verdict is not None or alternative.effect is not None for alternative in choice):
        return True
    keys = [alternative.fields for alternative in choice]
    return len(set(keys)) == len(keys) and all(_is_single(value) for fields in keys for _, value in fields)


def _is_single(value: FieldValue) -> bool:
    if isinstance(value, IntegerSet):
        return value.single() is not None
    if isinstance(value, AddressSet):
        return not value.wildcards and len(value.ranges) == 1 and value.ranges[0][0] == value.ranges[0][1]
    return False


def written(
    segments: list[Segment], draft: Draft, span: Span, name: str
) -> tuple[tuple[Rule, ...], list[tuple[str, tuple[Rule, ...]]]]:
    """The rules for the chain itself, and the chains that they jump to.

    ``name`` begins the names of those. Raises NotInAChain.
    """
    chains: list[tuple[str, tuple[Rule, ...]]] = []
    for place in range(1, len(segments)):
        last = place == len(segments) - 1
        rules = tuple(
            _rule(one, segments[place], draft, span, _inside(one) if last else (Verdict.GOTO, f"{name}_{place + 1}"))
            for one in segments[place].branches
        )
        chains.append((f"{name}_{place}", rules))
    first = segments[0]
    continued = (Verdict.JUMP, f"{name}_1") if chains else None
    if len(first.branches) < 2 or first.apart or (not continued and _all_leave(first)):
        return tuple(_rule(one, first, draft, span, continued or _plain(one)) for one in first.branches), chains
    inside = (Verdict.GOTO, f"{name}_1")
    chains.insert(
        0,
        (
            f"{name}_0",
            tuple(_rule(one, first, draft, span, inside if continued else _inside(one)) for one in first.branches),
        ),
    )
    return (Rule(first.base, Verdict.JUMP, f"{name}_0", comment=draft.comment, span=span),), chains


def _all_leave(segment: Segment) -> bool:
    return all(branch.verdict in _LEAVES for branch in segment.branches)


def _plain(branch: Branch) -> tuple[Verdict, str]:
    return (Verdict.CONTINUE if branch.verdict is None else branch.verdict), branch.target


def _inside(branch: Branch) -> tuple[Verdict, str]:
    """The verdict, said in a chain to which the rule jumped."""
    verdict, target = _plain(branch)
    if verdict in (Verdict.RETURN, Verdict.GOTO):
        raise NotInAChain
    return {Verdict.JUMP: Verdict.GOTO, Verdict.CONTINUE: Verdict.RETURN}.get(verdict, verdict), target


def _rule(branch: Branch, segment: Segment, draft: Draft, span: Span, verdict: tuple[Verdict, str]) -> Rule:
    answer = draft.answer if verdict[0] is Verdict.REJECT else ""
    return Rule(
        branch.match,
        *verdict,
        segment.log,
        answer,
        draft.comment,
        source_set=draft.source_set if branch.match.source is not None else "",
        destination_set=draft.destination_set if branch.match.destination is not None else "",
        unmodelled=branch.clauses,
        span=span,
    )
