"""The tables of people, passwords, sessions, answers that were given, files that were sent, and what runs by itself."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, UniqueConstraint

from appliance.services.system.model import MASTER_DATA
from appliance.store.tables import master_tables, metadata
from appliance.store.types import Identity, Utc

__all__ = ["ANSWERS", "FILES", "MASTER", "METADATA", "PASSWORDS", "PEOPLE", "RUNS", "SESSIONS", "TIMED"]

METADATA = metadata()
MASTER = master_tables("system", MASTER_DATA, METADATA)
PEOPLE = MASTER["people"]
PASSWORDS = Table(
    "system_passwords",
    METADATA,
    Column("person", String(32), ForeignKey("system_people.name", ondelete="CASCADE"), primary_key=True),
    Column("hash", String(200), nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("changed_at", Utc, nullable=False),
)
SESSIONS = Table(
    "system_sessions",
    METADATA,
    Column("id", Identity, primary_key=True),
    # The SHA-256 of the token: who reads the database or a backup cannot use it.
    Column("token", String(64), nullable=False, unique=True),
    Column("person", String(32), ForeignKey("system_people.name", ondelete="CASCADE"), nullable=False, index=True),
    Column("peer", String(100), nullable=False),
    Column("began", Utc, nullable=False),
    Column("last_seen", Utc, nullable=False),
    Column("expires", Utc, nullable=False),
    sqlite_autoincrement=True,
)
ANSWERS = Table(
    "system_answers",
    METADATA,
    Column("person", String(32), primary_key=True),
    Column("key", String(36), primary_key=True),
    Column("at", Utc, nullable=False, index=True),
    # The SHA-256 of what was asked: the same key with another question is a mistake of the client.
    Column("asked", String(64), nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
FILES = Table(
    "system_files",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("person", String(32), nullable=False),
    Column("at", Utc, nullable=False),
    Column("version", Integer, nullable=False, default=1),
)
TIMED = Table(
    "system_timed",
    METADATA,
    Column("service", String(100), primary_key=True),
    Column("command", String(100), primary_key=True),
    # What was due before is not made up.
    Column("known", Utc, nullable=False),
)
RUNS = Table(
    "system_timed_runs",
    METADATA,
    Column("id", Identity, primary_key=True),
    Column("service", String(100), nullable=False),
    Column("command", String(100), nullable=False),
    Column("occasion", String(40), nullable=False),
    Column("person", String(100), nullable=False),
    Column("began", Utc, nullable=False),
    Column("ended", Utc),
    Column("outcome", String(20), nullable=False),
    Column("said", String(300), nullable=False),
    # Whatever happens to the process: an occasion is taken once.
    UniqueConstraint("service", "command", "occasion"),
    sqlite_autoincrement=True,
)
