"""What time a virtual router thinks it is: nanoseconds since 1970, UTC.

A router in a simulated network lives by the engine's time, one that stands
alone by the real one, and a test may turn the hands itself.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

from compiler.simulator.engine import SECOND, Engine

__all__ = ["Clock", "EngineClock", "ManualClock", "RealClock", "day_of", "parse_start", "time_of"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Nanoseconds since 1970."""
        ...


class RealClock:
    """The computer's own time."""

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return time.time_ns()


class ManualClock:
    """Stands still until it is turned."""

    def __init__(self, start: int = 1_767_225_600 * SECOND) -> None:
        self._now = start

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self._now

    def advance(self, duration: int) -> None:
        """Turn it forward by ``duration`` nanoseconds."""
        self._now += duration


class EngineClock:
    """A simulation's time, ``epoch`` nanoseconds after 1970 at its beginning."""

    def __init__(self, engine: Engine, epoch: int = 0) -> None:
        self._engine = engine
        self._epoch = epoch

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self._epoch + self._engine.now


def _moment(now: int) -> datetime:
    return datetime.fromtimestamp(now // SECOND, UTC)


def time_of(now: int) -> str:
    """``21:05:00``."""
    return _moment(now).strftime("%H:%M:%S")


def day_of(now: int, version: int) -> str:
    """``jan/02/2026`` in version 6, ``2026-01-02`` in version 7 (since 7.10)."""
    moment = _moment(now)
    if version >= 7:
        return moment.strftime("%Y-%m-%d")
    return f"{_MONTHS[moment.month - 1]}/{moment.day:02}/{moment.year}"


def parse_start(day: str, hour: str) -> int | None:
    """The moment that a date in either form and a time of day name, or None where they name none."""
    try:
        if "/" in day:
            month, number, year = day.lower().split("/")
            day = f"{year}-{_MONTHS.index(month) + 1:02}-{number}"
        moment = datetime.strptime(f"{day} {hour}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * SECOND
