"""Laws of what runs daily: over any clock steps, restarts, deaths and failures; and over each change of DST."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from appliance.contract.context import Context
from appliance.contract.refusals import RuleBroken
from appliance.contract.timed import Daily, Every
from appliance.daemon.occasions import due, following
from tests.appliance.daemon.chores.commands import HOOKS
from tests.appliance.daemon.garden import Garden

ZONES = [ZoneInfo(name) for name in ("Asia/Jakarta", "Europe/Berlin", "America/New_York", "Pacific/Apia",
                                     "Australia/Lord_Howe", "America/Asuncion")]  # fmt: skip
AT = time(2, 30)  # of the chores
MINUTES = some.integers(0, 3 * 24 * 60)
STEPS = some.one_of(
    some.tuples(some.just("up"), MINUTES),
    some.tuples(some.just("up"), some.integers(0, 60)),
    some.tuples(some.just("down"), MINUTES),
    some.tuples(some.just("back"), MINUTES),
    some.tuples(some.sampled_from(["well", "failing", "dying"]), some.just(0)),
)


class _Killed(BaseException):
    """The process dies."""


def _failing(_context: Context) -> str:
    raise RuleBroken("it fails")


def _dying(_context: Context) -> str:
    raise _Killed


@settings(max_examples=60, deadline=None)
@given(
    begin=some.datetimes(datetime(2011, 12, 1), datetime(2027, 1, 1)),
    zone=some.sampled_from(ZONES),
    steps=some.lists(STEPS, max_size=25),
)
def test_at_most_once_a_day_and_at_least_once_on_a_day_on_which_it_could(
    begin: datetime, zone: ZoneInfo, steps: list[tuple[str, int]]
) -> None:
    garden = Garden(begin.replace(tzinfo=UTC), zone)
    garden.timer.tick()
    known = garden.now
    try:
        for what, minutes in steps:
            ways = {"well": None, "failing": _failing, "dying": _dying}
            if what in ways:
                HOOKS.pop("sweep", None)
                if (hook := ways[what]) is not None:
                    HOOKS["sweep"] = hook
                continue
            garden.now += timedelta(minutes=-minutes if what == "back" else minutes)
            if what == "down":
                garden.restart()
            try:
                garden.timer.tick()
            except _Killed:
                garden.restart()
                garden.timer.tick()
            known = min(known, garden.now)
            days = Counter(run.began.astimezone(zone).date() for run in garden.runs())
            assert all(count == 1 for count in days.values()), days
            wall = garden.now.astimezone(zone)
            # Since it is known: on the first day its time must have come after that.
            known_then = known.astimezone(zone).replace(tzinfo=None)
            if wall.time() >= AT and known_then < datetime.combine(wall.date(), AT):
                assert days[wall.date()] == 1, f"it did not run on {wall.date()}"
    finally:
        garden.close()


@pytest.mark.parametrize(
    ("zone", "year", "month"),
    [("Europe/Berlin", 2026, 3), ("Europe/Berlin", 2026, 10), ("America/New_York", 2026, 3),
     ("America/New_York", 2026, 11), ("Australia/Lord_Howe", 2026, 4), ("Australia/Lord_Howe", 2026, 10),
     ("America/Asuncion", 2023, 10), ("America/Asuncion", 2023, 3), ("Pacific/Apia", 2011, 12),
     ("America/Scoresbysund", 2024, 3), ("America/Scoresbysund", 2024, 10)],
)  # fmt: skip
@pytest.mark.parametrize("at", [time(0), time(0, 30), time(1, 30), time(2), time(2, 30), time(3), time(23, 30)])
def test_a_change_of_dst_neither_doubles_nor_skips(zone: str, year: int, month: int, at: time) -> None:
    where, when = ZoneInfo(zone), Daily(at=at)
    now = datetime(year, month, 1, tzinfo=UTC)
    known = now - timedelta(days=9)
    kept = {(now.astimezone(where).date() - timedelta(days=1)).isoformat()}
    began: list[datetime] = []
    lived: set[date] = set()
    promised = None
    while now < datetime(year, month, 28, tzinfo=UTC) + timedelta(days=4):
        coming = following(when, now, where, known, kept)
        if occasion := due(when, now, where, known, kept):
            assert coming == now
            assert promised is None or now - timedelta(minutes=30) < promised <= now
            kept.add(occasion)
            began.append(now.astimezone(where))
        else:
            assert coming > now
            promised = coming
        lived.add(now.astimezone(where).date())
        now += timedelta(minutes=30)
    days = Counter(one.date() for one in began)
    assert set(days.values()) == {1}
    # The last day may not have come to its time yet.
    assert lived - set(days) <= {max(lived)}
    late = [one for one in began[1:] if one.time() != at]
    assert len(late) <= 1, "only where its time was left out"


@settings(max_examples=200, deadline=None)
@given(hours=some.integers(1, 100), moves=some.lists(some.integers(-5000, 5000), min_size=1, max_size=40))
def test_every_so_many_hours_each_stretch_has_at_most_one(hours: int, moves: list[int]) -> None:
    when, now, kept = Every(hours=hours), datetime(2026, 3, 1, tzinfo=UTC), set[str]()
    known = now - timedelta(days=3650)
    for minutes in moves:
        now += timedelta(minutes=minutes)
        stretch = int(now.timestamp()) // (hours * 3600)
        occasion = due(when, now, ZONES[0], known, kept)
        began = datetime.fromtimestamp(stretch * hours * 3600, UTC).strftime("%Y-%m-%dT%HZ")
        assert occasion == ("" if began in kept else began)
        kept.add(began)
        assert now < following(when, now, ZONES[0], known, kept) <= now + timedelta(hours=hours)
