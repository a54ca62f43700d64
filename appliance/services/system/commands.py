"""What administrators do with people and sessions; what the master data derives is narrowed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import delete, func, insert, literal, select, update

from appliance.contract.commands import change, query
from appliance.contract.context import Context
from appliance.contract.listings import Listing, Order
from appliance.contract.people import ADMINISTRATOR, ANYONE
from appliance.contract.refusals import NotAllowed, NotFound, RuleBroken
from appliance.language import _
from appliance.services.system.keeping import (
    backup,
    backups,
    check_backup,
    fetch_backup,
    receive_backup,
    restore,
    verify_audit,
)
from appliance.services.system.model import (
    ADMINISTRATORS,
    MASTER_DATA,
    AuditRow,
    OneTime,
    OwnSession,
    PersonRecord,
    SessionEnded,
    SessionRow,
    WhosePassword,
)
from appliance.services.system.passwords import hashed, one_time
from appliance.services.system.tables import PASSWORDS, PEOPLE, SESSIONS
from appliance.services.system.timed import run_timed, timed
from appliance.store.audit import AUDIT
from appliance.store.rows import add_row, change_row, made, remove_row, row_of, values_of

__all__ = [
    "LISTINGS",
    "add",
    "backup",
    "backups",
    "check_backup",
    "end",
    "fetch_backup",
    "make",
    "modify",
    "own",
    "receive_backup",
    "remove",
    "reset",
    "restore",
    "run_timed",
    "timed",
    "verify_audit",
]

PERSON = MASTER_DATA[0]
if TYPE_CHECKING:
    PersonChanged: TypeAlias = Any
    PersonKept: TypeAlias = Any
    PersonRemoved: TypeAlias = Any
else:
    PersonChanged, PersonKept, PersonRemoved = PERSON.changed, PERSON.kept, PERSON.removed


def _one_time(_arguments: Any) -> tuple[str, str]:
    """A password and its hash."""
    password = one_time()
    return password, hashed(password)


@change("administrator", name="people.add", before=_one_time)
def add(context: Context, person: PersonRecord) -> OneTime:
    """Add a person; the answer has a one-time password."""
    _refuse_unknown_roles(context, person)
    password, kept = context.prepared
    make(context, person, kept, must_change=True)
    return OneTime(name=person.name, password=password, version=1)


def make(context: Context, person: PersonRecord, kept: str, *, must_change: bool) -> None:
    """The person, with a password as it is kept."""
    add_row(context, PEOPLE, "name", values_of(person), PERSON.title)
    values = {"person": person.name, "hash": kept, "must_change": must_change, "changed_at": context.now}
    context.connection.execute(insert(PASSWORDS).values(values))
    context.publish("added", f"people/{person.name}")


@change("administrator", name="people.change")
def modify(context: Context, arguments: PersonChanged) -> PersonKept:
    """Change a person."""
    wanted: PersonRecord = arguments.row
    if wanted.name != arguments.name:
        raise RuleBroken(_("a person keeps the name: the audit log knows people by it"), field="row.name")
    _refuse_unknown_roles(context, wanted)
    change_row(context, PEOPLE, "name", arguments.name, arguments.version, values_of(wanted), PERSON.title)
    _refuse_last(context)
    if not wanted.active:
        context.connection.execute(delete(SESSIONS).where(SESSIONS.c.person == wanted.name))
    context.publish("changed", f"people/{wanted.name}")
    row = row_of(context, PEOPLE, "name", wanted.name, PERSON.title)
    described = {name: row[name] for name in ("id", "version", "changed_by")}
    at = row["changed_at"].astimezone(context.zone)
    return PERSON.kept(**described, changed_at=at, row=made(PersonRecord, row))


@change("administrator", name="people.remove")
def remove(context: Context, arguments: PersonRemoved) -> None:
    """Remove a person."""
    for table in (SESSIONS, PASSWORDS):
        context.connection.execute(delete(table).where(table.c.person == arguments.name))
    remove_row(context, PEOPLE, "name", arguments.name, arguments.version, PERSON.title)
    _refuse_last(context)
    context.publish("removed", f"people/{arguments.name}")


@change("administrator", name="people.reset-password", before=_one_time)
def reset(context: Context, arguments: WhosePassword) -> OneTime:
    """Give a person a new one-time password; all the person's sessions end."""
    row = row_of(context, PEOPLE, "name", arguments.name, PERSON.title)
    password, made_hash = context.prepared
    kept = {"hash": made_hash, "must_change": True, "changed_at": context.now}
    context.connection.execute(update(PASSWORDS).where(PASSWORDS.c.person == arguments.name).values(kept))
    context.connection.execute(delete(SESSIONS).where(SESSIONS.c.person == arguments.name))
    context.publish("changed", f"people/{arguments.name}")
    return OneTime(name=arguments.name, password=password, version=row["version"])


@query(ANYONE, name="sessions.own")
def own(context: Context) -> tuple[OwnSession, ...]:
    """One's own sessions, the one last used first."""
    columns = [SESSIONS.c[name] for name in ("peer", "began", "last_seen", "expires")]
    mine = select(SESSIONS.c.id, *columns).where(SESSIONS.c.person == context.person.name)
    latest = mine.order_by(SESSIONS.c.last_seen.desc(), SESSIONS.c.id.desc())
    return tuple(
        OwnSession(
            session=number,
            peer=peer,
            **{
                name: at.astimezone(context.zone)
                for name, at in (("began", began), ("last_seen", seen), ("expires", expires))
            },
        )
        for number, peer, began, seen, expires in context.connection.execute(latest)
    )


@change(ANYONE, name="sessions.end")
def end(context: Context, arguments: SessionEnded) -> None:
    """End a session: one's own, or as an administrator anybody's."""
    found = select(SESSIONS.c.person).where(SESSIONS.c.id == arguments.session)
    person = context.connection.execute(found).scalar_one_or_none()
    if person is None:
        raise NotFound(_("session"), arguments.session)
    if person != context.person.name and ADMINISTRATOR not in context.person.roles:
        raise NotAllowed(_("session {session} is somebody else's"), session=arguments.session)
    context.connection.execute(delete(SESSIONS).where(SESSIONS.c.id == arguments.session))
    context.publish("removed", f"sessions/{arguments.session}")


def _refuse_unknown_roles(context: Context, person: PersonRecord) -> None:
    known = context.appliance.registry.roles
    for role in person.roles:
        if role not in known:
            raise RuleBroken(_("there is no role {role}"), field="roles", role=role)


def _refuse_last(context: Context) -> None:
    """After the change: somebody must still be able to log in as administrator."""
    held = select(PEOPLE.c.roles).where(PEOPLE.c.active.is_(True))
    if not any(ADMINISTRATOR in roles for roles in context.connection.execute(held).scalars()):
        raise RuleBroken(_("the last administrator stays"))


LISTINGS = (
    Listing(
        name="sessions",
        row=SessionRow,
        see=ADMINISTRATORS,
        order=(Order(column="last_seen", descending=True),),
        select=lambda _asking: select(
            SESSIONS.c.id,
            literal(1).label("version"),
            *(SESSIONS.c[name] for name in ("person", "peer", "began", "last_seen", "expires")),
        ),
    ),
    Listing(
        name="audit",
        row=AuditRow,
        see=ADMINISTRATORS,
        key="number",
        order=(Order(column="number", descending=True),),
        select=lambda _asking: select(
            AUDIT.c.number.label("id"),
            literal(1).label("version"),
            *(AUDIT.c[name] for name in ("number", "at", "person", "service", "command", "outcome")),
            func.substr(AUDIT.c.arguments, 1, 4000).label("arguments"),
        ),
    ),
)
