"""The journal: one small file that says what stands, what is underway, and how far it is.

It is replaced whole before each step, so that a reader after a crash sees the
step that was begun. Everything that must agree is in this one file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from appliance import durable
from appliance.commit.clock import Deadline
from appliance.commit.results import Ending, Phase, Standing
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["Journal", "JournalUnreadable", "Owed", "Record", "Underway", "Unfinished", "read_journal", "write_journal"]


class JournalUnreadable(Refused):
    """The journal is no journal, or gone: somebody edited it, or the disk is failing."""

    code = "journal-unreadable"

    def __init__(self, path: Path, why: str) -> None:
        words = _(
            "{path} cannot be read as the journal: {why}. Nothing is committed, confirmed or taken back until"
            " `gerbang appliance recover` has put it aside and begun another one from the generations that are there"
        )
        super().__init__(words, path=str(path), why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """A change from generation ``before`` to generation ``after``."""

    before: int
    after: int
    phase: Phase
    who: str
    note: str = ""
    since: datetime
    acted: tuple[str, ...] = ()
    """Components that have begun to act; the last may not have finished."""
    deadline: Deadline | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of one generation."""

    number: int
    standing: Standing
    by: str
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A component that could not be undone."""

    component: str
    generation: int
    """The one that it was to be taken back from, and may still run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A line that the audit log does not have yet: of what ended while nobody waited for it, or while the store was
    away."""

    service: str = "machine"
    """Whose command it was."""
    command: str
    who: str = ""
    """Empty: the appliance itself."""
    ending: Ending
    generation: int
    standing: int
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Everything that must survive."""

    standing: int = 0
    """The confirmed generation; 0: the empty machine."""
    last: int = 0
    """The highest number ever given."""
    underway: Underway | None = None
    records: tuple[Record, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()
    owed: tuple[Owed, ...] = ()

    def became(self, number: int, standing: Standing, by: str, when: datetime) -> Journal:
        """With the fate of one generation."""
        others = tuple(record for record in self.records if record.number != number)
        record = Record(number=number, standing=standing, by=by, when=when)
        return replace(self, records=tuple(sorted((*others, record), key=lambda one: one.number)))

    @property
    def current(self) -> int:
        """The generation that serves: the confirmed one, or the one that waits to be confirmed."""
        waits = self.underway is not None and self.underway.phase is Phase.CONFIRM
        return self.underway.after if waits and self.underway else self.standing

    def confirmed(self) -> tuple[int, ...]:
        """The generations that have served and were confirmed, oldest first."""
        return tuple(record.number for record in self.records if record.standing is Standing.CONFIRMED)


@cache
def _adapter() -> TypeAdapter[Journal]:
    return TypeAdapter(Journal)


def read_journal(path: Path) -> Journal:
    """The journal, or that of an empty machine when there is none. Raises JournalUnreadable."""
    try:
        raw = path.read_bytes()
        journal = _adapter().validate_json(raw)
    except FileNotFoundError:
        return Journal()
    except OSError as error:
        raise JournalUnreadable(path, error.strerror or type(error).__name__) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise JournalUnreadable(path, f"{place}: {first['msg']}" if place else first["msg"]) from error
    # All of it has a default, and an empty machine is what nobody may take for what stands.
    if missing := {"standing", "last"} - from_json(raw).keys():
        raise JournalUnreadable(path, f"it does not say {' and '.join(sorted(missing))}")
    return journal


def write_journal(path: Path, journal: Journal) -> None:
    """Replace the journal; it lasts when this returns."""
    durable.put(path, _adapter().dump_json(journal, indent=1) + b"\n")
