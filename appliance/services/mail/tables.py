"""The tables of the mail. What nobody is shown, passwords and keys, stands in tables of its own."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text

from appliance.services.mail.model import MASTER_DATA
from appliance.store.tables import master_tables, metadata
from appliance.store.types import Identity, Utc

__all__ = ["ACCOUNTS", "ALIASES", "DEPARTMENTS", "DKIM", "FORMER", "GROUPS", "KEYS", "MASTER", "METADATA", "PASSWORDS"]

METADATA = metadata()
MASTER = master_tables("mail", MASTER_DATA, METADATA)
DEPARTMENTS, ACCOUNTS, ALIASES, GROUPS = (MASTER[one.name] for one in MASTER_DATA)

PASSWORDS = Table(
    "mail_passwords",
    METADATA,
    Column("account", String(64), ForeignKey("mail_accounts.name", ondelete="CASCADE"), primary_key=True),
    # As Dovecot reads it: {ARGON2ID}$argon2id$…
    Column("hash", String(200), nullable=False),
    Column("changed_at", Utc, nullable=False),
)
FORMER = Table(
    "mail_former",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("removed_by", String(100), nullable=False),
    Column("removed_at", Utc, nullable=False),
)
"""Accounts that are no more, whose mail lies on the disk: nobody gets it by having the same name."""
DKIM = Table(
    "mail_dkim",
    METADATA,
    Column("id", Identity, primary_key=True),
    Column("selector", String(32), nullable=False, unique=True),
    # PEM (PKCS #8); empty once it signs no more.
    Column("private", Text, nullable=False),
    Column("public", Text, nullable=False),
    Column("signs", Boolean, nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    sqlite_autoincrement=True,
)
"""One signs. The others are published as long as mail that they have signed may be on its way."""
KEYS = Table(
    "mail_keys",
    METADATA,
    Column("name", String(32), primary_key=True),
    Column("value", String(200), nullable=False),
)
"""Other secrets, by their names: ``subject``, of the hashes by which a message is found by its subject."""
