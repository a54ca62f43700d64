"""Many receptionists at once: no night of a room is ever sold twice, and no money is lost."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from appliance.contract.refusals import Refused
from appliance.daemon.running import InvalidArguments
from appliance.services.hotel import service
from appliance.services.hotel.tables import BOOKED_ROOMS, BOOKINGS, NIGHTS, PAYMENTS
from appliance.testing import Call, Trial

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
ROOMS = ("101", "102", "103")


def opened(url: str) -> Trial:
    trial = Trial(service, now=MONDAY, url=url)
    keeper = trial.person("wati", "administrator")
    for code in ROOMS:
        keeper("rooms.add", code=code, name=code, type="standard", capacity=2, weekday_rate=100, weekend_rate=200)
    keeper("guests.add", identity="1", name="Rahmat")
    return trial


def work(desk: Call, seed: int, steps: int) -> Counter[str]:
    """One receptionist: books, moves, takes money and cancels, as the seed says; what happened, counted."""
    random, happened = Random(seed), Counter[str]()
    for _ in range(steps):
        try:
            happened[_one_step(desk, random)] += 1
        except (Refused, InvalidArguments) as refused:
            happened[getattr(refused, "code", "invalid")] += 1
    return happened


def _one_step(desk: Call, random: Random) -> str:
    arrival = date(2026, 1, 6) + timedelta(days=random.randrange(12))
    stay = {
        "arrival": arrival.isoformat(),
        "departure": (arrival + timedelta(days=random.randint(1, 4))).isoformat(),
        "rooms": [{"room": code} for code in random.sample(ROOMS, random.choice((1, 1, 2)))],
    }
    known = f"P202601{random.randint(1, 40):03d}"
    what = random.choice(("book", "book", "book", "change-stay", "pay", "cancel"))
    if what == "book":
        desk("book", **stay, guest="1", paid=desk("price", **stay)["least_down_payment"])
        return what
    version = desk("bookings.get", number=known)["version"]
    if what == "change-stay":
        desk(what, number=known, version=version, **stay)
    elif what == "pay":
        desk(what, number=known, version=version, amount=random.randint(1, 200))
    else:
        desk(what, number=known, version=version, reason="called")
    return what


def refuse_contradictions(trial: Trial) -> None:
    """What holds whatever the receptionists did."""
    with trial.store.reading() as connection:
        slept = Counter((row.room, row.night) for row in connection.execute(select(NIGHTS)))
        assert max(slept.values(), default=1) == 1
        for row in connection.execute(select(BOOKINGS)).mappings():
            number = row["number"]
            nights = {(one.room, one.night) for one in connection.execute(select(NIGHTS).filter_by(booking=number))}
            rooms = connection.execute(select(BOOKED_ROOMS).filter_by(booking=number)).mappings().all()
            paid = connection.execute(select(func.sum(PAYMENTS.c.amount)).filter_by(booking=number)).scalar_one()
            assert (paid or 0) == row["paid"]
            wanted = {
                (one["room"], row["arrival"] + timedelta(days=day)) for one in rooms for day in range(row["nights"])
            }
            if row["status"].value == "cancelled":
                assert nights == set()
                assert row["balance"] == 0
            else:
                assert nights == wanted
                assert sum(one["amount"] for one in rooms) == row["total"] == row["paid"] + row["balance"]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_parallel_receptionists_never_sell_a_night_twice(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder: Path = tmp_path_factory.mktemp("hotel")
    trial = opened(f"sqlite:///{folder / 'hotel.db'}")
    try:
        with ThreadPoolExecutor(6) as pool:
            desks = [trial.person(f"desk{number}", "receptionist") for number in range(6)]
            happened = sum(pool.map(work, desks, range(seed, seed + 6), [12] * 6), Counter[str]())
        assert happened["book"] > 0
        refuse_contradictions(trial)
    finally:
        trial.close()


def test_parallel_receptionists_on_either_database(database: str) -> None:
    trial = opened(database)
    try:
        with ThreadPoolExecutor(4) as pool:
            desks = [trial.person(f"desk{number}", "receptionist") for number in range(4)]
            happened = sum(pool.map(work, desks, range(4), [12] * 4), Counter[str]())
        assert happened["book"] > 0
        refuse_contradictions(trial)
    finally:
        trial.close()
