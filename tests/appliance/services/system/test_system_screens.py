"""The administrator's screens by keys: a one-time password, the verdict on the audit log, a backup and its return."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from appliance.console.app import ConsoleApp
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.dialogs import AskScreen, ChooseScreen, ConfirmScreen
from tests.appliance.console.driving import Driven, open_screen, shown, speak, typed, until


def test_a_new_password_is_shown_once_and_the_log_is_verified(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
        pane = await open_screen(app, pilot, "system", "people")
        await until(lambda: pane.grid.count == 2 and app.focused is pane.grid.body)
        await pilot.press("end", "p")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, ToldScreen) and "watcher" in shown(app))
        await pilot.press("enter")

        await open_screen(app, pilot, "system", "audit")
        await until(lambda: "people.reset-password" in shown(app))
        await pilot.press("v")
        await until(lambda: isinstance(app.screen, ToldScreen) and "lines are intact" in shown(app))

    house.drive(tmp_path, "admin", play)


def test_the_log_and_the_services_are_in_the_words_of_the_reader(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
        await speak(app, "id")
        await until(lambda: app.current_mode == "home" and "siap" in shown(app))
        pane = await open_screen(app, pilot, "system", "audit")
        await until(lambda: pane.grid.count > 0 and "selesai" in shown(app))
        await speak(app, "en")
        await until(lambda: app.screen.pane is not None and "done" in shown(app))

    house.drive(tmp_path, "admin", play, size=(120, 30))


def test_a_backup_is_made_and_brings_back_what_was_removed(house: Driven, tmp_path: Path) -> None:
    house.call("interfaces.add", {"name": "eth9"}, service="network")
    office = {"name": "office", "network": "10.9.0.0/24", "interface": "eth9"}
    house.call("management.add", office, service="network")

    async def play(app: ConsoleApp, pilot) -> None:
        pane = await open_screen(app, pilot, "system", "backups")
        await pilot.press("b")
        await until(lambda: isinstance(app.screen, ChooseScreen))
        await pilot.press("enter")
        # The row comes by an event, before the screen of the work has gone.
        await until(lambda: len(pane.rows) == 1 and pane.grid.row is not None and app.screen is pane.screen)
        house.call("management.remove", {"name": "office", "version": 1}, service="network")
        await pilot.press("t")
        await until(lambda: isinstance(app.screen, ChooseScreen))
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, AskScreen) and isinstance(app.focused, Input))
        await typed(pilot, "restore")
        await pilot.press("enter")
        await until(lambda: len(pane.rows) == 2)

    house.drive(tmp_path, "admin", play)
    kept = house.call("management.get", {"name": "office"}, service="network")
    assert kept["row"]["network"] == "10.9.0.0/24"
