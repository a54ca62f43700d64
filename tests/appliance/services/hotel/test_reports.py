"""Reports, the calendar, papers and the sample data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from appliance.contract.documents import Document
from appliance.contract.people import Person
from appliance.services.hotel import service
from appliance.services.hotel.tables import BOOKED_ROOMS, BOOKINGS, NIGHTS, PAYMENTS
from appliance.testing import Trial

NOW = datetime(2026, 1, 5, 23, 30, tzinfo=ZoneInfo("Asia/Jakarta"))


@pytest.fixture
def trial() -> Iterator[Trial]:
    trial = Trial(service, now=NOW)
    trial.load_examples()
    yield trial
    trial.close()


def document(trial: Trial, command: str, number: str) -> Document:
    person = Person("ani", frozenset({"hotel.receptionist"}))
    value = trial.runner.call(person, "hotel", command, f'{{"number": "{number}"}}'.encode()).value
    assert isinstance(value, Document)
    return value


def test_the_example_of_the_source_is_kept_with_its_explanation(trial: Trial) -> None:
    desk = trial.person("ani", "receptionist")
    kept = desk("bookings.get", number="P201302002")["row"]
    assert (kept["total"], kept["paid"], kept["balance"]) == (1_200_000, 300_000, 900_000)
    assert "one night and one bed" in kept["note"]
    compared = desk("published-example")
    assert (compared["printed_total"], compared["total"]) == (450_000, 1_200_000)


def test_what_is_kept_agrees_with_itself(trial: Trial) -> None:
    with trial.store.reading() as connection:
        for row in connection.execute(select(BOOKINGS)).mappings():
            of = {"booking": row["number"]}
            rooms = connection.execute(select(BOOKED_ROOMS).filter_by(**of)).mappings().all()
            nights = connection.execute(select(NIGHTS).filter_by(**of)).all()
            paid = sum(connection.execute(select(PAYMENTS.c.amount).filter_by(**of)).scalars())
            assert row["total"] == sum(one["amount"] for one in rooms) + row["package_price"]
            assert (row["paid"], row["balance"]) == (paid, row["total"] - paid)
            assert len(nights) == row["nights"] * len(rooms)


def test_the_report_counts_by_the_clock_of_the_hotel(trial: Trial) -> None:
    manager = trial.person("joko", "manager")
    # Half past eleven at night in Jakarta is still the same day, though it is the 5th in London too: and at one, not.
    report = manager("period-report", first="2026-01-05", last="2026-01-05")
    assert report["lines"][0]["bookings"] == 5
    assert report["received"] > 0
    assert report["received"] == report["income"]
    assert manager("period-report", first="2026-01-06", last="2026-01-06")["received"] == 0
    trial.now = datetime(2026, 1, 6, 1, 0, tzinfo=NOW.tzinfo)
    desk = trial.person("ani", "receptionist")
    desk("pay", number="P202601004", version=1, amount=1000)
    assert manager("period-report", first="2026-01-06", last="2026-01-06")["received"] == 1000


def test_sums_are_the_sums_of_the_days(trial: Trial) -> None:
    report = trial.person("joko", "manager")("period-report", first="2026-01-01", last="2026-01-31")
    for name in ("bookings", "nights", "cancellations", "received", "refunded"):
        assert report[name] == sum(row[name] for row in report["lines"])
    assert len(report["lines"]) == 31
    assert report["nights"] == 2 + 1 + 2 + 1 + 3


def test_the_calendar_shows_each_taken_night_once(trial: Trial) -> None:
    desk = trial.person("ani", "receptionist")
    shown = desk("calendar", first="2026-01-05", days=14)
    by_room = {room["room"]: room["nights"] for room in shown["rooms"]}
    assert [night["night"] for night in by_room["101"]] == ["2026-01-05", "2026-01-06"]
    assert {night["status"] for night in by_room["101"]} == {"staying"}
    assert by_room["102"] == []
    assert sum(len(nights) for nights in by_room.values()) == 9
    assert list(by_room) == sorted(by_room)


def test_a_bill_adds_up_and_has_three_copies(trial: Trial) -> None:
    for number in ("P201302002", "P202601002"):
        paper = document(trial, "bill", number)
        assert paper.copies == ("Guest", "Front office", "Accounting")
        assert sum(line.amount for line in paper.values.lines) == paper.values.booking.total
        assert all(line.count * line.price == line.amount for line in paper.values.lines)
        assert sum(one.amount for one in paper.values.payments) == paper.values.booking.paid


def test_slips_show_the_payment_and_the_cancellation(trial: Trial) -> None:
    desk = trial.person("ani", "receptionist")
    arrival = date.fromisoformat(desk("bookings.get", number="P202601003")["row"]["arrival"])
    assert arrival == NOW.date() + timedelta(days=1)
    refunded = desk("cancel", number="P202601003", version=1, reason="ill")
    slip = document(trial, "cancellation-slip", "P202601003").values
    assert (slip.cancellation.refund, slip.cancellation.reason) == (refunded["refund"], "ill")
    paid = document(trial, "settlement-slip", "T202601001").values
    assert paid.payment.at == NOW
    assert paid.payment.booking == paid.booking.number
