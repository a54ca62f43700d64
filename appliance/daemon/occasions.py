"""When something that runs by itself is due: pure, from the clock and what was run before.

Each run has an occasion, which it is kept by: of a daily one the day, of the
others the moment in UTC from which it was due. An occasion that is kept is over,
whatever the clock does afterwards: a clock that is put back repeats nothing, and
one that was in the future for a while prevents nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.contract.timed import Daily, Every, When

__all__ = ["due", "following", "looked_at"]

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_NOON = time(12)
_AHEAD = 8
"""Days that ``following`` looks ahead; zones have left out one."""


def looked_at(when: When, now: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    """The occasions that ``due`` and ``following`` must know of, whether they are kept."""
    if isinstance(when, Every):
        return (_occasion(_began(when, now)),)
    today = _clock(now, zone).date()
    return _before(today, zone).isoformat(), *((today + _DAY * ahead).isoformat() for ahead in range(_AHEAD))


def due(when: When, now: datetime, zone: ZoneInfo, known: datetime, kept: Collection[str]) -> str:
    """The occasion that shall be run now, or an empty text.

    ``known`` is when the appliance first knew of it: what lies before was not
    missed. A daily run that was missed yesterday or earlier is made up as today's,
    before its time: so it is made at most once on a day.
    """
    if isinstance(when, Every):
        began = _began(when, now)
        return _occasion(began) if known < began and _occasion(began) not in kept else ""
    clock, since = _clock(now, zone), _clock(known, zone)
    today = clock.date()
    yesterday = _before(today, zone)
    if today.isoformat() in kept:
        return ""
    if clock.time() >= when.at:
        return today.isoformat() if since < datetime.combine(today, when.at) else ""
    missed = yesterday.isoformat() not in kept and since < datetime.combine(yesterday, when.at)
    return today.isoformat() if missed else ""


def following(when: When, now: datetime, zone: ZoneInfo, known: datetime, kept: Collection[str]) -> datetime:
    """When it is due next, in UTC; now, when it is."""
    if due(when, now, zone, known, kept):
        return now.astimezone(UTC)
    if isinstance(when, Every):
        return _began(when, now) + timedelta(hours=when.hours)
    days = (_clock(now, zone).date() + _DAY * ahead for ahead in range(_AHEAD))
    return next(at for day in days if (at := _at(when, day, zone)) > now and day.isoformat() not in kept)


def _clock(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows then."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _before(today: date, zone: ZoneInfo) -> date:
    """The day before. Not one that a zone has left out: Samoa had no 30 December 2011."""
    day = today - _DAY
    return day if _clock(datetime.combine(day, _NOON, zone).astimezone(UTC), zone).date() == day else day - _DAY


def _at(when: Daily, day: date, zone: ZoneInfo) -> datetime:
    """In UTC. Where the clock is put forward over the time, the first moment after it."""
    wanted = datetime.combine(day, when.at)
    at = wanted.replace(tzinfo=zone).astimezone(UTC)
    while _clock(at - _MINUTE, zone) >= wanted:
        at -= _MINUTE
    return at


def _began(when: Every, now: datetime) -> datetime:
    length = when.hours * 3600
    return datetime.fromtimestamp(now.timestamp() // length * length, UTC)


def _occasion(began: datetime) -> str:
    return f"{began:%Y-%m-%dT%HZ}"
