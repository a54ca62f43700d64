"""The desk at work: booking, paying, receiving, letting go, cancelling."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.contract.refusals import Conflict, InUse, NotAllowed, NotFound, RuleBroken
from appliance.daemon.running import InvalidArguments
from appliance.services.hotel import service
from appliance.testing import Trial

MONDAY = datetime(2026, 1, 5, 9, 30, tzinfo=ZoneInfo("Asia/Jakarta"))


@pytest.fixture
def trial() -> Iterator[Trial]:
    trial = Trial(service, now=MONDAY)
    keeper = trial.person("wati", "administrator")
    for code in ("101", "102"):
        keeper(
            "rooms.add",
            code=code,
            name=f"Room {code}",
            type="standard",
            capacity=2,
            weekday_rate=300_000,
            weekend_rate=400_000,
        )
    keeper("packages.add", code="HIKE", name="Guided climb", price=200_000)
    keeper("guests.add", identity="3275", name="Rahmat [bold]Hidayat[/x]")
    keeper("staff.add", number="S1", name="Ani Wulandari", sex="female", position="Receptionist", account="ani")
    yield trial
    trial.close()


@pytest.fixture
def desk(trial: Trial) -> Any:
    return trial.person("ani", "receptionist")


def booking(**changes: Any) -> dict[str, Any]:
    return {
        "arrival": "2026-01-07",
        "departure": "2026-01-10",
        "rooms": [{"room": "101", "extra_beds": 1}],
        "guest": "3275",
        "paid": 1_000_000,
        **changes,
    }


def test_a_booking_is_priced_night_by_night(trial: Trial, desk: Any) -> None:
    # Wednesday and Thursday at 300,000, Friday at 400,000, three nights of a bed at 150,000, a package.
    kept = desk("book", **booking(package="HIKE"))
    assert kept["row"]["number"] == "P202601001"
    assert kept["row"]["total"] == 2 * 300_000 + 400_000 + 3 * 150_000 + 200_000
    assert kept["row"]["balance"] == kept["row"]["total"] - 1_000_000
    assert kept["row"]["status"] == "booked"
    assert kept["row"]["staff"] == "Ani Wulandari"
    assert [event.subject for event in trial.events[-2:]] == ["payments/T202601001", "bookings/P202601001"]


def test_numbers_count_within_the_month(trial: Trial, desk: Any) -> None:
    assert desk("book", **booking())["row"]["number"] == "P202601001"
    assert desk("book", **booking(rooms=[{"room": "102"}]))["row"]["number"] == "P202601002"
    trial.later(days=27)
    later = booking(arrival="2026-02-02", departure="2026-02-03", paid=450_000)
    assert desk("book", **later)["row"]["number"] == "P202602001"


def test_a_room_is_not_booked_twice(desk: Any) -> None:
    desk("book", **booking())
    with pytest.raises(RuleBroken, match="room 101 is taken on 2026-01-09 by booking P202601001"):
        desk("book", **booking(arrival="2026-01-09", departure="2026-01-11"))
    # The day of departure is free for the next guest.
    assert (
        desk("book", **booking(arrival="2026-01-10", departure="2026-01-11", paid=550_000))["row"]["status"] == "booked"
    )


def test_half_is_paid_at_least_and_no_more_than_all(desk: Any) -> None:
    total = 2 * 300_000 + 400_000 + 3 * 150_000
    with pytest.raises(RuleBroken, match=f"at least {total // 2} of {total}"):
        desk("book", **booking(paid=total // 2 - 1))
    with pytest.raises(RuleBroken, match=f"the whole costs {total}"):
        desk("book", **booking(paid=total + 1))
    assert desk("book", **booking(paid=total // 2))["row"]["balance"] == total // 2


def test_what_is_refused_leaves_nothing_behind(trial: Trial, desk: Any) -> None:
    with pytest.raises(RuleBroken):
        desk("book", **booking(paid=1))
    assert desk("free", first="2026-01-07", last="2026-01-10")["rooms"][0]["code"] == "101"
    assert desk("book", **booking())["row"]["number"] == "P202601001"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"departure": "2026-01-07"}, "departure"),
        ({"departure": "2027-01-08"}, "departure"),
        ({"rooms": [{"room": "101"}, {"room": "101"}]}, "rooms"),
        ({"rooms": []}, "rooms"),
        ({"paid": "1000000"}, "paid"),
        ({"paid": -1}, "paid"),
        ({"nights": 3}, "nights"),
        ({"arrival": "tomorrow"}, "arrival"),
    ],
)
def test_ill_formed_bookings_are_refused_by_field(desk: Any, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        desk("book", **booking(**changes))
    assert [problem.field for problem in refused.value.problems] == [field]


def test_strangers_and_the_past_are_refused(desk: Any) -> None:
    with pytest.raises(RuleBroken, match="there is no 999 among rooms"):
        desk("book", **booking(rooms=[{"room": "999"}]))
    with pytest.raises(RuleBroken, match="there is no 42 among guests"):
        desk("book", **booking(guest="42"))
    with pytest.raises(NotFound, match="package NONE"):
        desk("book", **booking(package="NONE"))
    with pytest.raises(RuleBroken, match="the arrival lies in the past"):
        desk("book", **booking(arrival="2026-01-04"))


def test_a_stay_from_arrival_to_departure(trial: Trial, desk: Any) -> None:
    number = desk("book", **booking())["row"]["number"]
    with pytest.raises(RuleBroken, match="is from 2026-01-07 to 2026-01-10"):
        desk("check-in", number=number, version=1)
    trial.later(days=2)
    assert desk("check-in", number=number, version=1)["row"]["status"] == "staying"
    with pytest.raises(RuleBroken, match="450000 rupiah are still to be paid"):
        desk("check-out", number=number, version=2)
    with pytest.raises(RuleBroken, match="450000 rupiah are still to be paid"):
        desk("pay", number=number, version=2, amount=450_001)
    assert desk("pay", number=number, version=2, amount=450_000)["row"]["balance"] == 0
    trial.later(days=2)
    assert desk("check-out", number=number, version=3)["row"]["status"] == "left"
    # The guest left a night early: it can be sold again.
    assert {room["code"] for room in desk("free", first="2026-01-09", last="2026-01-10")["rooms"]} == {"101", "102"}
    with pytest.raises(RuleBroken, match=f"booking {number}: the guest has left"):
        desk("cancel", number=number, version=4, reason="too late")


def test_cancelling_before_the_arrival_gives_the_money_back_less_the_fee(trial: Trial, desk: Any) -> None:
    keeper = trial.person("wati", "administrator")
    keeper("settings.change", version=0, row={"cancellation_fee": 10})
    number = desk("book", **booking())["row"]["number"]
    refunded = desk("cancel", number=number, version=1, reason="ill")
    assert (refunded["fee"], refunded["refund"]) == (100_000, 900_000)
    assert len(desk("free", first="2026-01-07", last="2026-01-10")["rooms"]) == 2
    assert desk("bookings.get", number=number)["row"]["status"] == "cancelled"
    with pytest.raises(RuleBroken, match="is cancelled"):
        desk("pay", number=number, version=2, amount=1)


def test_cancelling_on_the_day_of_arrival_gives_nothing_back(trial: Trial, desk: Any) -> None:
    number = desk("book", **booking())["row"]["number"]
    trial.later(days=2)
    assert desk("cancel", number=number, version=1, reason="did not come") == {
        "number": "C202601001",
        "fee": 1_000_000,
        "refund": 0,
    }


def test_a_stay_is_changed_and_priced_anew(desk: Any) -> None:
    kept = desk("book", **booking())
    number = kept["row"]["number"]
    changed = desk(
        "change-stay",
        number=number,
        version=1,
        arrival="2026-01-08",
        departure="2026-01-12",
        rooms=[{"room": "102"}],
        note="moved",
    )
    assert changed["row"]["total"] == 2 * 300_000 + 2 * 400_000
    assert changed["rooms"] == [{"room": "102", "extra_beds": 0}]
    assert changed["row"]["nights"] == 4
    assert [room["code"] for room in desk("free", first="2026-01-07", last="2026-01-12")["rooms"]] == ["101"]
    with pytest.raises(RuleBroken, match="1000000 rupiah are paid already"):
        desk(
            "change-stay",
            number=number,
            version=2,
            arrival="2026-01-08",
            departure="2026-01-09",
            rooms=[{"room": "102"}],
        )


def test_the_second_writer_is_told_who_was_first(trial: Trial, desk: Any) -> None:
    number = desk("book", **booking())["row"]["number"]
    desk("pay", number=number, version=1, amount=100_000)
    other = trial.person("budi", "receptionist")
    with pytest.raises(Conflict, match=f"booking {number} was changed by ani at 2026-01-05T09:30:00"):
        other("cancel", number=number, version=1, reason="guest called")


def test_roles_hold(trial: Trial, desk: Any) -> None:
    manager = trial.person("joko", "manager")
    for call in (
        lambda: manager("book", **booking()),
        lambda: desk("rooms.remove", code="101", version=1),
        lambda: desk("staff.get", number="S1"),
        lambda: trial.person("stranger")("period-report", first="2026-01-01", last="2026-01-31"),
        lambda: trial.person("")("rooms.get", code="101"),
    ):
        with pytest.raises(NotAllowed):
            call()
    assert manager("period-report", first="2026-01-01", last="2026-01-31")["bookings"] == 0


def test_what_others_refer_to_stays(trial: Trial, desk: Any) -> None:
    keeper = trial.person("wati", "administrator")
    number = desk("book", **booking())["row"]["number"]
    desk("cancel", number=number, version=1, reason="ill")
    with pytest.raises(InUse, match="room 101 is used by 1 booked rooms"):
        keeper("rooms.remove", code="101", version=1)
    with pytest.raises(InUse, match="guest 3275 is used by 1 bookings"):
        keeper("guests.remove", identity="3275", version=1)
    keeper("rooms.remove", code="102", version=1)


def test_a_closed_room_is_not_sold(trial: Trial, desk: Any) -> None:
    keeper = trial.person("wati", "administrator")
    row = keeper("rooms.get", code="101")["row"]
    keeper("rooms.change", code="101", version=1, row={**row, "status": "closed"})
    with pytest.raises(RuleBroken, match="room 101 is closed"):
        desk("book", **booking())
    assert [room["code"] for room in desk("free", first="2026-01-07", last="2026-01-08")["rooms"]] == ["102"]
