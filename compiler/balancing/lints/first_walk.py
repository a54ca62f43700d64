"""A walk for packets of clients that no rule has put into a list yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.balancing.walking import Memory, Passage, Walker, _Walk
from compiler.policy.ruleset import Rule
from compiler.policy.stateful import AddToSet, ChangeField, ClampSegment, InSet, Meaning, Translate

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["FirstWalker"]

_HARMLESS = (AddToSet, ChangeField, ClampSegment)
"""What changes neither marks nor the way of this packet."""


class FirstWalker(Walker):
    """Lists that rules fill are empty, and what only fills them, or changes a header, is passed over."""

    def _holds(
        self, rule: Rule, meaning: Meaning | None, atom: BDDFunction, passage: Passage, memory: Memory, walk: _Walk
    ) -> bool:
        if isinstance(meaning, InSet):
            return meaning.negated
        if isinstance(meaning, _HARMLESS):
            return True
        if isinstance(meaning, Translate):
            walk.rule = rule
        return super()._holds(rule, meaning, atom, passage, memory, walk)
