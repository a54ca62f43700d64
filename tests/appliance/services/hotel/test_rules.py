"""Prices, down payments and refunds: the published example, and laws over all stays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.refusals import RuleBroken
from appliance.services.hotel.model import Package, Room, Settings, Stay, StayRoom
from appliance.services.hotel.rules import (
    PUBLISHED,
    cancelled,
    down_payment_least,
    nights_of,
    quote,
    refuse_down_payment,
)

WEEKEND = {4, 5}  # Friday, Saturday


def room(code: str = "104", weekday: int = 300_000, weekend: int = 300_000) -> Room:
    return Room(code=code, name="Lotus", type="deluxe", capacity=2, weekday_rate=weekday, weekend_rate=weekend)


def test_the_published_booking_is_wrong_and_this_is_right() -> None:
    # ERRATUM hot-1: the source prints 450,000; two nights of the room and of two beds are 1,200,000.
    stay = Stay(arrival=PUBLISHED.arrival, departure=PUBLISHED.departure, rooms=(StayRoom(room="104", extra_beds=2),))
    agreed = quote(stay, {"104": room()}, None, Settings())
    assert agreed.total == 600_000 + 600_000 != PUBLISHED.printed_total
    assert agreed.total - PUBLISHED.down_payment == 900_000 != PUBLISHED.printed_balance
    # How the printed figure came about: one night, one bed.
    assert PUBLISHED.printed_total == PUBLISHED.rate + PUBLISHED.bed_rate
    with pytest.raises(RuleBroken, match="at least 600000"):
        refuse_down_payment(PUBLISHED.down_payment, agreed.total, Settings())


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    friday = date(2026, 1, 9)
    stay = Stay(arrival=friday, departure=friday + timedelta(days=3), rooms=(StayRoom(room="104"),))
    (line,) = quote(stay, {"104": room(weekend=400_000)}, None, Settings()).lines
    assert (line.weekend_nights, line.weekday_nights) == (2, 1)
    sundays = Settings(weekend_nights=("Sunday",))
    (line,) = quote(stay, {"104": room(weekend=400_000)}, None, sundays).lines
    assert (line.weekend_nights, line.weekday_nights) == (1, 2)


days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
money = st.integers(0, 10_000_000)


@given(days, st.integers(1, 40), money, money, st.integers(0, 10), money, st.none() | money)
def test_a_stay_costs_the_sum_of_its_nights(
    arrival: date, nights: int, weekday: int, weekend: int, beds: int, bed_rate: int, extra: int | None
) -> None:
    stay = Stay(
        arrival=arrival,
        departure=arrival + timedelta(days=nights),
        rooms=(StayRoom(room="104", extra_beds=beds), StayRoom(room="105")),
    )
    package = None if extra is None else Package(code="P", name="p", price=extra)
    rooms = {code: room(code, weekday, weekend) for code in ("104", "105")}
    agreed = quote(stay, rooms, package, Settings(bed_rate=bed_rate))
    expected = extra or 0
    for night in nights_of(arrival, stay.departure):
        expected += 2 * (weekend if night.weekday() in WEEKEND else weekday) + beds * bed_rate
    assert agreed.total == expected
    assert agreed.nights == nights


@given(st.integers(0, 10**12), st.integers(0, 100))
def test_the_least_down_payment_is_never_below_the_share(total: int, share: int) -> None:
    least = down_payment_least(total, Settings(least_down_payment=share))
    assert 100 * least >= share * total > 100 * (least - 1)
    refuse_down_payment(least, total, Settings(least_down_payment=share))
    if least:
        with pytest.raises(RuleBroken):
            refuse_down_payment(least - 1, total, Settings(least_down_payment=share))


@given(st.integers(0, 10**12), days, st.integers(-400, 400), st.integers(0, 100))
def test_fee_and_refund_are_what_was_paid(paid: int, arrival: date, early: int, fee: int) -> None:
    kept, refund = cancelled(paid, arrival, arrival - timedelta(days=early), Settings(cancellation_fee=fee))
    assert kept + refund == paid
    assert kept >= 0 <= refund
    if early <= 0:
        assert refund == 0
