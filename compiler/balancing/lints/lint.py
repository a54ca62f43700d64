"""What a lint says: its name, its place, why, and the edits that mend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from compiler.analysis.findings.finding import Severity
from compiler.source import NOWHERE, Span

__all__ = ["Edit", "Lint", "apply_edits"]


class Edit(NamedTuple):
    """Put ``text`` where ``start`` to ``end`` of the user's text stands; with both equal, put it there beside.

    ``shown`` is the whole line as it can be pasted into a terminal, ``""`` for a line that goes.
    """

    start: int
    end: int
    text: str
    shown: str


@dataclass(frozen=True, slots=True)
class Lint:
    """One mistake. ``why`` names the source of the rule; ``mended`` is empty where only a person can choose."""

    name: str
    severity: Severity
    span: Span
    message: str
    why: str
    mended: tuple[Edit, ...] = ()
    hint: str = ""
    """What to do where no line can be written for the user."""

    def as_json(self) -> dict[str, object]:
        """Plain data; lines and columns count from 1."""
        return {
            "lint": self.name,
            "severity": self.severity.value,
            "message": self.message,
            "why": self.why,
            "file": self.span.source,
            "line": self.span.line,
            "column": self.span.column,
            "mended": [edit.shown for edit in self.mended if edit.shown],
            "hint": self.hint or None,
        }

    def lines(self, explained: bool = True) -> Iterator[str]:
        """The lint as text: place, severity, name, message; indented why (unless told before) and mended lines."""
        place = f"{self.span}: " if self.span is not NOWHERE else ""
        yield f"{place}{self.severity.value}: {self.name}: {self.message}"
        if explained:
            yield f"    why: {self.why}"
        if self.hint:
            yield f"    do: {self.hint}"
        for edit in self.mended:
            yield f"    mended: {edit.shown or '(this line goes)'}"


def apply_edits(text: str, lints: Iterable[Lint]) -> str:
    """The text with the mended lines of the lints. Of lints whose edits overlap the first is applied alone."""
    chosen: list[Edit] = []
    for lint in lints:
        if not any(_overlap(one, other) for one in lint.mended for other in chosen):
            chosen += lint.mended
    # From behind: first what replaces, then what is put before it, in its order.
    order = sorted(
        range(len(chosen)),
        key=lambda number: (chosen[number].start, chosen[number].end > chosen[number].start, number),
        reverse=True,
    )
    for edit in (chosen[number] for number in order):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _overlap(one: Edit, other: Edit) -> bool:
    if one.start == one.end and other.start == other.end:
        return one == other  # twice the same
    return one.start < other.end and other.start < one.end


def worst(lints: Sequence[Lint]) -> Severity | None:
    """The worst severity among them."""
    for severity in Severity:
        if any(lint.severity is severity for lint in lints):
            return severity
    return None
