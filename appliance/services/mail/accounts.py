"""Accounts: made by the postmaster alone. Nobody registers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import delete, insert, select, update

from appliance.contract.commands import change
from appliance.contract.context import Context
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.mail.described import postmaster_of
from appliance.services.mail.directory import Directory, directory_of
from appliance.services.mail.groups import leave_groups
from appliance.services.mail.kept import kept_of, seen
from appliance.services.mail.model import (
    MASTER_DATA,
    POSTMASTERS,
    Account,
    AccountMade,
    AccountSeen,
    NewAccount,
    NewPassword,
    NewQuota,
    Settings,
)
from appliance.services.mail.names import whole
from appliance.services.mail.passwords import new_password
from appliance.services.mail.tables import ACCOUNTS, FORMER, PASSWORDS
from appliance.store.rows import add_row, change_row, made, remove_row, row_of, values_of

__all__ = ["add", "change_quota", "make", "modify", "remove", "reset_password", "resume", "suspend"]

ACCOUNT = next(one for one in MASTER_DATA if one.name == "accounts")
if TYPE_CHECKING:
    AccountChanged: TypeAlias = Any
    AccountKept: TypeAlias = Any
    AccountRemoved: TypeAlias = Any
else:
    AccountChanged, AccountKept, AccountRemoved = ACCOUNT.changed, ACCOUNT.kept, ACCOUNT.removed


@change(*POSTMASTERS, name="accounts.add", before=new_password)
def add(context: Context, account: NewAccount) -> AccountMade:
    """Add an account; the answer has its password, unless one was given. Commit to make it hold."""
    return make(context, directory_of(context), account, *context.prepared)


def make(context: Context, known: Directory, account: NewAccount, password: str, kept: str) -> AccountMade:
    """The account, with its password as it is kept. Raises RuleBroken and AlreadyThere."""
    name = account.name
    known.refuse_role(name)
    if name in known.aliases or name in known.groups:
        known.refuse_taken(name)
    _refuse_former(context, account)
    values = values_of(account)
    add_row(context, ACCOUNTS, "name", {one: values[one] for one in _FIELDS}, ACCOUNT.title)
    context.connection.execute(insert(PASSWORDS).values(account=name, hash=kept, changed_at=context.now))
    context.publish("added", f"accounts/{name}")
    address = whole(name, known.settings.domain)
    return AccountMade(name=name, address=address[:200], password=password, version=1)


_FIELDS = tuple(Account.__dataclass_fields__)


def _refuse_former(context: Context, account: NewAccount) -> None:
    """Nobody reads the mail of another one who had the same name, unless the postmaster says so."""
    former = context.connection.execute(select(FORMER).where(FORMER.c.name == account.name)).one_or_none()
    if former is None:
        return
    if not account.take_over:
        raise RuleBroken(
            _(
                "the mail of the former account {name} lies on the disk: choose another name, or say that this account"
                " takes it over"
            ),
            field="take_over",
            name=account.name,
        )
    context.connection.execute(delete(FORMER).where(FORMER.c.name == account.name))


@change(*POSTMASTERS, name="accounts.change")
def modify(context: Context, arguments: AccountChanged) -> AccountKept:
    """Change an account."""
    wanted: Account = arguments.row
    if wanted.name != arguments.name:
        raise RuleBroken(_("an account keeps its name, for its mail lies under it: give it an alias"), field="row.name")
    if not wanted.active:
        _refuse_postmaster(context, wanted.name)
    change_row(
        context,
        ACCOUNTS,
        "name",
        arguments.name,
        arguments.version,
        values_of(wanted),
        ACCOUNT.title,
        number=arguments.id,
    )
    context.publish("changed", f"accounts/{wanted.name}")
    return kept_of(context, ACCOUNT, ACCOUNTS, wanted.name)


@change(*POSTMASTERS, name="accounts.suspend")
def suspend(context: Context, account: AccountSeen) -> AccountKept:
    """Suspend an account: it neither logs in nor gets mail, and its mail stays."""
    _refuse_postmaster(context, account.name)
    return _changed(context, account, active=False)


@change(*POSTMASTERS, name="accounts.resume")
def resume(context: Context, account: AccountSeen) -> AccountKept:
    """Let a suspended account log in and get mail again."""
    return _changed(context, account, active=True)


@change(*POSTMASTERS, name="accounts.quota")
def change_quota(context: Context, wanted: NewQuota) -> AccountKept:
    """Change how much mail an account may keep."""
    return _changed(context, wanted, quota=wanted.quota)


@change(*POSTMASTERS, name="accounts.reset-password", before=new_password)
def reset_password(context: Context, wanted: NewPassword) -> AccountMade:
    """Give an account a new password: the one that is given, or one that is made up and shown once."""
    row = row_of(context, ACCOUNTS, "name", wanted.name, ACCOUNT.title)
    password, kept = context.prepared
    values = {"hash": kept, "changed_at": context.now}
    context.connection.execute(update(PASSWORDS).where(PASSWORDS.c.account == wanted.name).values(values))
    context.publish("changed", f"accounts/{wanted.name}")
    address = whole(wanted.name, context.settings(Settings).domain)
    return AccountMade(name=wanted.name, address=address[:200], password=password, version=row["version"])


@change(*POSTMASTERS, name="accounts.remove")
def remove(context: Context, arguments: AccountRemoved) -> None:
    """Remove a suspended account; its mail stays on the disk."""
    name = arguments.name
    row = seen(context, ACCOUNT, ACCOUNTS, name, arguments.version)
    if row["active"]:
        raise RuleBroken(_("suspend {name} first: only a suspended account is removed"), field="name", name=name)
    known = directory_of(context)
    _refuse_postmaster(context, name)
    if leading := known.leading_to(name):
        raise RuleBroken(_("the alias {others} leads to {name}"), field="name", others=", ".join(leading), name=name)
    leave_groups(context, name)
    context.connection.execute(delete(PASSWORDS).where(PASSWORDS.c.account == name))
    remove_row(context, ACCOUNTS, "name", name, arguments.version, ACCOUNT.title, number=arguments.id)
    former = {"name": name, "removed_by": context.person.name, "removed_at": context.now}
    context.connection.execute(insert(FORMER).values(former))
    context.publish(
        "removed",
        f"accounts/{name}",
        _("{person} has removed the account {name}; its mail stays on the disk"),
        person=context.person.name,
        name=name,
    )


def _changed(context: Context, account: AccountSeen, **values: Any) -> Any:
    row = seen(context, ACCOUNT, ACCOUNTS, account.name, account.version)
    wanted = {**values_of(made(Account, row)), **values}
    change_row(context, ACCOUNTS, "name", account.name, account.version, wanted, ACCOUNT.title)
    context.publish("changed", f"accounts/{account.name}")
    return kept_of(context, ACCOUNT, ACCOUNTS, account.name)


def _refuse_postmaster(context: Context, name: str) -> None:
    """Somebody reads what is sent to the postmaster (RFC 5321 section 4.5.1)."""
    if name == postmaster_of(context.connection, context.settings(Settings)):
        raise RuleBroken(
            _("{name} reads the mail to the postmaster: name another account in the settings first"),
            field="name",
            name=name,
        )
