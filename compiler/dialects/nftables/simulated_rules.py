"""One rule, read for the simulator: every clause gets its meaning, in the order of the text."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from compiler.dialects.nftables.changes import change
from compiler.dialects.nftables.conditions import presuppose
from compiler.dialects.nftables.draft import Alternative, Draft, FieldValue
from compiler.dialects.nftables.flags import COMPARISONS
from compiler.dialects.nftables.keys import Key
from compiler.dialects.nftables.rules import ReadRule, RuleReader
from compiler.dialects.nftables.segments import NotInAChain, Segment, asks, draws, orders, written
from compiler.dialects.nftables.state import TableState
from compiler.dialects.nftables.stateful_conditions import Reading, add_clause, stateful_condition
from compiler.dialects.nftables.tokens import Cursor
from compiler.dialects.nftables.translations import read_translation
from compiler.fields import Family
from compiler.policy.ruleset import Rule
from compiler.policy.stateful import InSet

__all__ = ["SimulatedRuleReader"]

_KEPT = ("protocol", "noninitial")
"""What the second part of a rule still knows of the packet: no rule changes these."""


class SimulatedRuleReader(RuleReader):
    """Reads the rules of one table for the simulator. ``names`` numbers the chains that rules get of their own."""

    def __init__(self, cursor: Cursor, family: Family | None, table: TableState, names: count[int]) -> None:
        super().__init__(cursor, family, table.sets, keep=False, translate=True)
        self.table = table
        self.names = names
        self.helpers: Mapping[str, tuple[str, int]] = table.helpers
        self.reading = Reading(cursor, table.sets, self._key)
        self.segments: list[Segment] = []
        self.chains: list[tuple[str, tuple[Rule, ...]]] = []
        """Chains that rules read so far jump to because part of them must come later."""

    def read(self, start: int) -> ReadRule:
        """See RuleReader."""
        self.segments = []
        return super().read(start)

    # -- order ----------------------------------------------------------------

    def _clause(self, draft: Draft) -> None:
        done = orders(draft.choices) or draft.log is not None
        if not done and all(len(choice) < 2 for choice in draft.choices):
            super()._clause(draft)
            return
        choices, fields, family, log = draft.choices, draft.fields, draft.family, draft.log
        draft.choices, draft.log = [], None
        if done:
            draft.fields = {name: fields[name] for name in _KEPT if name in fields}
        known = dict(draft.fields)
        super()._clause(draft)
        if not self._must_come_later(draft, choices, done, known, family, log):
            draft.choices = choices + draft.choices
            draft.fields = fields if done else draft.fields
            draft.log = log if draft.log is None else draft.log
            return
        later = draft.choices, draft.fields, draft.family, draft.log
        verdict, target, draft.verdict, draft.target = draft.verdict, draft.target, None, ""
        draft.choices, draft.log = choices, log
        if done:
            draft.fields, draft.family = fields, family
        self.segments.append(Segment.of(draft))
        draft.choices, draft.fields, draft.family, draft.log = later
        if not done:
            draft.fields = {name: draft.fields[name] for name in _KEPT if name in draft.fields}
        draft.verdict, draft.target = verdict, target

    def _must_come_later(
        self,
        draft: Draft,
        choices: list[tuple[Alternative, ...]],
        done: bool,
        known: dict[str, FieldValue],
        family: Family | None,
        log: str | None,
    ) -> bool:
        """Whether what was just read must not be looked at before, or as often as, what stands before it."""
        several = any(len(choice) > 1 for choice in draft.choices)
        matches = draft.fields != known or draft.family is not family
        matches = matches or any(one.fields for choice in draft.choices for one in choice)
        if done and (several or matches):
            return True
        if log is not None and asks(draft.choices):
            return True
        drawn = any(
            draws(clause.meaning)
            for choice in draft.choices
            for one in choice
            for clause in (one.clause, one.effect)
            if clause is not None
        )
        return drawn and any(len(choice) > 1 for choice in choices)

    # -- clauses ----------------------------------------------------------------

    def _narrow(self, draft: Draft, key: Key, first: int) -> None:
        cursor = self.cursor
        words, place = cursor.words, cursor.position
        operator = COMPARISONS.get(words[place])
        name = words[place + (operator is not None)]
        state = self.sets.get(name[1:]) if name[:1] == "@" else None
        if state is None or not state.filled or operator not in (None, "==", "!="):
            super()._narrow(draft, key, first)
            return
        if key.field not in ("source", "destination") or state.kinds[0].width != key.kind.width:
            raise cursor.fault(f"{state.name!r} holds {state.kinds[0].name}, not {key.kind.name}", place)
        cursor.position = place + (operator is not None) + 1
        presuppose(draft, key)
        member = InSet(f"{self.table.family} {self.table.name}", state.name, key.field, operator == "!=")
        add_clause(self.reading, draft, first, member)

    def _unmodelled(self, draft: Draft) -> None:
        cursor = self.cursor
        words, first = cursor.words, cursor.position
        table = f"{self.table.family} {self.table.name}"
        if change(self.reading, draft, table, self.helpers) or stateful_condition(self.reading, draft):
            if "ct" in words[first : cursor.position]:
                self.tracks |= self._families()
            return
        super()._unmodelled(draft)

    def _translation(self, draft: Draft) -> None:
        self.tracks |= self._translated(draft)
        read_translation(self.reading, draft)

    # -- the end ----------------------------------------------------------------

    def _finish(self, draft: Draft, start: int) -> ReadRule:
        cursor = self.cursor
        last = cursor.position - 1
        if last < start:
            raise cursor.expected("a rule", start)
        if draft.fragment_header == "both":
            raise cursor.unmodelled("two tests of the fragment header in one rule", start, last)
        span = cursor.span(start, last)
        name = f"__rule{span.line}_{next(self.names)}"
        try:
            rules, chains = written([*self.segments, Segment.of(draft)], draft, span, name)
        except NotInAChain:
            raise cursor.unmodelled(
                "a return or goto behind what is drawn, taken or changed before a match: put the matches first",
                start,
                last,
            ) from None
        if chains and draft.fragment_header:
            raise cursor.unmodelled("a test of the fragment header in a rule that must be cut", start, last)
        self.chains += chains
        return ReadRule(rules, span, draft.fragment_header, self.tracks)
