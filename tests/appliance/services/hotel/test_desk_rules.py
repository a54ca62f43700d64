"""What the desk is not offered: the keys of a booking by how it stands, and that the daemon says the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from appliance.console.app import ConsoleApp
from appliance.console.dialog import RecordDialog
from appliance.console.keys import all_keys
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.console.words import Reader
from appliance.contract.refusals import RuleBroken
from appliance.language import translator
from appliance.services.hotel import examples, service
from appliance.services.hotel.screens import ON_A_BOOKING
from appliance.services.system import service as system
from tests.appliance.console.driving import Driven, open_screen, shown, until
from tests.appliance.daemon.house import ROOT, House

FITTING = {
    ("booked", 100): {"change-stay", "check-in", "pay", "cancel", "bill"},
    ("booked", 0): {"change-stay", "check-in", "cancel", "bill"},
    ("staying", 100): {"change-stay", "pay", "bill"},
    ("staying", 0): {"change-stay", "check-out", "bill"},
    ("left", 0): {"bill"},
    ("cancelled", 0): {"bill"},
}
"""By status and balance: what the desk can do."""


@pytest.mark.parametrize(("status", "balance"), FITTING)
def test_only_what_fits_the_booking_is_offered(status: str, balance: int) -> None:
    row = {"number": "P1", "status": status, "balance": balance}
    reasons = {one.command: one.why_not(Reader(), row) for one in ON_A_BOOKING}
    assert {command for command, reason in reasons.items() if not reason} == FITTING[status, balance]
    indonesian = Reader(translator("id"), "id")
    for one in ON_A_BOOKING:
        assert not one.why_not(indonesian, row) or one.why_not(indonesian, row) != reasons[one.command]


@pytest.fixture(scope="module")
def hotel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    folder: Path = tmp_path_factory.mktemp("hotel")
    made = House(folder, services=(system, service))
    made.add("ani", "hotel.receptionist")
    with made.parts.runner.changing(ROOT, "hotel", "examples", {}) as context:
        examples.load(context)
    with made.live(folder) as socket:
        yield Driven(made, socket, (system, service))


def _call(hotel: Driven, command: str, **arguments: Any) -> Any:
    return hotel.call(command, arguments, service="hotel")


def _bookings(hotel: Driven) -> dict[str, dict[str, Any]]:
    """By number, one in each state that there is."""
    numbers = [f"P202603{number:03}" for number in range(1, 6)]
    return {number: _call(hotel, "bookings.get", number=number) for number in numbers}


def test_the_daemon_refuses_what_the_keys_do_not_offer(hotel: Driven) -> None:
    booked = next(one for one in _bookings(hotel).values() if one["row"]["status"] == "booked")
    seen = {"number": booked["row"]["number"], "version": booked["version"]}
    with pytest.raises(RuleBroken, match="the guest has not arrived yet"):
        _call(hotel, "check-out", **seen)
    _call(hotel, "pay", **seen, amount=booked["row"]["balance"])
    seen["version"] += 1
    with pytest.raises(RuleBroken, match="is paid in full"):
        _call(hotel, "pay", **seen, amount=1)
    _call(hotel, "cancel", **seen, reason="the guest called")
    seen["version"] += 1
    for command, more in (("check-in", {}), ("pay", {"amount": 1}), ("check-out", {}), ("cancel", {"reason": "r"})):
        with pytest.raises(RuleBroken, match=f"booking {seen['number']} is cancelled"):
            _call(hotel, command, **seen, **more)


def _off(app: ConsoleApp) -> set[str]:
    """Identities of the keys of the screen that do not work now."""
    return {one.identity for one in all_keys(app.screen) if not one.enabled}


def test_in_the_list_the_keys_follow_the_row(hotel: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "hotel", "bookings")
        await until(lambda: pane.grid.count >= 5 and app.focused is pane.grid.body)

        async def go(status: str) -> None:
            await pilot.press("home")
            for _row in range(pane.grid.count):
                await pilot.pause()
                if pane.row_values()["status"] == status:
                    return
                await pilot.press("down")
            raise AssertionError(status)

        await go("cancelled")
        everything = {"hotel.change-stay", "hotel.check-in", "hotel.pay", "hotel.check-out", "hotel.cancel"}
        assert everything <= _off(app)
        await pilot.press("i")
        await until(lambda: "is cancelled" in shown(app))
        await pilot.press("y")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmScreen | RecordDialog)
        assert "hotel.bill" not in _off(app)
        await go("staying")
        assert {"hotel.check-in", "hotel.cancel"} <= _off(app)
        assert "hotel.change-stay" not in _off(app)

    hotel.drive(tmp_path, "ani", play, size=(140, 30))


def test_in_the_calendar_the_keys_follow_the_booking_under_the_cursor(hotel: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "hotel", "calendar")
        await until(lambda: pane.grid.lines and pane.grid.bar is not None)
        pane.grid.focus()
        # Who comes in at the desk stands on today, where the first guest stays and has not paid all.
        assert pane.grid.bar.status == "staying"
        assert pane.grid.bar.balance > 0
        await until(lambda: {"hotel.check-in", "hotel.check-out", "hotel.cancel"} <= _off(app))
        await pilot.press("o")
        await until(lambda: "rupiah are still to be paid" in shown(app))
        assert not isinstance(app.screen, ConfirmScreen)
        kept = _call(hotel, "bookings.get", number=pane.grid.booking)
        _call(hotel, "pay", number=pane.grid.booking, version=kept["version"], amount=kept["row"]["balance"])
        # Somebody else took the money: the keys know as soon as the bar does.
        await until(lambda: "hotel.check-out" not in _off(app) and "hotel.pay" in _off(app))

    hotel.drive(tmp_path, "ani", play, size=(140, 30))
