"""What a service does by itself: one of its commands, and when.

``TIMED`` of ``commands.py`` is a tuple of them::

    TIMED = (
        Timed(command="logs.rotate", when=Daily(at=time(2, 30)), arguments=RotationWish()),
        Timed(command="accounts.tidy", when=Every(hours=6)),
    )

The daemon calls the command as the person ``appliance``, who has exactly the
roles that the command names and those of ``also``. A command never runs twice at
once by itself. What was missed while the daemon was down is made up once, after
its start. A failure is logged, told to who may use the command, and kept as the
last outcome.

A daily run is made at most once on a day of the appliance's calendar, also when
clocks are put forward or back: of a time that is left out on that day (02:30, when
03:00 follows on 02:00) the first moment after it counts, and of one that comes
twice the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from appliance.contract.context import Context

__all__ = ["Daily", "Every", "Timed", "When"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """Once a day, at this time where the appliance stands."""

    at: time
    """Hours and minutes, without a zone."""

    def __post_init__(self) -> None:
        """Raises ValueError for a time with seconds or a zone."""
        if self.at.tzinfo is not None or self.at.second or self.at.microsecond:
            raise ValueError(f"{self.at} is no time of day in hours and minutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """Every so many hours, counted from midnight in UTC of 1 January 1970."""

    hours: int

    def __post_init__(self) -> None:
        """Raises ValueError for less than one hour and for more than a year."""
        if not 1 <= self.hours <= 24 * 366:
            raise ValueError(f"every {self.hours} hours: 1 to {24 * 366}")


When: TypeAlias = Daily | Every


def _always(_context: Context) -> bool:
    return True


def _well(_answer: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A command that the daemon calls by itself: a change, or work."""

    command: str
    """Its local name: ``logs.rotate``."""
    when: When
    arguments: Any = None
    """The command's record, or a function that makes it of a Context as work has it (``context.reading``,
    ``context.settings``); None for a command that takes nothing."""
    also: frozenset[str] = frozenset()
    """Full names of roles that it needs beside the command's own: ``machine.administrator``."""
    wanted: Callable[[Context], bool] = _always
    """Whether there is anything to do, such as daemons whose logs are rotated. Where there is not, that run is left
    out, and nobody is told. What it raises is a failure of the run."""
    complaint: Callable[[Any], str] = _well
    """From what the command answered to what has gone wrong all the same; an empty text when all is well."""
