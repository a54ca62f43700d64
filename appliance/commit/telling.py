"""What the audit log is owed, told in a thread of its own, again and again until it has been taken.

The store may be away when the confirm timer rings or when the daemon starts.
The machine does not wait for it: what is owed stays in the journal, also over
a death of the process. Who dies between the two tells it twice, rather than
never.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from appliance.commit.journal import Owed, write_journal
from appliance.commit.lock import locked
from appliance.commit.settling import Ground
from appliance.commit.timer import Timer

__all__ = ["Telling"]

AGAIN = 5.0
"""Seconds until it is told again what nobody took."""
PATIENCE = 5.0
"""Seconds in which somebody else lets go of the lock."""
log = logging.getLogger("gerbang.commit")


class Telling:
    """``tell`` raises as long as it cannot take a line; without it what is owed stays for who comes after us."""

    def __init__(self, ground: Ground, tell: Callable[[Owed], None] | None) -> None:
        self._ground = ground
        self._tell = tell
        self._told: set[Owed] = set()
        """What the journal still says because it could not be written yet."""
        self._turn = threading.Lock()
        self._timer = Timer(self._rang, ground.clock)

    def begin(self) -> None:
        """Tell what is owed, soon."""
        if self._tell is not None:
            self._timer.set(0)

    def close(self) -> None:
        """What has not been told by now is told by who comes after us."""
        self._timer.close()

    def _rang(self) -> None:
        with self._turn:
            try:
                for one in self._ground.journal().owed:
                    if self._tell is not None and one not in self._told:
                        self._tell(one)
                        self._told.add(one)
                    self._strike(one)
            except Exception as error:
                log.warning("what the audit log is owed could not be told; again in %g s: %s", AGAIN, error)
                self._timer.set(AGAIN)

    def _strike(self, one: Owed) -> None:
        """It is owed no more. Raises Busy, OSError."""
        clock, folder = self._ground.clock, self._ground.folder
        with locked(folder.lock, "the audit log", clock.now(), PATIENCE):
            journal = self._ground.journal()
            write_journal(folder.journal, replace(journal, owed=tuple(other for other in journal.owed if other != one)))
        self._told.discard(one)
