"""Rows on a terminal, and as CSV (RFC 4180): listings, and answers that are lists of records, as reports are."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from compiler.errors import UsageError

__all__ = ["as_csv", "in_columns", "is_table", "shown", "table_of"]

WIDEST = 60


def is_table(value: Any) -> bool:
    """Whether it is a list of records."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def table_of(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines of a table; numbers stand to the right."""
    names = _names(records)
    rows = [[shown(one.get(name)) for name in names] for one in records]
    right = [all(_is_number(one.get(name)) for one in records) for name in names]
    return in_columns(names, rows, right)


def as_csv(answer: Any) -> str:
    """A list of records, or the one list of records in a record (``lines`` of a report). Raises UsageError."""
    found = [answer] if isinstance(answer, list) else []
    if isinstance(answer, Mapping):
        found = [one for one in answer.values() if isinstance(one, list) and (not one or is_table(one))]
        found = [one for one in found if one] or found
    if len(found) != 1 or (found[0] and not is_table(found[0])):
        raise UsageError("this answer is no list of records: --format csv is for lists; take json")
    records = found[0]
    names = _names(records)
    file = io.StringIO(newline="")
    written = csv.writer(file, lineterminator="\n")
    if names:
        written.writerow(names)
    written.writerows([_text(one.get(name)) for name in names] for one in records)
    return file.getvalue()


def _names(records: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for one in records for name in one))


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def in_columns(names: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """The lines of a table with its head."""
    widths = [max([_width(name), *(_width(row[place]) for row in rows)]) for place, name in enumerate(names)]
    return [
        "  ".join(_padded(cell, width, right=to) for cell, width, to in zip(row, widths, right, strict=True)).rstrip()
        for row in [names, *rows]
    ]


def _padded(text: str, width: int, *, right: bool) -> str:
    blank = " " * (width - _width(text))
    return blank + text if right else text + blank


def _width(text: str) -> int:
    return sum(
        2 if unicodedata.east_asian_width(one) in "WF" else 0 if unicodedata.combining(one) else 1 for one in text
    )


def shown(value: Any) -> str:
    """On one line, without what would move the cursor of who reads it."""
    text = "".join(one if one.isprintable() else " " for one in _text(value))
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else str(value)
