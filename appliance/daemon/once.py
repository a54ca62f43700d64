"""Doing a change once, though it is asked twice: the first answer is kept in the transaction of its change.

A client that lost the connection repeats its request with the same
``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header). Refused changes
left nothing, so a repeat of one is simply tried again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from appliance.contract.context import Context
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.system.tables import ANSWERS

__all__ = ["KeyReused", "Once"]

KEPT = timedelta(days=1)


class KeyReused(Refused):
    """The same key came with another request."""

    code = "key-reused"


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

    def answer(self, connection: Connection) -> bytes | None:
        """What was answered the first time, or None; raises KeyReused."""
        found = select(ANSWERS.c.asked, ANSWERS.c.answer).where(
            ANSWERS.c.person == self.person, ANSWERS.c.key == self.key
        )
        row = connection.execute(found).one_or_none()
        if row is None:
            return None
        if row.asked != self.asked:
            raise KeyReused(_("this Idempotency-Key was used for another request"))
        return bytes(row.answer)

    def keep(self, context: Context, answer: bytes) -> None:
        """Keep the answer for a day, in the transaction of its change."""
        connection = context.connection
        connection.execute(delete(ANSWERS).where(ANSWERS.c.at < context.now - KEPT))
        values = {"person": self.person, "key": self.key, "at": context.now, "asked": self.asked, "answer": answer}
        connection.execute(insert(ANSWERS).values(values))
