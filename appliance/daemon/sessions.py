"""Who is logged in. The store holds them; what was looked up once is kept until anything about people changes."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select, update

from appliance.contract.context import Context
from appliance.contract.people import Person
from appliance.daemon.once import forget_old
from appliance.services.system.model import Settings
from appliance.services.system.tables import PASSWORDS, PEOPLE, SESSIONS
from appliance.store.settings import settings_of

if TYPE_CHECKING:
    from appliance.daemon.running import Runner

__all__ = ["Session", "Sessions", "digest_of"]

MOST_OF_ONE = 20
"""Logins of one person at a time; the one that was used least lately ends for a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One login."""

    id: int
    digest: str
    person: Person
    full_name: str
    must_change: bool
    last_seen: datetime
    expires: datetime
    idle: timedelta


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Sessions:
    """The logins of a store. May be called from any thread."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._known: dict[str, Session] = {}
        self._seen: dict[str, datetime] = {}
        self._changes = 0

    def open(self, context: Context, name: str, peer: str) -> tuple[str, datetime]:
        """A new login in this transaction: its token, 256 random bits, and when it ends at the latest."""
        token = secrets.token_urlsafe(32)
        connection, now = context.connection, context.now
        expires = now + timedelta(hours=context.settings(Settings).session_longest)
        connection.execute(delete(SESSIONS).where(SESSIONS.c.expires < now))
        older = (
            select(SESSIONS.c.id)
            .where(SESSIONS.c.person == name)
            .order_by(SESSIONS.c.last_seen.desc())
            .offset(MOST_OF_ONE - 1)
        )
        ended = connection.execute(older).scalars().all()
        connection.execute(delete(SESSIONS).where(SESSIONS.c.id.in_(ended)))
        values = {"person": name, "peer": peer[:100], "began": now, "last_seen": now, "expires": expires}
        connection.execute(insert(SESSIONS).values(token=digest_of(token), **values))
        context.publish("added", "sessions")
        return token, expires

    def cached(self, digest: str) -> Session | None:
        """The session if it is known without the store; counts as use."""
        session = self._known.get(digest)
        return session if session is not None and self._alive(session) else None

    def find(self, digest: str) -> Session | None:
        """The session of a token that has not ended; counts as use."""
        session = self._look(digest)
        return session if session is not None and self._alive(session) else None

    def _look(self, digest: str) -> Session | None:
        with self._lock:
            session, changes = self._known.get(digest), self._changes
        if session is None:
            with self._runner.store.reading() as connection:
                session = self._read(connection, digest)
            if session is None:
                return None
            with self._lock:
                # Between the snapshot and now somebody may have taken the person's rights.
                if changes == self._changes:
                    self._known[digest] = session
        return session

    def current(self, digest: str) -> Session | None:
        """The session as it stands, without counting as use: for streams."""
        session = self._look(digest)
        return session if session is not None and self._lasts(session) else None

    def person_now(self, person: Person) -> Person | None:
        """The same person with the roles of now; None when there is none any more, or not active. For work that
        waited for its turn, whose session may have ended since. A visitor stays one."""
        if not person.name:
            return person
        found = select(PEOPLE.c.roles, PEOPLE.c.language).where(PEOPLE.c.name == person.name, PEOPLE.c.active.is_(True))
        with self._runner.store.reading() as connection:
            row = connection.execute(found).one_or_none()
        return Person(person.name, frozenset(row.roles), str(row.language)) if row is not None else None

    def forget(self) -> None:
        """Something about people, sessions or their settings has changed: look again."""
        with self._lock:
            self._changes += 1
            self._known.clear()

    def flush(self) -> frozenset[int]:
        """Keep when sessions were last used, and drop those that have ended and old answers; answers those that last.
        Called once a minute."""
        with self._lock:
            seen, self._seen = self._seen, {}
        try:
            lasting = self._keep(seen)
        except BaseException:
            with self._lock:
                # Not kept: for the next time, unless they were used again since.
                self._seen = {**seen, **self._seen}
            raise
        self.forget()
        return lasting

    def _keep(self, seen: Mapping[str, datetime]) -> frozenset[int]:
        now = self._runner.now()
        with self._runner.store.writing() as connection:
            settings = settings_of(connection, "system", Settings)
            for digest, at in seen.items():
                connection.execute(update(SESSIONS).where(SESSIONS.c.token == digest).values(last_seen=at))
            idle = now - timedelta(minutes=settings.session_idle)
            connection.execute(delete(SESSIONS).where((SESSIONS.c.expires < now) | (SESSIONS.c.last_seen < idle)))
            forget_old(connection, now)
            return frozenset(connection.execute(select(SESSIONS.c.id)).scalars())

    def _alive(self, session: Session) -> bool:
        lasts = self._lasts(session)
        if lasts:
            self._seen[session.digest] = self._runner.now()
        return lasts

    def _lasts(self, session: Session) -> bool:
        now = self._runner.now()
        last = max(session.last_seen, self._seen.get(session.digest, session.last_seen))
        return now < session.expires and now - last < session.idle

    def _read(self, connection: Connection, digest: str) -> Session | None:
        columns = (SESSIONS, PEOPLE.c.full_name, PEOPLE.c.roles, PEOPLE.c.language, PASSWORDS.c.must_change)
        joined = SESSIONS.join(PEOPLE, PEOPLE.c.name == SESSIONS.c.person).join(
            PASSWORDS, PASSWORDS.c.person == PEOPLE.c.name
        )
        found = select(*columns).select_from(joined).where(SESSIONS.c.token == digest, PEOPLE.c.active.is_(True))
        row = connection.execute(found).one_or_none()
        if row is None:
            return None
        settings = settings_of(connection, "system", Settings)
        return Session(
            id=row.id,
            digest=digest,
            person=Person(row.person, frozenset(row.roles), str(row.language)),
            full_name=row.full_name,
            must_change=row.must_change,
            last_seen=row.last_seen,
            expires=row.expires,
            idle=timedelta(minutes=settings.session_idle),
        )
