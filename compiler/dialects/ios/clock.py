"""``time-range``: when an entry is in force.

Source: Cisco IOS "time-range", "absolute", "periodic". The last minute named
belongs to the range (``daily 0:00 to 23:59`` is the whole day).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.integers import IntegerSet, full
from compiler.policy.access_list import TimeRange
from compiler.source import Span

__all__ = ["DAYS", "DAY_GROUPS", "MINUTES_A_DAY", "MINUTES_A_WEEK", "MONTHS", "TimeRangeDraft", "read_time_line"]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

DAY_GROUPS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"daily": (0, 1, 2, 3, 4, 5, 6), "weekdays": (0, 1, 2, 3, 4), "weekend": (5, 6)}
)

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

MINUTES_A_DAY = 1440
MINUTES_A_WEEK = 7 * MINUTES_A_DAY

_EPOCH = date(1970, 1, 1).toordinal()
_DAY_WORDS = (*DAYS, *DAY_GROUPS)


@dataclass(slots=True)
class TimeRangeDraft:
    """A time range while its lines are read."""

    name: str
    span: Span
    week: list[tuple[int, int]] = field(default_factory=list)
    dates: tuple[int, int] | None = None
    lines: int = 0

    def finish(self) -> TimeRange:
        """The value; all of the week and all dates become None."""
        week = IntegerSet.of(self.week) if self.week else None
        if week == IntegerSet.range(0, MINUTES_A_WEEK - 1):
            week = None
        dates = IntegerSet.range(*self.dates) if self.dates else None
        return TimeRange(self.name, week, None if dates == full(32) else dates, self.span)


def read_time_line(line: Words, draft: TimeRangeDraft) -> None:
    """One line ``absolute …`` or ``periodic …`` into ``draft``."""
    word = line.take("absolute or periodic").lower()
    if word == "absolute":
        at = line.at - 1
        dates = _absolute(line)
        if draft.dates not in (None, dates):
            raise Fault("a second 'absolute' with other dates: a time-range takes one", at)
        draft.dates = dates
    elif word == "periodic":
        draft.week.extend(_periodic(line))
    else:
        raise expected(word, line.at - 1, "absolute or periodic", ("absolute", "periodic"))
    line.end()
    draft.lines += 1


def _absolute(line: Words) -> tuple[int, int]:
    begin, finish = 0, (1 << 32) - 1
    start = line.at
    if line.peek().lower() not in ("start", "end"):
        raise expected(line.peek(), line.at, "start or end", ("start", "end"))
    if line.peek().lower() == "start":
        line.at += 1
        begin = _moment(line)
    if line.peek().lower() == "end":
        line.at += 1
        finish = _moment(line)
    if finish < begin:
        raise Fault("the range ends before it begins", start, line.at - start)
    return begin, finish


def _moment(line: Words) -> int:
    """``hh:mm day month year`` as minutes since 1970."""
    minute = _time(line)
    at = line.at
    day = number(line.take("a day of the month"), 1, 31)
    word = line.take("a month").lower()
    months = [index for index, name in enumerate(MONTHS, 1) if len(word) >= 3 and name.lower().startswith(word)]
    if len(months) != 1:
        raise expected(word, at + 1, "a month by its name", [name.lower() for name in MONTHS])
    year = number(line.take("a year"), 1993, 2035)
    try:
        ordinal = date(year or 0, months[0], day or 0).toordinal()
    except ValueError:
        raise Fault("not a date; expected day, month and a year from 1993 to 2035", at, 3) from None
    return (ordinal - _EPOCH) * MINUTES_A_DAY + minute


def _time(line: Words) -> int:
    """``hh:mm`` as minutes; ``24:00`` is the last minute of the day."""
    word = line.take("a time hh:mm")
    hour, colon, minute = word.partition(":")
    hours, minutes = number(hour, 0, 24), number(minute, 0, 59)
    if not colon or hours is None or minutes is None or (hours == 24 and minutes):
        raise Fault(f"'{word}' is not a time; expected hh:mm", line.at - 1)
    return min(hours * 60 + minutes, MINUTES_A_DAY - 1)


def _days(line: Words) -> list[int]:
    days: list[int] = []
    while (word := line.peek().lower()) in _DAY_WORDS:
        days.extend(DAY_GROUPS[word] if word in DAY_GROUPS else (DAYS.index(word),))
        line.at += 1
    return days


def _periodic(line: Words) -> list[tuple[int, int]]:
    start = line.at
    first = _days(line)
    if not first:
        raise expected(line.peek(), line.at, "daily, weekdays, weekend or days of the week", _DAY_WORDS)
    begin = _time(line)
    if line.peek().lower() != "to":
        raise expected(line.peek(), line.at, "to", ("to",))
    line.at += 1
    last_at = line.at
    last = _days(line)
    finish = _time(line)
    if not last or (last == first and len(first) > 1):
        if finish < begin:
            raise Fault("the period ends before it begins; write one period up to 23:59 and one from 0:00", start, 4)
        return [(day * MINUTES_A_DAY + begin, day * MINUTES_A_DAY + finish) for day in first]
    if len(last) > 1 or len(first) > 1:
        raise Fault("a period from day to day takes one day on each side of 'to'", last_at)
    low, high = first[0] * MINUTES_A_DAY + begin, last[0] * MINUTES_A_DAY + finish
    if low <= high:
        return [(low, high)]
    return [(low, MINUTES_A_WEEK - 1), (0, high)]  # over the end of the week
