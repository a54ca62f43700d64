"""The audit log: a line for every change and every login, each holding the hash of the one before.

The line is written in the transaction of the change it tells of, so there is
neither a change without its line nor a line without its change.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Integer, String, Table, Text, insert, select

from appliance.store.tables import metadata
from appliance.store.types import Utc

__all__ = ["AUDIT", "FIRST", "METADATA", "Head", "Line", "append", "digest", "is_cut", "last_line", "sealed"]

METADATA = metadata()
AUDIT = Table(
    "core_audit",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("person", String(100), nullable=False),
    Column("service", String(100), nullable=False),
    Column("command", String(100), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("outcome", String(100), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
# Made once: to put a statement together takes longer than to run it.
_LAST = select(AUDIT.c.number, AUDIT.c.hash).order_by(AUDIT.c.number.desc()).limit(1)
_ADD = insert(AUDIT)
FIRST = "0" * 64
"""What the first line says of the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is told. ``arguments`` are JSON values, secrets already taken out."""

    at: datetime
    person: str
    service: str
    command: str
    arguments: Mapping[str, Any]
    outcome: str = "done"


class Head(NamedTuple):
    """The last line of the chain. Once its transaction is kept, ``seal.HeadFile`` is told."""

    number: int
    hash: str


def append(
    connection: Connection, line: Line, key: bytes, after: Head | None = None, known: Head | None = None
) -> Head:
    """Add a line to the chain in this transaction; returns the new head. ``key`` is the appliance's own secret,
    ``after`` the last line if this same transaction has written it.

    ``known`` is a line that was kept before. If the log ends below it, somebody
    has cut it or has put an older database in its place: the chain goes on after
    ``known``, so that the gap stays. Else it would close with the lines to come.
    """
    last = after or last_line(connection)
    if after is None and known is not None and is_cut(last, known):
        last = known
    number, previous = (last.number + 1, last.hash) if last else (1, FIRST)
    row = {
        "number": number,
        "at": line.at,
        "person": line.person,
        "service": line.service,
        "command": line.command,
        "arguments": json.dumps(line.arguments, sort_keys=True, ensure_ascii=False, default=str),
        "outcome": line.outcome,
        "previous": previous,
    }
    head = Head(number, digest(row, key))
    connection.execute(_ADD, {**row, "hash": head.hash})
    return head


def last_line(connection: Connection) -> Head | None:
    """The last line that is there."""
    row = connection.execute(_LAST).first()
    return Head(row.number, row.hash) if row is not None else None


def is_cut(last: Head | None, known: Head) -> bool:
    """Whether a log that ends with ``last`` has lost ``known``, which was kept."""
    return last is None or last.number < known.number


def digest(row: Mapping[str, Any], key: bytes) -> str:
    """The hash of a line: HMAC-SHA-256 over its values in one canonical text.

    Without the key, who can write the database cannot make a chain that fits.
    """
    moment = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    names = ("person", "service", "command", "arguments", "outcome", "previous")
    return sealed([row["number"], moment, *(row[name] for name in names)], key)


def sealed(values: list[Any], key: bytes) -> str:
    """HMAC-SHA-256 (RFC 2104) over JSON values; hexadecimal."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    # Not hmac.digest: that gives the interpreter's lock up, and waits for it longer than the hash takes.
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
