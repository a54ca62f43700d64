"""The ``time`` matcher: ``time=8h-16h59m59s,mon,tue``.

Times of day and weekdays of the device's local clock. A packet of the last
second still matches, so ``8h-16h59m59s`` is the minutes 8:00 to 16:59. An end
on a whole minute (``17h``) is read as the end of the minute before; for one
second routers may differ. Source: MikroTik documentation, "Common Firewall
Matchers and Actions"; Linux ``xt_time``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from compiler.integers import IntegerSet

__all__ = ["format_week", "week_minutes"]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 1440

_DURATION = re.compile(
    r"(?=.)(?:(?P<days>\d{1,2})d)?(?:(?P<hours>\d{1,2})h)?(?:(?P<minutes>\d{1,2})m)?(?:(?P<seconds>\d{1,2})s)?",
    re.ASCII,
)
_CLOCK = re.compile(r"(?:(?P<days>\d)d)?(?P<hours>\d{1,2}):(?P<minutes>\d\d)(?::(?P<seconds>\d\d))?", re.ASCII)


def week_minutes(text: str) -> IntegerSet:
    """Minutes of the week, from Monday 00:00. Raises ``MatcherFault``."""
    from compiler.dialects.routeros.faults import MatcherFault
    from compiler.errors import Unmodelled

    period, *names = text.split(",")
    first, dash, last = period.partition("-")
    start, end = _seconds(first), _seconds(last)
    unknown = [name for name in names if name not in DAYS]
    if not dash or start is None or end is None or unknown or not names:
        what = f"{unknown[0]!r} is no day" if unknown else f"time={text}"
        raise MatcherFault(f"{what}: expected START-END,DAY,… as in 8h-17h,mon,tue")
    if start % 60 or end % 60 not in (0, 59):
        raise MatcherFault(f"time={text}: seconds are not modelled", Unmodelled)
    # 59 seconds belong to their minute; a whole minute is the end of the one before.
    stop = (end + 1) // 60 if end % 60 == 59 else end // 60
    if start // 60 >= stop or stop > DAY_MINUTES:
        raise MatcherFault(f"time={text}: a time that ends before it begins is not modelled", Unmodelled)
    return IntegerSet.of(
        (DAYS.index(name) * DAY_MINUTES + start // 60, DAYS.index(name) * DAY_MINUTES + stop - 1) for name in names
    )


def _seconds(text: str) -> int | None:
    found = _DURATION.fullmatch(text) or _CLOCK.fullmatch(text)
    if found is None:
        return None
    parts = found.groupdict()
    scale = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
    return sum(int(parts[name] or 0) * factor for name, factor in scale)


@lru_cache(maxsize=256)
def format_week(minutes: IntegerSet) -> tuple[tuple[str, IntegerSet], ...]:
    """``time`` values, with the minutes of each, whose union is the set."""
    days: dict[tuple[int, int], list[int]] = {}
    for day in range(7):
        base = day * DAY_MINUTES
        inside = minutes.intersection(IntegerSet.range(base, base + DAY_MINUTES - 1))
        for low, high in inside.intervals:
            days.setdefault((low - base, high - base), []).append(day)
    texts = []
    for (low, high), numbers in days.items():
        end = "1d" if high == DAY_MINUTES - 1 else _duration(high) + "59s"
        text = ",".join([f"{_duration(low) or '0s'}-{end}", *(DAYS[day] for day in numbers)])
        part = ((day * DAY_MINUTES + low, day * DAY_MINUTES + high) for day in numbers)
        texts.append((text, IntegerSet.of(part)))
    return tuple(texts)


def _duration(minute: int) -> str:
    hours, minutes = divmod(minute, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
