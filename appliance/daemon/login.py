"""Logging in and out, and changing one's password: each is told to the audit log, the refused ones too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from appliance.contract.people import Person
from appliance.contract.refusals import NotAllowed, RuleBroken
from appliance.daemon.errors import LoginRefused
from appliance.daemon.sessions import Session, Sessions, digest_of
from appliance.daemon.threads import Threads
from appliance.daemon.throttle import Throttle
from appliance.language import _
from appliance.services.system.model import Settings
from appliance.services.system.passwords import hashed, refuse_weak, verified
from appliance.services.system.tables import PASSWORDS, PEOPLE, SESSIONS
from appliance.store.settings import settings_of

if TYPE_CHECKING:
    from appliance.daemon.running import Runner

__all__ = ["LoggedIn", "Logins"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """A token, and the session that it opens."""

    token: str
    session: Session


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the store knows of a name; an empty hash for nobody."""

    hash: str | None
    there: bool
    settings: Settings


class Logins:
    """Opens and ends sessions. ``used_first`` is called when somebody has logged in as this person."""

    def __init__(self, runner: Runner, sessions: Sessions, threads: Threads, used_first: Callable[[str], None]) -> None:
        self._runner = runner
        self._sessions = sessions
        self._threads = threads
        self._used_first = used_first
        self.throttle = Throttle()

    async def log_in(self, name: str, password: str, peer: str) -> LoggedIn:
        """Raises LoginRefused and TooMany. Takes as long for a name that nobody has."""
        kept = await self._threads.readers.run(self._kept, name)
        settings = kept.settings
        known = self.throttle.knows(name, peer)
        begins = self.throttle.begin(name, peer, settings.login_attempts, settings.lockout_longest * 60)
        lane = self._threads.known_passwords if known else self._threads.passwords
        if not await lane.run(verified, kept.hash, password):
            # A name that nobody has may be a password in the wrong field: it is not written down.
            said = name if kept.there else "?"
            await self._threads.writer.run(self._runner.tell, said, "system", "login", {"peer": peer}, "refused")
            if begins:
                await self._threads.writer.run(self._runner.tell, said, "system", "lockout", {"peer": peer}, "begun")
            raise LoginRefused
        token = await self._threads.writer.run(self._open, name, kept.hash, peer)
        self.throttle.succeeded(name, peer)
        self._used_first(name)
        session = await self._threads.readers.run(self._sessions.find, token[1])
        if session is None:  # disabled in the meantime
            raise LoginRefused
        return LoggedIn(token=token[0], session=session)

    async def log_out(self, session: Session) -> None:
        """End the session."""
        await self._threads.writer.run(self._end, session)

    async def change_password(self, session: Session, old: str, new: str, peer: str) -> None:
        """Change it and end the person's other sessions; raises RuleBroken for a weak one, NotAllowed for a wrong
        old one, TooMany for many wrong ones."""
        name = session.person.name
        kept = await self._threads.readers.run(self._kept, name)
        settings = kept.settings
        # The same counts as at the login: who found a screen unlocked does not try for long.
        self.throttle.begin(name, peer, settings.login_attempts, settings.lockout_longest * 60)
        if not await self._threads.known_passwords.run(verified, kept.hash, old):
            await self._threads.writer.run(self._runner.tell, name, "system", "password", {"peer": peer}, "refused")
            raise NotAllowed(_("the old password is wrong"), field="old")
        self.throttle.succeeded(name, peer)
        refuse_weak(new, name)
        if old == new:
            raise RuleBroken(_("the new password is the old one"), field="new")
        made = await self._threads.known_passwords.run(hashed, new)
        await self._threads.writer.run(self._keep, session, kept.hash, made)

    async def change_language(self, session: Session, language: str) -> None:
        """The language in which this person reads."""
        await self._threads.writer.run(self._speak, session.person, language)

    def _kept(self, name: str) -> _Kept:
        joined = PEOPLE.join(PASSWORDS, PASSWORDS.c.person == PEOPLE.c.name)
        found = select(PASSWORDS.c.hash, PEOPLE.c.active).select_from(joined).where(PEOPLE.c.name == name)
        with self._runner.store.reading() as connection:
            row = connection.execute(found).one_or_none()
            settings = settings_of(connection, "system", Settings)
        return _Kept(row.hash if row is not None and row.active else None, row is not None, settings)

    def _open(self, name: str, expected: str | None, peer: str) -> tuple[str, str]:
        with self._runner.changing(Person(name), "system", "login", {"peer": peer}) as context:
            # Between the look at the hash and now it may have been changed, or the person removed.
            held = context.connection.execute(
                select(PASSWORDS.c.hash)
                .select_from(PASSWORDS.join(PEOPLE, PEOPLE.c.name == PASSWORDS.c.person))
                .where(PEOPLE.c.name == name, PEOPLE.c.active.is_(True))
            ).scalar_one_or_none()
            if held is None or held != expected:
                raise LoginRefused
            token, _expires = self._sessions.open(context, name, peer)
        return token, digest_of(token)

    def _end(self, session: Session) -> None:
        with self._runner.changing(session.person, "system", "logout", {}) as context:
            context.connection.execute(delete(SESSIONS).where(SESSIONS.c.id == session.id))
            context.publish("removed", f"sessions/{session.id}")

    def _keep(self, session: Session, expected: str | None, made: str) -> None:
        name = session.person.name
        with self._runner.changing(session.person, "system", "password", {}) as context:
            values = {"hash": made, "must_change": False, "changed_at": context.now}
            changed = context.connection.execute(
                update(PASSWORDS).where(PASSWORDS.c.person == name, PASSWORDS.c.hash == expected).values(values)
            )
            if changed.rowcount != 1:
                raise LoginRefused
            others = (SESSIONS.c.person == name) & (SESSIONS.c.id != session.id)
            context.connection.execute(delete(SESSIONS).where(others))
            context.publish("changed", f"people/{name}")

    def _speak(self, person: Person, language: str) -> None:
        with self._runner.changing(person, "system", "language", {"language": language}) as context:
            context.connection.execute(
                update(PEOPLE)
                .where(PEOPLE.c.name == person.name)
                .values(language=language, version=PEOPLE.c.version + 1, changed_by=person.name, changed_at=context.now)
            )
            context.publish("changed", f"people/{person.name}")
