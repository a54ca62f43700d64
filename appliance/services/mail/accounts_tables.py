"""The tables of accounts, each a component of its own: a new account changes them and no daemon's configuration.

Postfix reads ``mail.accounts`` (and so does ``mail.limits``), Dovecot ``mail.passwords``, the web mail
``mail.addressbook``. What they hold is judged here, so the daemons take it without a shadow start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from appliance.components.agreements import Declared, account
from appliance.components.finding import error
from appliance.contract.components import Component, Finding, Machine, RenderedFile
from appliance.language import _
from appliance.services.mail.addressing import Guard, circles, guards
from appliance.services.mail.description import Alias, Group, Mailbox, MailDescription
from appliance.services.mail.names import local_of

__all__ = ["ACCOUNTS", "ADDRESSBOOK", "PASSWORDS", "MailAccounts", "MailAddressbook", "MailPasswords"]

ACCOUNTS, PASSWORDS, ADDRESSBOOK = "mail.accounts", "mail.passwords", "mail.addressbook"

LOCAL_PART = re.compile(r"[a-z0-9_](?:[a-z0-9_-]|\.(?!\.|$))*", re.ASCII)
"""A folder's name and a word in tables too."""
ADDRESS = re.compile(r"[^\s@,:;<>()\"\\|/]+@[a-zA-Z0-9.-]+")
HASH = re.compile(r"(?:\{[A-Z0-9.-]+\}[!-9;-~]+)?", re.ASCII)
"""A scheme and a text without blanks and colons, or nothing."""
NOBODY = "{CRYPT}*"
"""crypt(5) makes this of no password."""


class _Table:
    """A component that only holds files."""

    __slots__ = ()

    @property
    def requires(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """``verify`` has said it all."""
        return ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """Who reads it follows it."""

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Who reads it is probed."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAccounts(_Table):
    """Postfix's tables of addresses (texthash of postmap(1)) and ``limits.json``, without passwords."""

    domain: str
    postmaster: str
    mailboxes: tuple[Mailbox, ...]
    aliases: tuple[Alias, ...]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, described: MailDescription) -> MailAccounts:
        """Its part of the description."""
        return cls(
            domain=described.domain,
            postmaster=described.postmaster,
            mailboxes=tuple(
                replace(one, password_hash="", full_name="", department="", quota=0) for one in described.mailboxes
            ),
            aliases=described.aliases,
            groups=described.groups,
        )

    @property
    def name(self) -> str:
        """``mail.accounts``."""
        return ACCOUNTS

    @property
    def provides(self) -> tuple[Declared, ...]:
        """An account for each active mailbox, by its address."""
        return tuple(account(self._at(one.name)) for one in self._active)

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """Whether names are names, none is taken twice, everything leads somewhere and nothing to itself."""
        return (*self._misnamed(), *self._astray(), *self._unlooked_after())

    def render(self) -> Sequence[RenderedFile]:
        """``mailboxes``, ``aliases``, ``senders``, ``closed``, ``inside``, and ``limits.json``."""
        closed = tuple(self._closed())
        guarded = tuple(guards(self.aliases, self.groups, self.domain, self.postmaster))
        tables: dict[str, Iterable[tuple[str, str]]] = {
            "mailboxes": ((self._at(one.name), f"{one.name}/Maildir/") for one in self._active),
            "aliases": self._expansions(),
            "senders": self._senders(),
            "closed": closed,
            "inside": ((self._at(one.name), _NOT_FROM_OUTSIDE) for one in guarded),
        }
        rendered = [RenderedFile(path=name, content=_texthash(lines)) for name, lines in tables.items()]
        return (*rendered, RenderedFile(path="limits.json", content=_json(self._limits(guarded))))

    @property
    def _active(self) -> tuple[Mailbox, ...]:
        return tuple(one for one in self.mailboxes if one.active)

    def _at(self, name: str) -> str:
        return f"{name}@{self.domain}"

    def _members(self, group: Group) -> tuple[str, ...]:
        active = {one.name for one in self._active}
        return tuple(one for one in group.members if one in active)

    def _expansions(self) -> Iterator[tuple[str, str]]:
        """virtual(5)."""
        for alias in self.aliases:
            yield self._at(alias.name), ", ".join(alias.targets)
        for group in self.groups:
            if members := self._members(group):
                yield self._at(group.name), ", ".join(self._at(one) for one in members)

    def _senders(self) -> Iterator[tuple[str, str]]:
        """Who may send as whom: his own address, and that of an alias which leads to him."""
        active = {one.name for one in self._active}
        owners = {one: {one} for one in active}
        for alias in self.aliases:
            targets = {local_of(target, self.domain) for target in alias.targets}
            owners.setdefault(alias.name, set()).update(one for one in targets if one in active)
        for name, logins in sorted(owners.items()):
            if logins:
                yield self._at(name), ", ".join(sorted(logins))

    def _closed(self) -> Iterator[tuple[str, str]]:
        """access(5): what is there and takes no mail, with RFC 3463's reason."""
        aliases = {one.name for one in self.aliases}
        for one in self.mailboxes:
            if not one.active and one.name not in aliases:
                yield self._at(one.name), "550 5.2.1 This mailbox is closed. / Kotak surat ini ditutup."
        for group in self.groups:
            if not self._members(group):
                yield self._at(group.name), "550 5.2.4 This list has no members. / Milis ini tidak punya anggota."

    def _limits(self, guarded: tuple[Guard, ...]) -> Mapping[str, Any]:
        return {
            "accounts": {
                one.name: {"messages": one.messages_per_hour, "recipients": one.recipients_per_hour}
                for one in self._active
            },
            "guards": {self._at(one.name): one.logins for one in guarded},
        }

    def _misnamed(self) -> Iterator[Finding]:
        seen: set[str] = set()
        aliases = {one.name: one for one in self.aliases}
        everything: tuple[Mailbox | Alias | Group, ...] = (*self.mailboxes, *self.aliases, *self.groups)
        for one in everything:
            if not LOCAL_PART.fullmatch(one.name) or len(one.name) > 64:
                yield error(self.name, _("{name} is no name for an address here"), name=one.name)
            # An alias of a mailbox's name sends its mail on.
            if one.name in seen and not (isinstance(one, Alias) and one is aliases[one.name]):
                yield error(self.name, _("{name} is there twice"), name=one.name)
            seen.add(one.name)

    def _astray(self) -> Iterator[Finding]:
        boxes = {one.name for one in self.mailboxes}
        known = boxes | {one.name for one in self.aliases} | {one.name for one in self.groups}
        for alias in self.aliases:
            if not alias.targets:
                yield error(self.name, _("the alias {name} leads nowhere"), name=alias.name)
            for target in alias.targets:
                if not ADDRESS.fullmatch(target):
                    yield error(self.name, _("{name} leads to {target}, no address"), name=alias.name, target=target)
                elif (local := local_of(target, self.domain)) is not None and local.split("+")[0] not in known:
                    template = _("{name} leads to {target}, which is not there")
                    yield error(self.name, template, name=alias.name, target=target)
        for name in circles(self.aliases, self.domain):
            yield error(self.name, _("the alias {name} leads to itself"), name=name)
        for group in self.groups:
            for member in group.members:
                if member not in boxes:
                    template = _("{name} has the member {member}, who is not there")
                    yield error(self.name, template, name=group.name, member=member)

    def _unlooked_after(self) -> Iterator[Finding]:
        """RFC 5321 section 4.5.1: there is somebody who reads postmaster's mail."""
        if self.mailboxes and not any(one.name == self.postmaster for one in self._active):
            yield error(self.name, _("the postmaster {name} has no active account"), name=self.postmaster)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPasswords(_Table):
    """Dovecot's passwd-file: who logs in, by which hash, and how much he may keep."""

    mailboxes: tuple[Mailbox, ...]

    @classmethod
    def of(cls, described: MailDescription) -> MailPasswords:
        """Its part of the description."""
        plain = (replace(one, full_name="", department="") for one in described.mailboxes if one.active)
        return cls(mailboxes=tuple(replace(one, messages_per_hour=0, recipients_per_hour=0) for one in plain))

    @property
    def name(self) -> str:
        """``mail.passwords``."""
        return PASSWORDS

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """Whether each hash is one that stands on a line."""
        return tuple(
            error(self.name, _("the password of {name} is kept in a form that Dovecot does not read"), name=one.name)
            for one in self.mailboxes
            if not HASH.fullmatch(one.password_hash)
        )

    def render(self) -> Sequence[RenderedFile]:
        """``passwd``: user, hash, five empty fields, and what else is said of the user."""
        lines = (f"{one.name}:{one.password_hash or NOBODY}::::::{_quota(one)}\n" for one in self.mailboxes)
        return (RenderedFile(path="passwd", content="".join(lines).encode(), secret=True),)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAddressbook(_Table):
    """The shared address book: everybody who reads mail, and the lists. Of each a digest of the hash of his password,
    which tells nothing of it: by that the web mail knows who has lost the right to be there."""

    domain: str
    people: tuple[Mailbox, ...]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, described: MailDescription) -> MailAddressbook:
        """Its part of the description."""
        active = (one for one in described.mailboxes if one.active)
        plain = (replace(one, quota=0, messages_per_hour=0, recipients_per_hour=0) for one in active)
        people = (replace(one, password_hash=_rights(one.password_hash)) for one in plain)
        return cls(domain=described.domain, people=tuple(people), groups=described.groups)

    @property
    def name(self) -> str:
        """``mail.addressbook``."""
        return ADDRESSBOOK

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """``mail.accounts`` has judged the names."""
        return ()

    def render(self) -> Sequence[RenderedFile]:
        """``addressbook.json``."""
        people = {one.name for one in self.people}
        book = {
            "people": [
                {
                    "name": one.name,
                    "address": f"{one.name}@{self.domain}",
                    "full_name": one.full_name,
                    "department": one.department,
                    "rights": one.password_hash,
                }
                for one in self.people
            ],
            "lists": [
                {
                    "address": f"{one.name}@{self.domain}",
                    "title": one.title,
                    "members": [f"{member}@{self.domain}" for member in one.members if member in people],
                }
                for one in self.groups
            ],
        }
        return (RenderedFile(path="addressbook.json", content=_json(book)),)


_NOT_FROM_OUTSIDE = (
    "550 5.7.2 This list takes mail only from people of this house who have logged in."
    " / Milis ini hanya menerima surat dari dalam."
)


def _rights(password_hash: str) -> str:
    """The hash has a salt of its own, so that nobody finds a password by trying digests."""
    return sha256(f"rights {password_hash}".encode()).hexdigest()[:24]


def _texthash(lines: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{key}\t{value}\n" for key, value in lines).encode()


def _json(value: Any) -> bytes:
    return f"{json.dumps(value, indent=1, ensure_ascii=False)}\n".encode()


def _quota(mailbox: Mailbox) -> str:
    """A rule in MiB (2.3) and the same under the name of 2.4; each passes over the other's."""
    if not mailbox.quota:
        return ""
    return f"userdb_quota_rule=*:storage={mailbox.quota}M userdb_quota_storage_size={mailbox.quota}M"
