"""What has run by itself, as it is kept: one row for each run, and since when each is known."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from appliance.services.system.tables import RUNS, TIMED

__all__ = ["Ending", "Run", "end_run", "kept_of", "known_since", "last_run", "note_known", "open_runs", "took"]

MOST = 400
"""Runs of one command that are kept; older ones go."""


class Ending(StrEnum):
    """What has become of a run."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """The daemon was stopped, or somebody who had begun it has cancelled it."""
    INTERRUPTED = "interrupted"
    """The daemon died during it."""
    NOT_NEEDED = "not needed"


class Run(NamedTuple):
    """One run."""

    number: int
    service: str
    command: str
    person: str
    began: datetime
    ended: datetime | None
    outcome: Ending
    said: str
    """Why it has failed."""


_RUN = select(
    *(RUNS.c[name] for name in ("id", "service", "command", "person", "began", "ended", "outcome", "said"))
).order_by(RUNS.c.id)


def known_since(connection: Connection, service: str, command: str, now: datetime) -> datetime | None:
    """None for one that nobody has noted yet. A clock that was put back before that moment knows it from ``now``."""
    found = select(TIMED.c.known).where((TIMED.c.service == service) & (TIMED.c.command == command))
    known: datetime | None = connection.execute(found).scalar_one_or_none()
    return known if known is None or known <= now else None


def note_known(connection: Connection, service: str, command: str, now: datetime) -> None:
    """It is known from now on."""
    this = (TIMED.c.service == service) & (TIMED.c.command == command)
    if not connection.execute(update(TIMED).where(this).values(known=now)).rowcount:
        connection.execute(insert(TIMED).values(service=service, command=command, known=now))


def kept_of(connection: Connection, service: str, command: str, occasions: Collection[str]) -> frozenset[str]:
    """Those of the occasions that were taken."""
    found = select(RUNS.c.occasion).where(_of(service, command) & RUNS.c.occasion.in_(occasions))
    return frozenset(connection.execute(found).scalars())


def took(connection: Connection, service: str, command: str, occasion: str, person: str, now: datetime) -> int | None:
    """Take the occasion: the number of its run, or None when it was taken before."""
    if kept_of(connection, service, command, (occasion,)):
        return None
    values = {"service": service, "command": command, "occasion": occasion, "person": person, "began": now}
    made = connection.execute(insert(RUNS).values(**values, outcome=Ending.RUNNING.value, said=""))
    number = int((made.inserted_primary_key or (0,))[0])
    newest = select(RUNS.c.id).where(_of(service, command)).order_by(RUNS.c.id.desc()).limit(MOST)
    kept = connection.execute(newest).scalars().all()
    connection.execute(delete(RUNS).where(_of(service, command) & (RUNS.c.id < min(kept))))
    return number


def end_run(connection: Connection, number: int, outcome: Ending, said: str, now: datetime) -> None:
    """It has ended."""
    values = {"ended": now, "outcome": outcome.value, "said": said[:300]}
    connection.execute(update(RUNS).where(RUNS.c.id == number).values(values))


def open_runs(connection: Connection) -> tuple[Run, ...]:
    """Those that have not ended."""
    return tuple(_run(row) for row in connection.execute(_RUN.where(RUNS.c.ended.is_(None))))


def last_run(connection: Connection, service: str, command: str) -> Run | None:
    """The newest."""
    newest = _RUN.where(_of(service, command)).order_by(None).order_by(RUNS.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else _run(row)


def _run(row: Row[Any]) -> Run:
    number, service, command, person, began, ended, outcome, said = tuple(row)
    return Run(number, service, command, person, began, ended, Ending(outcome), said)


def _of(service: str, command: str) -> ColumnElement[bool]:
    return (RUNS.c.service == service) & (RUNS.c.command == command)
