"""All names of the mail at once, and what must hold between them.

An address is that of one thing; what an alias leads to, and who is in a group,
is there. A hospital has some thousand names: they are read whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from appliance.contract.context import Context
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.mail.described import postmaster_of, rows_of
from appliance.services.mail.description import Senders
from appliance.services.mail.model import Account, Alias, Department, Group, Settings
from appliance.services.mail.names import POSTMASTER, ROLES, ROLES_OF_RFC_2142, local_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Directory", "directory_of", "kept_targets"]

Named = TypeVar("Named", Account, Alias, Department, Group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """What has a name."""

    settings: Settings
    postmaster: str | None
    """The account that reads the mail to the roles that nobody has."""
    departments: Mapping[str, Department]
    accounts: Mapping[str, Account]
    aliases: Mapping[str, Alias]
    groups: Mapping[str, Group]

    def refuse_taken(self, name: str, *, besides: str = "") -> None:
        """Raise RuleBroken when the address is something else's. ``besides`` is what the record was called."""
        if name == besides:
            return
        for what, kept in (
            (_("the address {name} is an account's"), self.accounts),
            (_("the address {name} is an alias"), self.aliases),
            (_("the address {name} is a group's"), self.groups),
        ):
            if name in kept:
                raise RuleBroken(what, field="name", name=name)

    def refuse_role(self, name: str) -> None:
        """Raise RuleBroken for an account that would be called as a role."""
        if name in ROLES_OF_RFC_2142 - {POSTMASTER, self.settings.postmaster}:
            raise RuleBroken(
                _("{name} is a role (RFC 2142), and goes from one holder to the next: make it an alias or a group"),
                field="name",
                name=name,
            )

    def refuse_targets(self, alias: Alias, *, was: str = "") -> None:
        """Raise RuleBroken for a target of ours that is not there or a group, and for a loop."""
        others = {name: one for name, one in self.aliases.items() if name != was}
        for target in alias.targets:
            local = local_of(target, self.settings.domain)
            if local is None:
                continue
            if local in self.groups:
                raise RuleBroken(
                    _("{target} is a group: it says itself who may write to it"), field="targets", target=target
                )
            if local not in self.accounts and local not in others and local != alias.name:
                raise RuleBroken(_("there is no account and no alias {target}"), field="targets", target=target)
        self._refuse_loop(others | {alias.name: alias}, alias.name)

    def _refuse_loop(self, aliases: Mapping[str, Alias], start: str) -> None:
        """Other aliases had none before, so a loop goes through this one."""
        ways: list[tuple[str, ...]] = [(start,)]
        seen: set[str] = set()
        while ways:
            way = ways.pop()
            for target in self.local_targets(aliases[way[-1]]):
                if target == start:
                    loop = " → ".join((*way, start))
                    raise RuleBroken(_("the alias leads back to itself: {loop}"), field="targets", loop=loop)
                if target in aliases and target not in seen:
                    seen.add(target)
                    ways.append((*way, target))

    def local_targets(self, alias: Alias) -> Iterator[str]:
        """Those of its targets that are ours."""
        for target in alias.targets:
            if (local := local_of(target, self.settings.domain)) is not None:
                yield local

    def leading_to(self, name: str) -> tuple[str, ...]:
        """The aliases that lead there in one step."""
        return tuple(one.name for one in self.aliases.values() if name in self.local_targets(one))

    def refuse_group(self, group: Group) -> None:
        """Raise RuleBroken for members that are not there, and a role that strangers could not write to."""
        for field, names, known, template in (
            ("departments", group.departments, self.departments, _("there is no department {name}")),
            ("members", group.members, self.accounts, _("there is no account {name}")),
        ):
            for name in names:
                if name not in known:
                    raise RuleBroken(template, field=field, name=name)
                if names.count(name) > 1:
                    raise RuleBroken(_("{name} is named twice"), field=field, name=name)
        if group.name in ROLES and group.senders is not Senders.ANYBODY:
            raise RuleBroken(_("everybody may write to {name} (RFC 2142)"), field="senders", name=group.name)


def directory_of(context: Context, connection: Connection | None = None) -> Directory:
    """As it stands in the store."""
    from appliance.services.mail.tables import ACCOUNTS, ALIASES, DEPARTMENTS, GROUPS

    held = connection or context.connection
    settings = context.settings(Settings)
    return Directory(
        settings=settings,
        postmaster=postmaster_of(held, settings),
        departments=_by_name(rows_of(held, DEPARTMENTS, Department)),
        accounts=_by_name(rows_of(held, ACCOUNTS, Account)),
        aliases=_by_name(rows_of(held, ALIASES, Alias)),
        groups=_by_name(rows_of(held, GROUPS, Group)),
    )


def _by_name(records: Iterable[Named]) -> dict[str, Named]:
    return {one.name: one for one in records}


def kept_targets(targets: tuple[str, ...], domain: str) -> tuple[str, ...]:
    """As they are kept: of an address of ours the local part alone, so that the domain is said once; each once."""
    found: dict[str, None] = {}
    for target in targets:
        local = local_of(target, domain)
        name, at, where = target.rpartition("@")
        found[local if local is not None else f"{name}{at}{where.lower()}"] = None
    return tuple(found)
