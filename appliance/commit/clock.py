"""The time of a deadline: counted since the boot, because the wall clock may be set while we wait."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

__all__ = ["Clock", "Deadline", "SystemClock"]

LOOK = 1.0
"""Seconds between two looks at the clock while somebody waits."""


class Clock:
    """What the commit asks about time; tests have their own."""

    def now(self) -> datetime:
        """The wall clock, UTC."""
        raise NotImplementedError

    def since_boot(self) -> float:
        """Seconds since the boot, sleep included."""
        raise NotImplementedError

    def boot(self) -> str:
        """A name of this boot that no other has."""
        raise NotImplementedError

    def passes(self, seconds: float, called_off: Event) -> bool:
        """Wait so long; whether nobody has called it off."""
        return not called_off.wait(seconds)


class SystemClock(Clock):
    """CLOCK_BOOTTIME (clock_gettime(2)) and ``/proc/sys/kernel/random/boot_id`` (random(4))."""

    def now(self) -> datetime:
        """The wall clock, UTC."""
        return datetime.now(UTC)

    def since_boot(self) -> float:
        """Seconds since the boot, sleep included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot(self) -> str:
        """The kernel's boot_id."""
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def passes(self, seconds: float, called_off: Event) -> bool:
        """In small steps: what waits for an Event stands still while the machine sleeps (CLOCK_MONOTONIC), and what was
        due in that sleep is to ring at its end."""
        end = self.since_boot() + seconds
        while (left := end - self.since_boot()) > 0:
            if called_off.wait(min(left, LOOK)):
                return False
        return not called_off.is_set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment of one boot. After another boot it has passed: who could have confirmed was cut off."""

    boot: str
    since_boot: float
    wall: datetime
    """For people; not what counts."""

    def left(self, clock: Clock) -> float:
        """Seconds until then; 0 when it has passed."""
        if clock.boot() != self.boot:
            return 0.0
        return max(self.since_boot - clock.since_boot(), 0.0)
