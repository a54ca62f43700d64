"""What a review found: values only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from compiler.analysis.traffic.difference import Change
from compiler.policy.match import Match
from compiler.policy.match_text import format_match
from compiler.policy.packet_text import format_packet
from compiler.source import Span

__all__ = ["FAILURES", "DecidingLine", "FileReview", "Problem", "Review", "Verdict", "example_text"]


class Verdict(Enum):
    """What a change does to one configuration; the value is how people are told."""

    UNREADABLE = "unreadable"
    BOTH = "wider and narrower"
    WIDER = "wider"
    NARROWER = "narrower"
    LISTS = "lists came or went"
    """No packet changes its verdict, but lists that nothing binds have no partner."""
    OUTSIDE = "changed outside the model"
    """No packet changes its verdict, but translation or the like came or went."""
    ADDED = "new configuration"
    DELETED = "deleted configuration"
    EQUAL = "equal meaning"


FAILURES: dict[str, frozenset[Verdict]] = {
    "difference": frozenset(Verdict) - {Verdict.EQUAL},
    "wider": frozenset({Verdict.UNREADABLE, Verdict.BOTH, Verdict.WIDER, Verdict.OUTSIDE}),
    "unreadable": frozenset({Verdict.UNREADABLE}),
}
"""For whom a review fails: words of ``--fail-on``. What is outside the model may be wider."""


class DecidingLine(NamedTuple):
    """A line of the new configuration that decides newly permitted or denied packets.

    ``span`` is the place to look at: of the line, or for what no line says
    (the end of a list, a binding that is gone) the nearest.
    """

    span: Span
    text: str
    did: str
    newly: str
    where: str
    packets: tuple[Match, ...]
    whole: bool
    example: str


class Problem(NamedTuple):
    """Why a version cannot be read."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class FileReview:
    """One configuration."""

    path: str
    verdict: Verdict
    old_path: str | None = None
    changes: tuple[Change, ...] = ()
    lines: tuple[DecidingLine, ...] = ()
    notes: tuple[str, ...] = ()
    """Lists that came or went."""
    outside: tuple[Problem, ...] = ()
    """What came or went outside the model."""
    problems: tuple[Problem, ...] = ()

    def newly(self, what: str) -> tuple[Change, ...]:
        """The changes that permit, or deny."""
        return tuple(change for change in self.changes if change.newly == what)

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        return {
            "path": self.path,
            "old_path": self.old_path,
            "verdict": self.verdict.name.lower(),
            "changes": [change.as_json() for change in self.changes],
            "lines": [
                {
                    "line": line.span.line,
                    "text": line.text,
                    "did": line.did,
                    "newly": line.newly,
                    "where": line.where,
                    "packets": [format_match(match) for match in line.packets],
                    "whole": line.whole,
                    "example": line.example,
                }
                for line in self.lines
            ],
            "notes": list(self.notes),
            "outside": [one.message for one in self.outside],
            "problems": [
                {"file": one.span.source, "line": one.span.line, "column": one.span.column, "message": one.message}
                for one in self.problems
            ],
        }


@dataclass(frozen=True, slots=True)
class Review:
    """A whole change, the gravest file first."""

    old: str
    new: str
    files: tuple[FileReview, ...]
    skipped: tuple[str, ...] = ()
    """Changed files that are no configurations."""
    bound: bool = False
    """Whether clauses outside the model were read as bounds: compared is what each side surely lets pass."""

    @property
    def empty(self) -> bool:
        """Whether nothing differs in meaning."""
        return all(one.verdict is Verdict.EQUAL for one in self.files)

    def fails(self, on: str) -> bool:
        """Whether a file is as grave as ``"difference"``, ``"wider"`` (or perhaps wider) or ``"unreadable"``."""
        return any(one.verdict in FAILURES[on] for one in self.files)

    def summary(self) -> str:
        """One sentence."""
        if not self.files:
            return "No configuration changed."
        count = len(self.files)
        files = f"{count} changed configuration{'' if count == 1 else 's'}"
        if self.empty:
            return f"No packet changes its verdict in {files}."
        counts = Counter(one.verdict for one in self.files)
        told = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
        return f"{files}: {told}."

    def aside(self) -> tuple[str, ...]:
        """What else must be known to read the review."""
        notes = []
        if self.skipped:
            count = len(self.skipped)
            files = "1 other changed file is no configuration" if count == 1 else ""
            notes.append(f"{files or f'{count} other changed files are no configurations'} and left out.")
        if self.bound:
            notes.append("Clauses outside the model were read as bounds: compared is what each side surely permits.")
        return tuple(notes)

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        return {
            "old": self.old,
            "new": self.new,
            "summary": self.summary(),
            "skipped": list(self.skipped),
            "bound": self.bound,
            "files": [one.as_json() for one in self.files],
        }


def example_text(change: Change) -> str:
    """The packet of a change."""
    return format_packet(change.example.packet)
