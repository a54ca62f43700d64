"""A list while its lines are read: numbers, duplicates, removal, resequencing."""

from __future__ import annotations

from typing import NamedTuple

from compiler.dialects.ios.entries import Body
from compiler.dialects.ios.words import Fault
from compiler.fields import Family
from compiler.policy.access_list import ListKind, Remark
from compiler.source import Span

__all__ = ["ListDraft", "Record"]

STEP = 10


class Record(NamedTuple):
    """A numbered line; ``before`` are the remarks without number that stand above it."""

    sequence: int
    content: Body | Remark
    span: Span
    hits: int | None = None
    before: tuple[Remark, ...] = ()


class ListDraft:
    """An access list that grows line by line, as it does in the router."""

    def __init__(self, name: str, family: Family, kind: ListKind, span: Span) -> None:
        self.name = name
        self.family = family
        self.kind = kind
        self.span = span
        self.records: list[Record] = []
        self.by_number: dict[int, Record] = {}
        self.bodies: dict[Body, int] = {}
        self.pending: list[Remark] = []
        self.last = 0

    def add(self, sequence: int | None, body: Body, span: Span, hits: int | None = None) -> bool:
        """Insert an entry; False when the list has it already and IOS ignores it.

        Raises Fault (index 0) when the number is taken by another entry.
        """
        known = self.bodies.get(_key(body))
        if sequence is None:
            if known is not None:
                return False
            sequence = self.last + STEP
        elif sequence in self.by_number:
            if known == sequence:
                return False
            other = self.by_number[sequence]
            raise Fault(f"the sequence number {sequence} is taken by the entry on line {other.span.line}", 0)
        before: tuple[Remark, ...] = ()
        if self.pending:
            before, self.pending = tuple(self.pending), []
        record = Record(sequence, body, span, hits, before)
        self.records.append(record)
        self.by_number[sequence] = record
        if known is None:
            self.bodies[_key(body)] = sequence
        self.last = max(self.last, sequence)
        return True

    def remark(self, sequence: int | None, text: str, span: Span) -> None:
        """A remark: at its number, or above the entry that comes next."""
        if sequence is None:
            self.pending.append(Remark(text, 0, span))
            return
        before, self.pending = tuple(self.pending), []
        self.records.append(Record(sequence, Remark(text, sequence, span), span, None, before))

    def remove(self, sequence: int) -> bool:
        """``no N``: whether there was such a line."""
        kept = [record for record in self.records if record.sequence != sequence]
        found = len(kept) != len(self.records)
        self.records = kept
        record = self.by_number.pop(sequence, None)
        if record is not None and isinstance(record.content, Body):
            key = _key(record.content)
            if self.bodies.get(key) == sequence:
                del self.bodies[key]
                same = (one for one in self.records if isinstance(one.content, Body) and _key(one.content) == key)
                self.bodies.update((key, one.sequence) for one in same)
            if sequence == self.last:
                self.last = max(self.by_number, default=0)
        return found

    def remove_body(self, body: Body, sequence: int | None = None) -> bool:
        """``no permit …`` and ``no 10 permit …``: whether there was such an entry (under that number)."""
        if sequence is None:
            sequence = self.bodies.get(_key(body))
        record = self.by_number.get(sequence or 0)
        if record is None or not isinstance(record.content, Body) or _key(record.content) != _key(body):
            return False
        return self.remove(record.sequence)

    def remove_remark(self, text: str, sequence: int | None = None) -> bool:
        """``no remark …`` and ``no 10 remark …``: whether there was one; blanks count once."""

        def stays(remark: Remark) -> bool:
            return " ".join(remark.text.split()) != text or sequence not in (None, remark.sequence)

        before = self._remarks()
        self.pending = list(filter(stays, self.pending))
        self.records = [
            record._replace(before=tuple(filter(stays, record.before)))
            for record in self.records
            if not isinstance(record.content, Remark) or stays(record.content)
        ]
        self.by_number = {record.sequence: record for record in self.records if isinstance(record.content, Body)}
        return self._remarks() != before

    def _remarks(self) -> int:
        numbered = sum(isinstance(record.content, Remark) for record in self.records)
        return len(self.pending) + numbered + sum(len(record.before) for record in self.records)

    def resequence(self, start: int, step: int) -> None:
        """``ip access-list resequence``: new numbers in the same order; a remark keeps to its entry."""
        number, renumbered = start, []
        ordered = self.ordered()
        for position, record in enumerate(ordered):
            content = record.content
            if isinstance(content, Remark):
                content = Remark(content.text, number, content.span)
            renumbered.append(record._replace(sequence=number, content=content))
            following = ordered[position + 1] if position + 1 < len(ordered) else None
            if following is None or following.sequence != record.sequence:
                number += step
        self._replace(renumbered)

    def ordered(self) -> list[Record]:
        """The numbered lines by number; a remark stands above the entry of its number."""
        return sorted(self.records, key=_position)

    def _replace(self, records: list[Record]) -> None:
        self.records = records
        entries = [record for record in records if isinstance(record.content, Body)]
        self.by_number = {record.sequence: record for record in entries}
        self.bodies = {_key(record.content): record.sequence for record in entries if isinstance(record.content, Body)}
        self.last = max(self.by_number, default=0)


def _key(body: Body) -> Body:
    """The body without the places of its clauses: ``no permit …`` has them one word further on."""
    if not body.unmodelled:
        return body
    return body._replace(unmodelled=tuple((text, 0, 0) for text, _, _ in body.unmodelled))


def _position(record: Record) -> tuple[int, bool]:
    return record.sequence, not isinstance(record.content, Remark)
