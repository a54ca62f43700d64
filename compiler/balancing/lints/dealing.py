"""Rules that deal new connections to lines, and how they are written right: guarded, descending, interleaved."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from compiler.balancing.lints.lint import Edit
from compiler.balancing.lints.rows import MANGLE, Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.turns import cycle

__all__ = ["dealt_anew", "group_of", "is_guarded"]

_MOST_ROWS = 24
_OWN = frozenset(
    {"nth", "per-connection-classifier", "connection-mark", "new-connection-mark", "passthrough", "comment", "disabled"}
    | {"log", "log-prefix", "random"}
)


def matchers(row: Row) -> dict[str, str]:
    """What a rule asks, but for turns, hashes and marks."""
    return {name: value for name, value in row.item.properties.items() if name not in _OWN and value}


def group_of(subject: Subject, row: Row) -> list[Row]:
    """The rules of one chain that ask the same and give connection marks."""
    asked = matchers(row)
    return [one for one in subject.of(MANGLE) if one["action"] == row["action"] and matchers(one) == asked]


def is_guarded(row: Row) -> bool:
    """Whether a rule asks for connections without a mark."""
    return row["connection-mark"] == "no-mark"


def nth_of(row: Row) -> tuple[int, int] | None:
    """``every`` and ``packet``, or None where they cannot be read."""
    parts = row["nth"].split(",")
    if len(parts) not in (2, 3) or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[-1])


def dealt_anew(subject: Subject, rows: Sequence[Row], shares: dict[str, Fraction]) -> tuple[Edit, ...]:
    """The rules for these shares: one a slot, each counting what earlier ones left. Empty where it is too many."""
    total = lcm(*(part.denominator for part in shares.values()))
    if total > _MOST_ROWS or not shares:
        return ()
    names = list(shares)
    slots = [names[index] for index in cycle([int(part * total) for part in shares.values()])]
    edits = []
    last = rows[-1]
    for number, mark in enumerate(slots):
        left = len(slots) - number
        values: dict[str, str | None] = {
            "connection-mark": "no-mark",
            "connection-state": rows[0]["connection-state"] or "new",
            "nth": f"{left},1" if left > 1 else None,
            "new-connection-mark": mark,
            "passthrough": "yes",
        }
        if number < len(rows):
            edits.append(subject.change(rows[number], values))
        else:
            edit = subject.change(last, values)
            edits.append(Edit(edit.end, edit.end, "\n" + edit.shown, edit.shown))
    edits += [subject.remove(row) for row in rows[len(slots) :]]
    return tuple(edits)
