"""Doing a change once, though it is asked twice: the first answer is kept in the transaction of its change.

A client that lost the connection repeats its request with the same
``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header). Refused changes
left nothing, so a repeat of one is simply tried again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, insert, select

from appliance.contract.context import Context
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.system.tables import ANSWERS

__all__ = ["KeyReused", "Once", "forget_old", "key_reused"]

KEPT = timedelta(days=1)
_THIS = (ANSWERS.c.person == bindparam("by")) & (ANSWERS.c.key == bindparam("with"))
_FOUND = select(ANSWERS.c.asked, ANSWERS.c.answer, ANSWERS.c.at).where(_THIS)
_FORGET = delete(ANSWERS).where(_THIS)
_ADD = insert(ANSWERS)


class KeyReused(Refused):
    """The same key came with another request."""

    code = "key-reused"


def key_reused() -> KeyReused:
    """The refusal, to be raised."""
    return KeyReused(_("this Idempotency-Key was used for another request"))


@dataclass(frozen=True, slots=True)
class Once:
    """The key of one request, and the hash of what it asks."""

    person: str
    key: str
    asked: str

    @classmethod
    def of(cls, person: str, key: UUID, service: str, command: str, body: bytes) -> Once:
        """The request with this body."""
        asked = hashlib.sha256(f"{service}.{command}\n".encode() + body).hexdigest()
        return cls(person, str(key), asked)

    def answer(self, connection: Connection, now: datetime) -> bytes | None:
        """What was answered the first time, or None; raises KeyReused."""
        mine = {"by": self.person, "with": self.key}
        row = connection.execute(_FOUND, mine).one_or_none()
        if row is None:
            return None
        if row.at < now - KEPT:
            connection.execute(_FORGET, mine)
            return None
        if row.asked != self.asked:
            raise key_reused()
        return bytes(row.answer)

    def keep(self, context: Context, answer: bytes) -> None:
        """Keep the answer for a day, in the transaction of its change."""
        connection = context.connection
        values = {"person": self.person, "key": self.key, "at": context.now, "asked": self.asked, "answer": answer}
        connection.execute(_ADD, values)


def forget_old(connection: Connection, now: datetime) -> None:
    """Drop the answers that are older than a day. Called once a minute: a statement less for each change."""
    connection.execute(delete(ANSWERS).where(ANSWERS.c.at < now - KEPT))
