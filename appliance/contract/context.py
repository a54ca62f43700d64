"""What a command is given: the store, who asks, when, and how to say what happens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from appliance.contract.people import Person
from appliance.contract.refusals import NotFound
from appliance.contract.results import ClaimedFile

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Cancelled", "Context", "Event", "Progress"]

Settings = TypeVar("Settings")


class Cancelled(Exception):
    """Raised by Context.progress in work that somebody has cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that clients who may see the service are told, after the transaction is kept."""

    service: str
    kind: str
    """``changed``, ``added``, ``removed``, or a word of the service."""
    subject: str
    """What it is about: ``rooms``, ``bookings/P201302002``."""
    template: str = ""
    """Words for the user, English with ``{names}``; empty for an event that only makes screens look again."""
    values: dict[str, Any] = field(default_factory=dict)
    urgent: bool = False
    roles: frozenset[str] = frozenset()
    """Local roles that are told, or ANYONE or VISITOR; empty: all that have a role of the service. Visitors are told
    nothing but what says VISITOR, of a service with a public side too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far long work is. ``total`` is 0 while it is not known."""

    done: int
    total: int
    doing: str = ""


def _nothing(progress: Progress) -> None:
    """Progress of a command that nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One call of one command."""

    connection: Connection
    """In a query: one snapshot, read only. In a change: its transaction. In work: not to be used; take ``reading``
    and ``writing``."""
    person: Person
    now: datetime
    """Aware, in ``zone``."""
    zone: ZoneInfo
    service: str
    settings_of: Callable[[type[Any]], Any]
    """The service's settings, a record as declared by it, with the administrator's values."""
    events: list[Event]
    tell: Callable[[Progress], None] = _nothing
    """Tell how far work is; raises Cancelled when it should end."""
    reading: Callable[[], AbstractContextManager[Connection]]
    """In work: a snapshot to read from."""
    writing: Callable[[str, dict[str, Any]], AbstractContextManager[Context]]
    """In work: one transaction with its own line of the audit log, named by what is done and to what."""
    claim: Callable[[Context, str, str], ClaimedFile] | None = None
    """Behind ``claim_file``."""
    prepared: Any = None
    """In a change: what the command's ``before`` has answered."""
    appliance: Any = None
    """The ports of the daemon's own services (store, commits, machine); services of users do not use it."""

    @property
    def today(self) -> date:
        """The day of ``now`` where the appliance stands."""
        return self.now.date()

    def settings(self, record: type[Settings]) -> Settings:
        """The service's settings as this record."""
        found: Settings = self.settings_of(record)
        return found

    def claim_file(self, number: str, folder: str = "") -> ClaimedFile:
        """In a change: take a file that this person has sent (``POST /v1/files``) into the service's folder.

        It is there when the transaction is kept, and back with its sender when
        it is undone. ``folder`` is one of the service's ``folders``, so that
        backups have it; the first, when none is named. Raises NotFound for a
        file that is not there or somebody else's.
        """
        if self.claim is None:
            raise NotFound("file", number[:64])
        return self.claim(self, number, folder)

    def publish(
        self,
        kind: str,
        subject: str,
        template: str = "",
        /,
        *,
        urgent: bool = False,
        roles: frozenset[str] = frozenset(),
        **values: Any,
    ) -> None:
        """Tell clients, once the transaction is kept. ``roles`` are as in Event."""
        told = Event(
            service=self.service,
            kind=kind,
            subject=subject,
            template=template,
            values=values,
            urgent=urgent,
            roles=roles,
        )
        self.events.append(told)
