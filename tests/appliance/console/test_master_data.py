"""Master data by keys against the real daemon: add, change, remove, conflict, and what roles do not allow."""

from pathlib import Path

import pytest
from textual.widgets import Input

from appliance.console.app import ConsoleApp
from appliance.console.dialog import LookScreen, RecordDialog
from appliance.console.widgets.dialogs import ConfirmScreen
from tests.appliance.console.driving import Driven, open_screen, shown, typed, until


def vehicle(plate: str, **more: object) -> dict[str, object]:
    return {"plate": plate, "name": f"Car {plate}", "fuel": "petrol", "seats": 4, **more}


async def _at(app: ConsoleApp, pilot, plate: str):
    """The screen of vehicles with the cursor on this one."""
    pane = await open_screen(app, pilot, "pool", "vehicles")
    await until(lambda: pane.grid.count >= 3 and app.focused is pane.grid.body)
    await pilot.press("g")
    for _step in range(pane.grid.count):
        if pane.grid.row is not None and pane.key_of(pane.grid.row) == plate:
            return pane
        await pilot.press("down")
    raise AssertionError(f"{plate} is not listed")


async def adding_checks_what_is_typed_and_the_grid_shows_it(app: ConsoleApp, pilot) -> None:
    pane = await open_screen(app, pilot, "pool", "vehicles")
    await until(lambda: pane.grid.count >= 3 and app.focused is pane.grid.body)
    before = pane.grid.count
    await pilot.press("a")
    await until(lambda: isinstance(app.screen, RecordDialog) and isinstance(app.focused, Input))
    await typed(pilot, "B7")
    await pilot.press("tab", *"Twin", "tab", "tab", *"4", "ctrl+s")
    await until(lambda: "there is a vehicle B7 already" in shown(app))
    app.screen.query(Input).first().value = "ADD-1"
    await pilot.press("ctrl+s")
    await until(lambda: not isinstance(app.screen, RecordDialog) and pane.grid.count == before + 1)


async def changing_and_removing_by_keys(app: ConsoleApp, pilot) -> None:
    pane = await _at(app, pilot, "CH-1")
    await pilot.press("e")
    await until(lambda: isinstance(app.screen, RecordDialog) and isinstance(app.focused, Input))
    await pilot.press("tab", "end", *" two", "ctrl+s")
    await until(lambda: not isinstance(app.screen, RecordDialog) and "Car CH-1 two" in shown(app))
    await pilot.press("delete")
    await until(lambda: isinstance(app.screen, ConfirmScreen))
    count = pane.grid.count
    await pilot.press("y")
    await until(lambda: pane.grid.count == count - 1)


def test_a_clerk_adds_changes_removes_and_exports(
    house: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_downloads_path", lambda: tmp_path / "downloads")
    house.call("vehicles.add", vehicle("CH-1"))

    async def play(app: ConsoleApp, pilot) -> None:
        await adding_checks_what_is_typed_and_the_grid_shows_it(app, pilot)
        await changing_and_removing_by_keys(app, pilot)
        # The grid follows what others do.
        pane = await _at(app, pilot, "B7")
        await until(lambda: app.state.connected)
        count = pane.grid.count
        house.call("vehicles.add", vehicle("EV-1"), person="budi")
        await until(lambda: pane.grid.count == count + 1)
        await pilot.press("x")
        await until(lambda: "Export as" in shown(app))
        await pilot.press("down", "enter")
        await until(lambda: list((tmp_path / "downloads").glob("*.csv")))

    house.drive(tmp_path, "clerk", play)
    kept = house.call("vehicles.get", {"plate": "ADD-1"})
    assert (kept["row"]["name"], kept["row"]["seats"], kept["changed_by"]) == ("Twin", 4, "clerk")
    with pytest.raises(Exception, match="there is no vehicle CH-1"):
        house.call("vehicles.get", {"plate": "CH-1"})
    text = (tmp_path / "downloads" / "vehicles.csv").read_text(encoding="utf-8-sig")
    assert "Ambulance" in text
    assert text.count("\n") >= 4


async def a_second_writer_is_told_and_keeps_his_entries(house: Driven, app: ConsoleApp, pilot) -> None:
    await _at(app, pilot, "CO-1")
    await pilot.press("e")
    await until(lambda: isinstance(app.screen, RecordDialog) and isinstance(app.focused, Input))
    changed = {"plate": "CO-1", "version": 1, "row": vehicle("CO-1", seats=9)}
    house.call("vehicles.change", changed, person="budi")
    await pilot.press("tab", "end", *" mine", "ctrl+s")
    await until(lambda: "budi has changed this at" in shown(app) and "Seats" in shown(app))
    await pilot.press("ctrl+s")
    await until(lambda: not isinstance(app.screen, RecordDialog))


async def where_both_changed_a_field_the_user_chooses(house: Driven, app: ConsoleApp, pilot) -> None:
    await _at(app, pilot, "CO-2")
    await pilot.press("e")
    await until(lambda: isinstance(app.screen, RecordDialog) and isinstance(app.focused, Input))
    changed = {"plate": "CO-2", "version": 1, "row": vehicle("CO-2", name="Theirs", seats=7)}
    house.call("vehicles.change", changed, person="budi")
    await pilot.press("tab", "end", *" mine", "ctrl+s")
    await until(lambda: "theirs: Theirs" in shown(app))
    app.screen.query_one("#form-mine").press()
    await pilot.pause()
    await pilot.press("ctrl+s")
    await until(lambda: not isinstance(app.screen, RecordDialog))


def test_two_writers(house: Driven, tmp_path: Path) -> None:
    for plate in ("CO-1", "CO-2"):
        house.call("vehicles.add", vehicle(plate))

    async def play(app: ConsoleApp, pilot) -> None:
        await a_second_writer_is_told_and_keeps_his_entries(house, app, pilot)
        await where_both_changed_a_field_the_user_chooses(house, app, pilot)

    house.drive(tmp_path, "clerk", play)
    rows = [house.call("vehicles.get", {"plate": plate})["row"] for plate in ("CO-1", "CO-2")]
    assert [(row["name"], row["seats"]) for row in rows] == [("Car CO-1 mine", 9), ("Car CO-2 mine", 7)]


def test_who_may_only_look_is_told_why_and_sees_the_record(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
        await _at(app, pilot, "B7")
        await pilot.press("a")
        await until(lambda: "Your roles do not" in shown(app) and "pool.vehicles.add" in shown(app))
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, LookScreen) and "Ambulance" in shown(app))

    house.drive(tmp_path, "reader", play)
