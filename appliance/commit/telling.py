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
from contextlib import suppress
from dataclasses import replace

from appliance.commit.journal import JournalUnreadable, Owed, write_journal
from appliance.commit.lock import locked
from appliance.commit.settling import Ground
from appliance.commit.timer import Timer
from appliance.contract.refusals import Refused

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
        self._held: list[Owed] = []
        """What the journal does not say yet, for the same reason: lost with this process unless it is told before."""
        self._turn = threading.Lock()
        self._timer = Timer(self._rang, ground.clock)

    def begin(self) -> None:
        """Tell what is owed, soon."""
        if self._tell is not None:
            self._timer.set(0)

    def owe(self, one: Owed) -> None:
        """Keep it until it is told: in the journal, and as long as that cannot be written in memory."""
        try:
            self._add(one)
        except (OSError, Refused) as error:
            self._held.append(one)
            log.error("that the audit log is owed %s.%s is in no journal yet: %s", one.service, one.command, error)
        self.begin()

    def close(self) -> None:
        """What has not been told by now is told by who comes after us."""
        self._timer.close()

    def _rang(self) -> None:
        with self._turn:
            try:
                self._write_down()
                for one in dict.fromkeys((*self._ground.journal().owed, *self._held)):
                    if self._tell is not None and one not in self._told:
                        self._tell(one)
                        self._told.add(one)
                    self._strike(one)
            except JournalUnreadable as error:
                log.warning("what the audit log is owed waits until the journal is recovered: %s", error)
            except Exception as error:
                log.warning("what the audit log is owed could not be told; again in %g s: %s", AGAIN, error)
                self._timer.set(AGAIN)

    def _write_down(self) -> None:
        """What memory alone has, as far as the disk takes it now."""
        with suppress(OSError, Refused):
            for one in tuple(self._held):
                self._add(one)
                self._held.remove(one)

    def _add(self, one: Owed) -> None:
        """It is owed. Raises Busy, JournalUnreadable, OSError."""
        self._rewrite(lambda owed: (*owed, one))

    def _strike(self, one: Owed) -> None:
        """It is owed no more. Raises Busy, JournalUnreadable, OSError."""
        self._rewrite(lambda owed: tuple(other for other in owed if other != one))
        if one in self._held:
            self._held.remove(one)
        self._told.discard(one)

    def _rewrite(self, becomes: Callable[[tuple[Owed, ...]], tuple[Owed, ...]]) -> None:
        clock, folder = self._ground.clock, self._ground.folder
        with locked(folder.lock, "the audit log", clock.now(), PATIENCE):
            journal = self._ground.journal()
            if (owed := becomes(journal.owed)) != journal.owed:
                write_journal(folder.journal, replace(journal, owed=owed))
