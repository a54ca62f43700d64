"""A time range of the tree -> ``absolute`` and ``periodic`` lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from compiler.dialects.ios.clock import DAY_GROUPS, DAYS, MINUTES_A_DAY, MINUTES_A_WEEK, MONTHS
from compiler.dialects.ios.phrases import Unsayable
from compiler.integers import IntegerSet
from compiler.policy.access_list import TimeRange

__all__ = ["time_range_lines"]

_LAST = (1 << 32) - 1
_YEARS = range(1993, 2036)


def time_range_lines(time_range: TimeRange) -> Iterator[str]:
    """The lines of the block. Raises Unsayable for dates that IOS cannot have."""
    if time_range.date_minutes is not None:
        yield _absolute(time_range.date_minutes)
    if time_range.week_minutes is not None:
        yield from _periodic(time_range.week_minutes)
    elif time_range.date_minutes is None:
        yield "periodic daily 0:00 to 23:59"


def _absolute(minutes: IntegerSet) -> str:
    if len(minutes.intervals) != 1:
        raise Unsayable("dates with a gap", "a time-range of IOS takes one 'absolute'")
    low, high = minutes.intervals[0]
    words = "absolute"
    if low > 0:
        words += f" start {_moment(low)}"
    if high < _LAST:
        words += f" end {_moment(high)}"
    return words


def _moment(minutes: int) -> str:
    days, minute = divmod(minutes, MINUTES_A_DAY)
    try:
        day = date(1970, 1, 1) + timedelta(days)
    except OverflowError:
        raise Unsayable("a date", "it lies beyond the calendar") from None
    if day.year not in _YEARS:
        raise Unsayable(f"the year {day.year}", "IOS takes years from 1993 to 2035")
    return f"{minute // 60:02}:{minute % 60:02} {day.day:02} {MONTHS[day.month - 1]} {day.year}"


def _periodic(minutes: IntegerSet) -> Iterator[str]:
    """Periods of one day are gathered under their days; longer ones run from day to day."""
    if not minutes.intervals:
        raise Unsayable("a time-range that is never active", "IOS has no such period")
    intervals = list(minutes.intervals)
    if len(intervals) > 1 and intervals[0][0] == 0 and intervals[-1][1] == MINUTES_A_WEEK - 1:
        low, _ = intervals.pop()
        _, high = intervals.pop(0)
        intervals.append((low, high + MINUTES_A_WEEK))  # over the end of the week
    days: dict[tuple[int, int], list[int]] = {}
    for low, high in intervals:
        day, start = divmod(low, MINUTES_A_DAY)
        last_day, stop = divmod(high % MINUTES_A_WEEK, MINUTES_A_DAY)
        if high // MINUTES_A_DAY == day:
            days.setdefault((start, stop), []).append(day)
        else:
            yield f"periodic {DAYS[day].title()} {_time(start)} to {DAYS[last_day].title()} {_time(stop)}"
    for (start, stop), members in days.items():
        names = [name for name, group in DAY_GROUPS.items() if group == tuple(members)]
        words = names[0] if names else " ".join(DAYS[day].title() for day in members)
        yield f"periodic {words} {_time(start)} to {_time(stop)}"


def _time(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"
