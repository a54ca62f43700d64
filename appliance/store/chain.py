"""Walking the audit chain from its first line to the last, and saying what was done to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    LargeBinary,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
)

from appliance.store.audit import AUDIT, FIRST, Head, sealed

__all__ = ["Tampered", "Verdict", "verify"]

_NAMES = ("number", "at", "person", "service", "command", "arguments", "outcome", "previous", "hash")
_BATCH = 5_000
_MOST = 100
"""Faults that are told: when all lines are wrong, it is the key."""


@dataclass(frozen=True, slots=True)
class Tampered:
    """Something that was done to the chain. ``number`` is the line at which it shows; ``template`` is English."""

    number: int
    template: str

    def __str__(self) -> str:
        return self.template.format(number=self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the walk found."""

    lines: int
    head: Head | None
    """The last line that is there."""
    tampered: tuple[Tampered, ...]

    @property
    def intact(self) -> bool:
        """No edit was found."""
        return not self.tampered


def verify(
    connection: Connection,
    key: bytes,
    head: Head | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
    noted: Sequence[Head] = (),
) -> Verdict:
    """Walk the chain in one snapshot. ``head`` is the note outside the database: the line that must be there.
    ``noted`` are lines that somebody has written down elsewhere: by them even a chain is found that was made anew
    with the appliance's own key.

    Each line's values must give its hash, and name the hash of the line before;
    numbers count up by one from 1. ``tell`` hears lines done and their total, and
    may raise to end it.
    """
    total = connection.execute(select(func.count()).select_from(AUDIT)).scalar_one()
    faults: list[Tampered] = []
    last, before, done = 0, FIRST, 0
    known = [*([head] if head is not None else ()), *noted]
    found: dict[int, Any] = dict.fromkeys(one.number for one in known)
    for batch in _batches(connection):
        for row in batch:
            number, hashed = row[0], row[8]
            done += 1
            if not isinstance(number, int):
                faults.append(Tampered(last, "after line {number} stands one without a number"))
                continue
            faults.extend(_faults(row, last, before, key))
            if number in found:
                found[number] = hashed
            last, before = number, hashed
        tell(done, total)
        if len(faults) >= _MOST:
            break
    else:
        if done != total:  # none was added meanwhile: it is one snapshot
            faults.append(Tampered(last, f"{total - done} lines more stand there with a number of others, or none"))
    if len(faults) < _MOST:
        faults.extend(dict.fromkeys(fault for one in known for fault in _against(one, last, found[one.number])))
    return Verdict(lines=done, head=Head(last, str(before)) if done else None, tampered=tuple(faults[:_MOST]))


def _faults(row: Sequence[Any], last: int, before: Any, key: bytes) -> Iterator[Tampered]:
    number, hashed = row[0], row[8]
    if number <= 0:
        yield Tampered(number, "line {number} was inserted: lines count from 1")
    elif number <= last:
        yield Tampered(number, "line {number} stands there more than once")
    elif number != last + 1:
        missing = f"line {last + 1} is" if number == last + 2 else f"lines {last + 1} to {number - 1} are"
        yield Tampered(last + 1, f"{missing} missing")
    elif row[7] != before:
        yield Tampered(number, "line {number} does not follow the line before it: one of the two was put in or changed")
    try:
        fits = sealed(list(row[:8]), key) == hashed
    except (TypeError, ValueError):  # a value of a type that no line has
        fits = False
    if not fits:
        yield Tampered(number, "line {number} was changed, or was not written by this appliance")


def _against(head: Head, last: int, found: Any) -> Iterator[Tampered]:
    if last < head.number:
        lines = f"line {head.number} is" if head.number == last + 1 else f"lines {last + 1} to {head.number} are"
        yield Tampered(last + 1, f"{lines} missing at the end: the log was cut")
    elif found != head.hash:
        yield Tampered(head.number, "line {number} is another than the one that was written then")


def _batches(connection: Connection) -> Iterator[Sequence[Sequence[Any]]]:
    """The lines by their numbers, each as the values that were sealed and its hash. What is no number, date or text
    any more comes as it stands, or as None, to be found wrong rather than to raise."""
    sqlite = connection.dialect.name == "sqlite"
    bare = table(AUDIT.name, *(column(name) for name in _NAMES))
    number = bare.c.number
    query = select(*(_as_found(bare.c[name], sqlite=sqlite) for name in _NAMES)).order_by(number).limit(_BATCH)
    after: Any = None
    while True:
        part = query if after is None else query.where(number > after)
        rows = [(row[0], _moment(_text(row[1])), *map(_text, row[2:])) for row in connection.execute(part)]
        if rows:
            yield rows
            after = rows[-1][0]
        if len(rows) < _BATCH or after is None:
            return


def _as_found(kept: ColumnClause[Any], *, sqlite: bool) -> ColumnElement[Any]:
    """The value as it can be read whatever was put there: SQLite keeps any bytes as text, which the driver would not
    decode, and PostgreSQL moments that Python has not, such as ``infinity``."""
    if kept.name == "number":
        return kept
    if sqlite:
        return case((func.typeof(kept) == "text", cast(kept, LargeBinary)))
    return case((kept.between(_EARLIEST, _LATEST), kept)) if kept.name == "at" else kept


_EARLIEST: ColumnElement[Any] = literal_column("'0001-01-02'")
_LATEST: ColumnElement[Any] = literal_column("'9999-12-30'")


def _text(value: Any) -> Any:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _moment(value: Any) -> Any:
    """As it was sealed: ISO 8601 in UTC with microseconds."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{value.replace(' ', 'T', 1)}+00:00" if isinstance(value, str) else value
