"""The administrator's screens: settings with a second writer, a new password, ending a session."""

from pathlib import Path
from typing import Any

from textual.widgets import Input

from appliance.console.app import ConsoleApp
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.dialogs import ConfirmScreen
from tests.appliance.console.driving import Driven, open_screen, shown, typed, until


async def _grid(app: ConsoleApp, pilot: Any, screen: str, first: str) -> Any:
    """A screen of the system with the cursor on the row whose first column is this."""
    pane = await open_screen(app, pilot, "system", screen)
    await until(lambda: pane.grid.count and app.focused is pane.grid.body and pane.grid.row is not None)
    for _step in range(pane.grid.count):
        if pane.grid.row.values[0] == first:
            return pane
        await pilot.press("down")
        await pilot.pause()
    raise AssertionError(f"{first} is not listed")


def test_settings_are_kept_and_a_second_writer_is_told(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "system", "settings")
        await until(lambda: isinstance(app.focused, Input) and "30" in shown(app))
        await typed(pilot, "Hotel Melati")
        await until(lambda: pane.unsaved)
        await pilot.press("ctrl+s")
        # What is told goes after some seconds, and on a slow machine the form is filled anew after that.
        await until(lambda: "Saved." in shown(app))
        await until(lambda: not pane.form.dirty)
        kept = house.call("settings.get", {}, service="system")
        assert kept["row"]["organisation"] == "Hotel Melati"
        await until(lambda: pane.form.version == kept["version"])
        pane.form.query(Input).first().focus()
        await pilot.press("end", *" dua")
        house.call("settings.change", {"version": kept["version"], "row": {**kept["row"], "organisation": "Theirs"}},
                   person="budi", service="system")  # fmt: skip
        await pilot.press("ctrl+s")
        await until(lambda: "theirs: Theirs" in shown(app))
        app.screen.query_one("#form-mine").press()
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(lambda: not pane.form.dirty)

    house.drive(tmp_path, "admin", play, size=(110, 40))
    assert house.call("settings.get", {}, service="system")["row"]["organisation"] == "Hotel Melati dua"


def test_a_new_password_is_shown_once_and_a_session_is_ended(house: Driven, tmp_path: Path) -> None:
    house.house.token("nobody")

    async def play(app: ConsoleApp, pilot: Any) -> None:
        await _grid(app, pilot, "people", "reader")
        await pilot.press("p")
        await until(lambda: isinstance(app.screen, ConfirmScreen) and "for reader?" in shown(app))
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, ToldScreen) and "Password" in shown(app))
        await pilot.press("enter")
        pane = await _grid(app, pilot, "sessions", "nobody")
        count = pane.grid.count
        await pilot.press("d")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: pane.grid.count == count - 1)
        await open_screen(app, pilot, "system", "audit")
        await until(lambda: "sessions.end" in shown(app))

    house.drive(tmp_path, "admin", play, size=(120, 40))
