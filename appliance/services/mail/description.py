"""The mail of the hospital as one value: what the configurations of all its daemons are made from.

Addresses of our own are local parts (RFC 5321 section 4.1.2) in lower case; the
domain is said once. Everything is in the order of its name, so that the same
wish renders the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Alias", "Dkim", "Group", "Limits", "MailDescription", "Mailbox", "Senders"]


class Senders(StrEnum):
    """Who may write to a group."""

    ANYBODY = "anybody"
    """From outside too."""
    ACCOUNTS = "accounts"
    """Whoever has an account here and has logged in."""
    MEMBERS = "members"
    POSTMASTER = "postmaster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """One account."""

    name: str
    """Its local part, which is its login too; the login with ``@domain`` is the same."""
    full_name: str
    department: str
    """The department's title; empty: none."""
    password_hash: str = field(repr=False)
    """As Dovecot reads it: ``{ARGON2ID}$argon2id$…``. Empty: nobody can log in."""
    quota: int
    """MiB; 0: no limit."""
    active: bool = True
    """Otherwise it neither logs in nor sends, and mail for it is refused; its mail stays."""
    messages_per_hour: int
    recipients_per_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another address of somebody, or an address that goes elsewhere."""

    name: str
    targets: tuple[str, ...]
    """Whole addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A list: mail to it goes to all its active members."""

    name: str
    title: str
    members: tuple[str, ...]
    """Local parts of accounts, those of its departments among them."""
    senders: Senders


@dataclass(frozen=True, slots=True, kw_only=True)
class Dkim:
    """The key that signs what leaves us (RFC 6376)."""

    selector: str
    private: str = field(repr=False)
    """PEM (PKCS #8)."""
    public: str
    """The ``p=`` of the record: base64 of the SubjectPublicKeyInfo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one account, one message and one client may do."""

    message_bytes: int
    recipients_per_message: int
    connections_per_client: int
    """At once."""
    messages_per_client_minute: int
    """From machines that have not logged in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDescription:
    """All of it."""

    domain: str
    """``rssulsel.com``."""
    host: str
    """The name of the mail server: ``mail.rssulsel.com``."""
    address: str
    """The IPv4 address on which it listens."""
    networks: tuple[str, ...]
    """The LAN, in CIDR: for POP3, IMAP and submission. Nobody relays by where he is."""
    postmaster: str
    """The local part of the account that reads ``postmaster`` and ``abuse`` (RFC 2142)."""
    limits: Limits
    mailboxes: tuple[Mailbox, ...]
    aliases: tuple[Alias, ...]
    groups: tuple[Group, ...]
    dkim: Dkim
    """The key that signs."""
    retired: tuple[Dkim, ...] = ()
    """Keys that sign no more, without their private part: their records stay published, for mail that is on its way."""
    subject_key: str = field(repr=False)
    """64 hexadecimal digits: the key of the hashes by which a message is found by its subject."""
