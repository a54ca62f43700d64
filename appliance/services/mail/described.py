"""The description of the mail, gathered from the store: what its daemons are configured from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from appliance.services.mail.description import Alias, Dkim, Group, Limits, Mailbox, MailDescription
from appliance.services.mail.model import Account, Department, Settings
from appliance.services.mail.model import Alias as KeptAlias
from appliance.services.mail.model import Group as KeptGroup
from appliance.services.mail.names import POSTMASTER, ROLES, whole

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

__all__ = ["SUBJECT_KEY", "describe", "postmaster_of", "rows_of"]

SUBJECT_KEY = "subject"
MIB = 1024 * 1024
Made = TypeVar("Made")


def describe(connection: Connection) -> MailDescription | None:
    """All of it, in the order of its names; None while the settings were never set."""
    from sqlalchemy import select

    from appliance.services.mail.tables import ACCOUNTS, ALIASES, DEPARTMENTS, DKIM, GROUPS, KEYS, PASSWORDS
    from appliance.store.settings import settings_of, settings_version

    if not settings_version(connection, "mail"):
        return None
    settings = settings_of(connection, "mail", Settings)
    keys = connection.execute(select(DKIM).order_by(DKIM.c.selector)).all()
    subject_key = connection.execute(select(KEYS.c.value).where(KEYS.c.name == SUBJECT_KEY)).scalar_one_or_none()
    if not subject_key or not any(one.signs for one in keys):
        return None
    passwords = {one.account: one.hash for one in connection.execute(select(PASSWORDS))}
    departments = {one.name: one for one in rows_of(connection, DEPARTMENTS, Department)}
    accounts = rows_of(connection, ACCOUNTS, Account)
    aliases = rows_of(connection, ALIASES, KeptAlias)
    groups = rows_of(connection, GROUPS, KeptGroup)
    postmaster = postmaster_of(connection, settings) or POSTMASTER
    described = [Dkim(selector=one.selector, private=one.private, public=one.public) for one in keys]
    return MailDescription(
        domain=settings.domain,
        host=settings.full_host,
        address=settings.address,
        networks=settings.networks,
        postmaster=postmaster,
        limits=_limits(settings),
        mailboxes=tuple(_mailbox(one, departments, passwords, settings) for one in accounts),
        aliases=_aliases(settings.domain, postmaster, accounts, aliases, groups),
        groups=tuple(_group(one, accounts) for one in groups),
        dkim=next(one for one, kept in zip(described, keys, strict=True) if kept.signs),
        retired=tuple(one for one, kept in zip(described, keys, strict=True) if not kept.signs),
        subject_key=subject_key,
    )


def postmaster_of(connection: Connection, settings: Settings) -> str | None:
    """The account that reads what is sent to the postmaster: the settings', one of that name, or the first that was
    made and is active. None while there is none."""
    from sqlalchemy import case, select

    from appliance.services.mail.tables import ACCOUNTS

    if settings.postmaster is not None:
        return settings.postmaster
    named_so = case((ACCOUNTS.c.name == POSTMASTER, 0), else_=1)
    found = select(ACCOUNTS.c.name).where(ACCOUNTS.c.active.is_(True)).order_by(named_so, ACCOUNTS.c.id).limit(1)
    return connection.execute(found).scalar_one_or_none()


def rows_of(connection: Connection, table: Table, record: type[Made]) -> tuple[Made, ...]:
    """All rows of a table as its records, in the order of their names by code point, on each database alike."""
    from sqlalchemy import select

    from appliance.store.rows import made

    rows = sorted(connection.execute(select(table)).mappings(), key=lambda row: str(row["name"]))
    return tuple(made(record, row) for row in rows)


def _limits(settings: Settings) -> Limits:
    return Limits(
        message_bytes=settings.message_size * MIB,
        recipients_per_message=settings.recipients_per_message,
        connections_per_client=settings.connections_per_client,
        messages_per_client_minute=settings.messages_per_client_minute,
    )


def _mailbox(
    account: Account, departments: dict[str, Department], passwords: dict[str, str], settings: Settings
) -> Mailbox:
    department = departments.get(account.department or "")
    return Mailbox(
        name=account.name,
        full_name=account.full_name,
        department=department.title if department else "",
        password_hash=passwords.get(account.name, ""),
        quota=_first(account.quota, department.quota if department else None, settings.quota),
        active=account.active,
        messages_per_hour=_first(account.messages_per_hour, settings.messages_per_hour),
        recipients_per_hour=_first(account.recipients_per_hour, settings.recipients_per_hour),
    )


def _first(*values: int | None) -> int:
    """The first that is said; 0 is."""
    return next(one for one in values if one is not None)


def _aliases(
    domain: str,
    postmaster: str,
    accounts: tuple[Account, ...],
    aliases: tuple[KeptAlias, ...],
    groups: tuple[KeptGroup, ...],
) -> tuple[Alias, ...]:
    """Those that are kept, and the roles that nobody has: the postmaster's, once there is one."""
    found = {one.name: tuple(whole(target, domain) for target in one.targets) for one in aliases}
    people = {one.name for one in accounts}
    if postmaster in people:
        taken = people.union(found, (one.name for one in groups))
        found |= {role: (whole(postmaster, domain),) for role in ROLES if role not in taken}
    return tuple(Alias(name=name, targets=targets) for name, targets in sorted(found.items()))


def _group(group: KeptGroup, accounts: tuple[Account, ...]) -> Group:
    members = tuple(
        one.name
        for one in accounts
        if one.active and (one.department in group.departments or one.name in group.members)
    )
    return Group(name=group.name, title=group.title, members=members, senders=group.senders)
