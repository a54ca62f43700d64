"""When a program that ended by itself is started again."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Pace", "Restarts"]


@dataclass(frozen=True, slots=True)
class Pace:
    """The waits between restarts, in seconds: the first, then twice as long each time, up to the longest."""

    first: float = 0.1
    longest: float = 10.0


@dataclass(frozen=True, slots=True)
class Restarts:
    """The restarts of one program within its window."""

    limit: int
    window: float
    """Seconds."""
    pace: Pace = Pace()
    times: tuple[float, ...] = ()

    def after_end(self, now: float) -> tuple[Restarts, float | None]:
        """What is known after an end at ``now``, and the seconds to wait; None when the limit is reached."""
        recent = tuple(time for time in self.times if now - time < self.window)
        if len(recent) >= self.limit:
            return replace(self, times=recent), None
        wait = min(self.pace.first * 2 ** len(recent), self.pace.longest)
        return replace(self, times=(*recent, now)), wait
