"""The shell around the services: who sees what, the palette, keys, jumping, themes, languages, quitting."""

from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widgets import Input, OptionList

from appliance.console.app import ConsoleApp
from appliance.console.jump import JumpScreen
from appliance.console.key_ids import all_ids
from appliance.console.key_sheet import KeySheet
from appliance.console.keys import KEYS_FILE, read_keymap
from appliance.console.preferences import Preferences
from appliance.console.widgets.dialogs import ConfirmScreen
from compiler.errors import GerbangError
from tests.appliance.console.driving import Driven, open_screen, shown, typed, until


@pytest.mark.parametrize(
    ("person", "modes"),
    [("clerk", {"home", "pool"}), ("nobody", {"home"}), ("admin", {"home", "pool", "system"})],
)
def test_people_see_the_modes_of_their_roles_only(house: Driven, tmp_path: Path, person: str, modes: set[str]) -> None:
    async def play(app: ConsoleApp, _pilot: object) -> None:
        assert set(app._modes) - {"login"} == modes

    house.drive(tmp_path, person, play)


def test_function_keys_go_round_the_services_and_screens(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
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

    house.drive(tmp_path, "clerk", play)


def test_the_palette_finds_screens_of_services_that_were_not_opened(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
        await pilot.press("ctrl+p")
        await until(lambda: isinstance(app.screen, CommandPalette))
        await typed(pilot, "pool usage")
        options = app.screen.query_one(OptionList)
        await until(lambda: options.option_count and "Usage" in str(options.get_option_at_index(0).prompt))
        await pilot.press("enter")
        await until(lambda: app.current_mode == "pool" and app.screen.opened == "usage")

    house.drive(tmp_path, "clerk", play)


def test_the_key_sheet_shows_help_keys_their_names_and_why_some_are_off(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
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

    house.drive(tmp_path, "reader", play)


def test_a_jump_letter_moves_the_focus(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: app.focused is pane.grid.body)
        await pilot.press("ctrl+o")
        await until(lambda: isinstance(app.screen, JumpScreen))
        letter = next(one for one, target in app.screen._targets.items() if target.id == "services")
        await pilot.press(letter)
        await until(lambda: app.focused is not None and app.focused.id == "services")

    house.drive(tmp_path, "clerk", play)


def test_theme_and_language_change_at_once_and_are_kept(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
        await app.run_action("theme('gerbang-light')")
        await app.run_action("language('id')")
        await until(lambda: "layanan baik" in shown(app))

    house.drive(tmp_path, "reader", play)
    kept = Preferences.read(tmp_path)
    assert (kept.theme, kept.language, kept.name) == ("gerbang-light", "id", "reader")
    person = house.call("people.get", {"name": "reader"}, service="system")
    assert person["row"]["language"] == "id"


def test_remapped_keys_hold_and_faults_have_a_place(house: Driven, tmp_path: Path) -> None:
    (tmp_path / KEYS_FILE).write_text("console.palette: f7\n", encoding="utf-8")

    async def play(app: ConsoleApp, pilot) -> None:
        await pilot.press("f7")
        await until(lambda: isinstance(app.screen, CommandPalette))

    house.drive(tmp_path, "clerk", play)


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


def test_quitting_with_something_typed_asks_first(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= 3)
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

    house.drive(tmp_path, "clerk", play)
