"""How much each account has sent in the last hour: exact, and on disk before the answer is given."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Allowance", "Counts", "Sent"]

WINDOW = 3600.0
"""Seconds: any hour, not the hours of the clock."""
_KEPT = 24
"""Windows for which more is kept than any window holds: so far a clock may be set back, and each count is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What an account may send in any hour; 0: no limit."""

    messages: int
    recipients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What an account has sent in the window."""

    messages: int
    recipients: int


class Counts:
    """A SQLite file. Each message is a row with its time, so the window slides and nothing is rounded."""

    def __init__(self, path: Path | str, window: float = WINDOW) -> None:
        self._window = window
        self._base = sqlite3.connect(path, isolation_level=None)
        # A power cut may forget the last messages, never break the file (sqlite.org/pragma.html#pragma_synchronous).
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS sent (login TEXT NOT NULL, at REAL NOT NULL, recipients INTEGER NOT NULL)"
        )
        self._base.execute("CREATE INDEX IF NOT EXISTS sent_by ON sent (login, at, recipients)")
        # The newest time before which counts are no more exact: a clock that is set back does not go behind it.
        self._base.execute("CREATE TABLE IF NOT EXISTS forgotten (at REAL NOT NULL)")
        row = self._base.execute("SELECT max(at) FROM forgotten").fetchone()
        self._forgotten = float("-inf") if row[0] is None else float(row[0])

    def sent(self, login: str, now: float) -> Sent:
        """In the window that ends now (Unix time), which is never before what was forgotten. What seems to be of the
        future counts: the clock was set back."""
        row = self._base.execute(
            "SELECT count(*), coalesce(sum(recipients), 0) FROM sent WHERE login = ? AND at > ?",
            (login, self._not_before(now) - self._window),
        ).fetchone()
        return Sent(messages=row[0], recipients=row[1])

    def take(self, login: str, recipients: int, allowance: Allowance, now: float) -> str:
        """Count one more message, if it is allowed; the limit that it would break (``messages``, ``recipients``), and
        then it does not count."""
        now = self._not_before(now)
        sent = self.sent(login, now)
        if allowance.messages and sent.messages + 1 > allowance.messages:
            return "messages"
        if allowance.recipients and sent.recipients + recipients > allowance.recipients:
            return "recipients"
        self._base.execute("INSERT INTO sent VALUES (?, ?, ?)", (login, now, recipients))
        return ""

    def forget(self, now: float) -> None:
        """Remove what no window holds any more, also when the clock is set back by a day. From then on time does not go
        back behind that."""
        earliest = self._not_before(now - _KEPT * self._window)
        self._base.execute("BEGIN IMMEDIATE")
        try:
            self._base.execute("DELETE FROM sent WHERE at <= ?", (earliest - self._window,))
            self._base.execute("DELETE FROM forgotten")
            self._base.execute("INSERT INTO forgotten VALUES (?)", (earliest,))
        except sqlite3.Error:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")
        self._forgotten = earliest

    def _not_before(self, now: float) -> float:
        return max(now, self._forgotten)

    def close(self) -> None:
        """Write everything."""
        self._base.close()
