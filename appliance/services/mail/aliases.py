"""Aliases: their commands, and who gets what is sent to an address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from appliance.contract.commands import change, query
from appliance.contract.context import Context
from appliance.contract.refusals import NotFound, RuleBroken
from appliance.language import _
from appliance.services.mail.directory import Directory, directory_of, kept_targets
from appliance.services.mail.kept import kept_of
from appliance.services.mail.model import MASTER_DATA, POSTMASTERS, Alias, Asked, Group, Recipient
from appliance.services.mail.names import ROLES, local_of, whole
from appliance.services.mail.tables import ALIASES
from appliance.store.rows import add_row, change_row, remove_row, values_of

__all__ = ["add_alias", "change_alias", "remove_alias", "who_gets"]

MEMBER = _("member")
ALIAS = next(one for one in MASTER_DATA if one.name == "aliases")
if TYPE_CHECKING:
    AliasChanged: TypeAlias = Any
    AliasKept: TypeAlias = Any
    AliasRemoved: TypeAlias = Any
else:
    AliasChanged, AliasKept, AliasRemoved = ALIAS.changed, ALIAS.kept, ALIAS.removed


@change(*POSTMASTERS, name="aliases.add")
def add_alias(context: Context, alias: Alias) -> AliasKept:
    """Add an alias."""
    known = directory_of(context)
    kept = replace(alias, targets=kept_targets(alias.targets, known.settings.domain))
    known.refuse_taken(kept.name)
    known.refuse_targets(kept)
    add_row(context, ALIASES, "name", values_of(kept), ALIAS.title)
    context.publish("added", f"aliases/{kept.name}")
    return kept_of(context, ALIAS, ALIASES, kept.name)


@change(*POSTMASTERS, name="aliases.change")
def change_alias(context: Context, arguments: AliasChanged) -> AliasKept:
    """Change an alias."""
    known = directory_of(context)
    kept = replace(arguments.row, targets=kept_targets(arguments.row.targets, known.settings.domain))
    known.refuse_taken(kept.name, besides=arguments.name)
    if kept.name != arguments.name:
        _refuse_led_to(known, arguments.name)
    known.refuse_targets(kept, was=arguments.name)
    change_row(
        context,
        ALIASES,
        "name",
        arguments.name,
        arguments.version,
        values_of(kept),
        ALIAS.title,
        number=arguments.id,
    )
    context.publish("changed", f"aliases/{kept.name}")
    return kept_of(context, ALIAS, ALIASES, kept.name)


@change(*POSTMASTERS, name="aliases.remove")
def remove_alias(context: Context, arguments: AliasRemoved) -> None:
    """Remove an alias."""
    _refuse_led_to(directory_of(context), arguments.name)
    remove_row(context, ALIASES, "name", arguments.name, arguments.version, ALIAS.title, number=arguments.id)
    context.publish("removed", f"aliases/{arguments.name}")


@query(*POSTMASTERS, name="who-gets")
def who_gets(context: Context, asked: Asked) -> tuple[Recipient, ...]:
    """Say who gets what is sent to an address."""
    known = directory_of(context)
    local = local_of(asked.address, known.settings.domain)
    if local is None:
        raise RuleBroken(_("{address} is not in our domain"), field="address", address=asked.address)
    found = tuple(dict.fromkeys(_recipients(known, local, ())))
    if not found and local not in known.groups:
        raise NotFound("address", whole(local, known.settings.domain))
    return found


def _recipients(known: Directory, local: str, way: tuple[str, ...]) -> Iterator[Recipient]:
    domain = known.settings.domain
    if local in known.accounts:
        account = known.accounts[local]
        yield Recipient(
            address=whole(local, domain),
            full_name=account.full_name,
            active=account.active,
            because=" → ".join(way)[:200],
        )
    elif local in known.groups:
        yield from _members(known, known.groups[local])
    elif local in known.aliases:
        for target in known.aliases[local].targets:
            if "@" in target:
                yield Recipient(address=target, full_name="", active=True, because=" → ".join((*way, local))[:200])
            else:
                yield from _recipients(known, target, (*way, local))
    elif local in ROLES and known.postmaster is not None and known.postmaster in known.accounts:
        yield from _recipients(known, known.postmaster, (*way, local))


def _members(known: Directory, group: Group) -> Iterator[Recipient]:
    for account in known.accounts.values():
        because = account.department if account.department in group.departments else None
        if because is None and account.name in group.members:
            because = MEMBER
        if because is not None:
            address = whole(account.name, known.settings.domain)
            yield Recipient(address=address, full_name=account.full_name, active=account.active, because=because)


def _refuse_led_to(known: Directory, name: str) -> None:
    if leading := known.leading_to(name):
        raise RuleBroken(_("the alias {others} leads to {name}"), field="name", others=", ".join(leading), name=name)
