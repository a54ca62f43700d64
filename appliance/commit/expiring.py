"""When what nobody has confirmed is taken back, and that it is tried again until it could be."""

from __future__ import annotations

import logging
from collections.abc import Callable

from appliance.commit.clock import Clock
from appliance.commit.journal import JournalUnreadable
from appliance.commit.lock import Busy
from appliance.commit.timer import Timer

__all__ = ["Expiring"]

log = logging.getLogger("gerbang.commit")
AGAIN = 5.0
"""Seconds until the timer tries again what it could not take back."""


class Expiring:
    """Calls ``expire``, which takes back what is over its time, in a thread of its own."""

    def __init__(self, expire: Callable[[], object], clock: Clock) -> None:
        self._expire = expire
        self._timer = Timer(self._rang, clock)
        self._spoilt = ""
        """What was said last of a journal that cannot be read."""

    def set(self, seconds: float) -> None:
        """In so many seconds."""
        self._timer.set(seconds)

    def again(self) -> None:
        """It could not be done just now."""
        self._timer.set(AGAIN)

    def clear(self) -> None:
        """Nothing waits."""
        self._timer.clear()

    def close(self) -> None:
        """Never more."""
        self._timer.close()

    def say_spoilt(self, error: JournalUnreadable) -> None:
        """Once; looked at again all the same, for somebody may put the journal back while a generation waits."""
        if self._spoilt != str(error):
            log.critical("%s", error)
        self._spoilt = str(error)
        self.again()

    def _rang(self) -> None:
        """Somebody who holds the lock is confirming, or will be done soon."""
        try:
            self._expire()
        except Busy:
            self._timer.set(1.0)
        except JournalUnreadable as error:
            self.say_spoilt(error)
        except Exception:
            # Who could confirm may be cut off: giving up here would leave him so.
            log.exception("what nobody has confirmed could not be taken back; tried again in %g s", AGAIN)
            self.again()
