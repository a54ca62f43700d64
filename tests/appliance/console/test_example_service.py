"""The pattern: how little a service is, and that its screens work against the real daemon."""

import ast
from pathlib import Path

import pytest
from textual.widgets import Input

from appliance.console.app import ConsoleApp
from appliance.console.dialog import RecordDialog
from appliance.console.status import KeyLine
from appliance.contract.refusals import RuleBroken
from tests.appliance import example_service
from tests.appliance.console.driving import Driven, open_screen, shown, typed, until

FOLDER = Path(example_service.__file__).parent


def own_lines(file: Path) -> int:
    """Lines that are neither blank, nor a comment, nor a docstring."""
    text = file.read_text(encoding="utf-8")
    said: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            said |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    lines = enumerate(text.split("\n"), 1)
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") and number not in said
               for number, line in lines)  # fmt: skip


def test_a_service_with_a_table_a_form_and_a_report_has_under_150_lines() -> None:
    files = sorted(FOLDER.glob("*.py"))
    assert {file.stem for file in files} == {"__init__", "commands", "examples", "model", "screens", "tables"}
    assert 50 < sum(map(own_lines, files)) < 150


def test_an_action_begins_with_the_row_and_changes_it(house: Driven, tmp_path: Path) -> None:
    house.call("vehicles.add", {"plate": "AA-1", "name": "First", "seats": 2, "kilometres": 5})

    async def play(app: ConsoleApp, pilot) -> None:
        pane = await open_screen(app, pilot, "pool", "trips")
        await until(lambda: pane.grid.count >= 4 and app.focused is pane.grid.body)
        while pane.row_values()["plate"] != "AA-1":
            await pilot.press("down")
            await pilot.pause()
        await pilot.press("t")
        await until(lambda: isinstance(app.screen, RecordDialog) and isinstance(app.focused, Input))
        # The plate is the row's: what is wanted of the user is the rest.
        assert app.screen.form.rows["plate"].editor.query_one(Input).value == "AA-1"
        assert app.focused is app.screen.form.rows["kilometres"].editor.query_one(Input)
        await typed(pilot, "37")
        await pilot.press("ctrl+s")
        await until(lambda: not isinstance(app.screen, RecordDialog))

    house.drive(tmp_path, "clerk", play)
    assert house.call("vehicles.get", {"plate": "AA-1"})["row"]["kilometres"] == 42


def test_who_may_not_is_told_why(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
        pane = await open_screen(app, pilot, "pool", "trips")
        await until(lambda: pane.grid.count >= 3 and app.focused is pane.grid.body)
        await pilot.press("t")
        await until(lambda: "pool.drive" in shown(app))
        assert not isinstance(app.screen, RecordDialog)

    house.drive(tmp_path, "reader", play)


def test_what_a_row_does_not_allow_is_dim_and_says_why_in_the_words_of_the_command(
    house: Driven, tmp_path: Path
) -> None:
    house.call("vehicles.add", {"plate": "AA-0", "name": "Old", "seats": 2, "kilometres": 1_999_000})
    with pytest.raises(RuleBroken, match="AA-0 is worn out: it has driven 1999000 km"):
        house.call("drive", {"plate": "AA-0", "kilometres": 10})

    async def play(app: ConsoleApp, pilot) -> None:
        def works() -> bool:
            return next(one.enabled for one in app.screen.query_one(KeyLine).drawn if one.identity == "pool.drive")

        pane = await open_screen(app, pilot, "pool", "trips")
        await until(lambda: pane.grid.count >= 4 and app.focused is pane.grid.body)
        while pane.row_values()["plate"] != "AA-0":
            await pilot.press("down")
            await pilot.pause()
        await until(lambda: not works())
        await pilot.press("t")
        await until(lambda: "AA-0 is worn out" in shown(app))
        assert not isinstance(app.screen, RecordDialog)
        await pilot.press("down")
        await until(works)

    try:
        house.drive(tmp_path, "clerk", play)
    finally:
        house.call("vehicles.remove", {"plate": "AA-0", "version": 1})


def test_a_report_is_made_added_up_drawn_and_exported(house: Driven, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("platformdirs.user_downloads_path", lambda: tmp_path / "downloads")

    async def play(app: ConsoleApp, pilot) -> None:
        pane = await open_screen(app, pilot, "pool", "usage")
        assert pane.why_not("export")
        await until(lambda: pane.form.rows and isinstance(app.focused, Input))
        await pilot.press("ctrl+s")
        await until(lambda: "diesel" in shown(app) and "81,000" in shown(app))
        assert not pane.why_not("export")
        assert pane.why_not("print")
        await pilot.press("v")
        await until(lambda: pane.has_class("-plot"))
        await pilot.press("v", "x")
        await until(lambda: "Export as" in shown(app))
        await pilot.press("enter")
        await until((tmp_path / "downloads" / "usage.xlsx").exists)

    house.drive(tmp_path, "reader", play, size=(140, 45))
