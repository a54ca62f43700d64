"""The shell around the services: who sees what, the palette, keys, jumping, themes, languages, quitting."""

from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from appliance.console.app import ConsoleApp
from appliance.console.door import Failure
from appliance.console.jump import JumpScreen
from appliance.console.key_ids import all_ids
from appliance.console.key_sheet import KeySheet
from appliance.console.keys import KEYS_FILE, read_keymap
from appliance.console.preferences import Preferences
from appliance.console.widgets.dialogs import ConfirmScreen
from compiler.errors import GerbangError
from tests.appliance.console.driving import Driven, open_screen, shown, typed, until
from tests.appliance.daemon.house import PASSWORD


async def function_keys_go_round(app: ConsoleApp, pilot: Pilot[Any]) -> None:
    await pilot.press("f3")
    await until(lambda: app.current_mode == "pool" and app.screen.opened == "vehicles")
    await pilot.press("f4")
    await until(lambda: app.screen.opened == "trips")
    await pilot.press("shift+f4")
    await until(lambda: app.screen.opened == "vehicles")
    await pilot.press("f2")
    await until(lambda: app.current_mode == "home")
    await pilot.press("shift+f3")
    await until(lambda: app.current_mode == "pool")
    await pilot.press("f6")
    await until(lambda: app.focused is not None and app.focused.id in {"above", "beside"})
    await pilot.press("right", "right", "enter")
    await until(lambda: app.screen.opened == "usage")


async def a_jump_letter_moves_the_focus(app: ConsoleApp, pilot: Pilot[Any]) -> None:
    pane = await open_screen(app, pilot, "pool", "vehicles")
    await until(lambda: app.focused is pane.grid.body)
    await pilot.press("ctrl+o")
    await until(lambda: isinstance(app.screen, JumpScreen))
    letter = next(one for one, target in app.screen._targets.items() if target.id == "services")
    await pilot.press(letter)
    await until(lambda: app.focused is not None and app.focused.id == "services")


async def quitting_with_something_typed_asks_first(app: ConsoleApp, pilot: Pilot[Any]) -> None:
    pane = await open_screen(app, pilot, "pool", "vehicles")
    await until(lambda: pane.grid.count >= 3)
    pane.grid.body.focus()
    await pilot.press("a")
    await until(lambda: isinstance(app.focused, Input))
    await typed(pilot, "Q1")
    await pilot.press("ctrl+q")
    await until(lambda: isinstance(app.screen, ConfirmScreen))
    await pilot.press("n")
    await until(lambda: not isinstance(app.screen, ConfirmScreen))
    assert app.screen.unsaved
    await pilot.press("ctrl+q")
    await until(lambda: isinstance(app.screen, ConfirmScreen))
    await pilot.press("y")
    await until(lambda: not app.is_running)


def test_a_clerk_goes_about(house: Driven, tmp_path: Path) -> None:
    (tmp_path / KEYS_FILE).write_text("console.palette: f7\n", encoding="utf-8")

    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        assert set(app._modes) - {"login"} == {"home", "pool"}
        # The remapped key; a screen of a service that was not opened is found.
        await pilot.press("f7")
        await until(lambda: isinstance(app.screen, CommandPalette))
        await typed(pilot, "pool usage")
        options = app.screen.query_one(OptionList)
        await until(lambda: options.option_count and "Usage" in str(options.get_option_at_index(0).prompt))
        await pilot.press("enter")
        await until(lambda: app.current_mode == "pool" and app.screen.opened == "usage")
        await open_screen(app, pilot, "pool", "vehicles")
        await pilot.press("f2")
        await function_keys_go_round(app, pilot)
        await a_jump_letter_moves_the_focus(app, pilot)
        await quitting_with_something_typed_asks_first(app, pilot)

    house.drive(tmp_path, "clerk", play)


def test_a_reader_sees_why_keys_are_off_and_keeps_theme_and_language(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= 3)
        await pilot.press("f1")
        await until(lambda: isinstance(app.screen, KeySheet))
        assert "adds one" in app.screen._help
        sheet = {one.identity: one for one in app.screen._keys}
        assert not sheet["master.add"].enabled
        assert "pool.vehicles.add" in sheet["master.add"].more
        assert sheet["grid.sort"].enabled
        await pilot.press("f1")
        await until(lambda: not isinstance(app.screen, KeySheet))
        # What has no room is dropped as a whole, and F1 says where it is.
        assert shown(app).splitlines()[-2].rstrip().endswith("F1 … more")
        await app.run_action("theme('gerbang-light')")
        await app.run_action("language('id')")
        await until(lambda: "layanan baik" in shown(app))

    house.drive(tmp_path, "reader", play)
    kept = Preferences.read(tmp_path)
    assert (kept.theme, kept.language, kept.name) == ("gerbang-light", "id", "reader")
    person = house.call("people.get", {"name": "reader"}, service="system")
    assert person["row"]["language"] == "id"


def test_one_s_own_sessions_are_listed_and_ended(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        assert set(app._modes) - {"login"} == {"home"}
        token = app.door.transport.token
        await app.door.login("nobody", PASSWORD)
        await open_screen(app, pilot, "home", "own")
        sessions = app.screen.query_one("#own-sessions", OptionList)
        await until(lambda: sessions.option_count == 2)
        first = sessions.get_option_at_index(1).id
        sessions.focus()
        await pilot.press("end", "delete")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: sessions.option_count == 1)
        assert sessions.get_option_at_index(0).id != first
        app.door.transport.token = token
        with pytest.raises(Failure) as ended:
            await app.door.me()
        assert ended.value.status == 401

    house.drive(tmp_path, "nobody", play)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("grid.sort: o\ngrid.soort: p\n", "keys.yaml:2:1: no action is called 'grid.soort'"),
        ("grid.sort: nokey\n", "keys.yaml:1:12: 'nokey' is no key"),
        ("- x\n", "keys.yaml:1:1: ids of actions"),
        ("grid.sort: [a]\n", "keys.yaml:1:12: a key is expected"),
        ("a: {\n", "keys.yaml:2:1: not YAML"),
    ],
)
def test_a_wrong_keys_file_is_refused_at_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / KEYS_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(GerbangError) as caught:
        read_keymap(tmp_path, all_ids())
    assert said in str(caught.value)
