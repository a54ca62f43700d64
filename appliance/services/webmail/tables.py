"""The web mail's only secret."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from appliance.store.tables import metadata

__all__ = ["KEYS", "METADATA", "PASSWORDS_KEY"]

METADATA = metadata()
PASSWORDS_KEY = "passwords"
"""Encrypts the passwords that Roundcube keeps in its sessions: 32 characters, as AES-256 wants them."""

KEYS = Table(
    "webmail_keys",
    METADATA,
    Column("name", String(32), primary_key=True),
    Column("value", String(64), nullable=False),
)
"""Made when the settings are first saved, and never again: with another one everybody is logged out."""
