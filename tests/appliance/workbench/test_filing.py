"""Files: opened, saved whole, never over what somebody else wrote."""

from __future__ import annotations

import os
import stat

import pytest
from textual.widgets import Input

from appliance.workbench.app import run_workbench
from appliance.workbench.files import ChangedOnDisk, is_within, open_file, save_file
from appliance.workbench.recent import recent_files, remember
from compiler.errors import UsageError
from tests.appliance.workbench.driving import drive, until, workbench
from tests.appliance.workbench.sources import BOUND


def test_saving_keeps_rights_line_ends_and_links(tmp_path):
    file, link = tmp_path / "a.cfg", tmp_path / "link.cfg"
    file.write_bytes(b"hostname a\r\nend\r\n")
    file.chmod(0o604)
    link.symlink_to(file)
    opened = open_file(link)
    assert opened.text == "hostname a\nend\n"
    save_file(opened, "hostname b\nend\n")
    assert file.read_bytes() == b"hostname b\r\nend\r\n"
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["a.cfg", "link.cfg"]


@pytest.mark.parametrize("change", ["written", "removed"])
def test_a_file_that_somebody_changed_is_not_written(tmp_path, change):
    file = tmp_path / "a.cfg"
    file.write_text("one\n")
    opened = open_file(file)
    if change == "written":
        file.write_text("other\n")
    else:
        file.unlink()
    with pytest.raises(ChangedOnDisk):
        save_file(opened, "mine\n")
    assert not file.exists() or file.read_text() == "other\n"
    save_file(opened, "mine\n", overwrite=True)
    assert file.read_text() == "mine\n"


def test_a_file_that_fails_to_be_written_is_as_before(tmp_path, monkeypatch):
    file = tmp_path / "a.cfg"
    file.write_text("one\n")
    opened = open_file(file)

    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(UsageError, match="No space left"):
        save_file(opened, "mine\n")
    assert file.read_text() == "one\n"
    assert [one.name for one in tmp_path.iterdir()] == ["a.cfg"]


def test_what_is_no_text_is_said(tmp_path):
    (tmp_path / "binary").write_bytes(b"a\0b")
    for name in ("missing", "binary", ""):
        with pytest.raises(UsageError):
            open_file(tmp_path / name)


def test_a_file_that_is_not_there_ends_before_the_screen(tmp_path):
    with pytest.raises(UsageError) as raised:
        run_workbench([str(tmp_path / "missing.cfg")])
    assert raised.value.exit_code == 2
    with pytest.raises(UsageError):
        run_workbench([], folder=str(tmp_path / "missing"))


def test_the_folder_is_a_limit_for_links_too(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret").write_text("x")
    (inner / "out").symlink_to(tmp_path)
    assert is_within(inner / "a", inner)
    assert not is_within(inner / "out" / "secret", inner)
    assert not is_within(inner / ".." / "secret", inner)


def test_recent_files_are_the_latest_first(tmp_path):
    state = tmp_path / "state" / "recent.json"
    for name in ("a", "b", "a"):
        (tmp_path / name).write_text(name)
        remember(state, tmp_path / name)
    assert [path.name for path in recent_files(state)] == ["a", "b"]
    (tmp_path / "b").unlink()
    assert [path.name for path in recent_files(state)] == ["a"]
    state.write_text("[")
    assert recent_files(state) == ()


def test_keys_save_and_ask_before_overwriting(tmp_path):
    file = tmp_path / "edge.cfg"
    file.write_text(BOUND)

    async def scenario():
        async with workbench(tmp_path, "edge.cfg") as (screen, pilot):
            await pilot.press("x", "ctrl+s")
            await until(pilot, lambda: not screen.here.is_changed)
            assert file.read_text() == f"x{BOUND}"
            file.write_text("somebody else\n")
            await pilot.press("y", "ctrl+s")
            await until(pilot, lambda: len(screen.app.screen_stack) == 3)
            await pilot.press("escape")
            await pilot.pause()
            assert file.read_text() == "somebody else\n"
            await pilot.press("ctrl+s")
            await until(pilot, lambda: len(screen.app.screen_stack) == 3)
            await pilot.click("#answer-overwrite")
            await until(pilot, lambda: not screen.here.is_changed)
            assert file.read_text() == f"xy{BOUND}"

    drive(scenario)


@pytest.mark.long
def test_closing_and_leaving_ask_about_what_is_not_saved(tmp_path):
    (tmp_path / "edge.cfg").write_text(BOUND)

    async def scenario():
        async with workbench(tmp_path, "edge.cfg") as (screen, pilot):
            await pilot.press("x", "ctrl+w")
            await until(pilot, lambda: len(screen.app.screen_stack) == 3)
            await pilot.press("escape")
            await pilot.pause()
            assert len(screen.texts) == 1
            await pilot.press("ctrl+q")
            await until(pilot, lambda: len(screen.app.screen_stack) == 3)
            await pilot.press("escape")
            await pilot.pause()
            assert screen.app.is_running
            await pilot.press("ctrl+w")
            await until(pilot, lambda: len(screen.app.screen_stack) == 3)
            await pilot.click("#answer-drop")
            await until(pilot, lambda: not screen.texts)
            assert (tmp_path / "edge.cfg").read_text() == BOUND

    drive(scenario)


@pytest.mark.long
def test_opening_by_name_stays_within_the_folder(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.cfg").write_text(BOUND)
    (inner / "edge.cfg").write_text(BOUND)

    async def scenario():
        async with workbench(inner, is_limited=True) as (screen, pilot):
            for name in ("../secret.cfg", str(tmp_path / "secret.cfg"), "missing.cfg"):
                await pilot.press("ctrl+o")
                await until(pilot, lambda: len(screen.app.screen_stack) == 3)
                screen.app.screen.query_one(Input).value = name
                screen.app.screen.query_one(Input).focus()
                await pilot.press("enter")
                await until(pilot, lambda: len(screen.app.screen_stack) == 2)
                assert screen.texts == ()
            await pilot.press("ctrl+o")
            await until(pilot, lambda: len(screen.app.screen_stack) == 3)
            screen.app.screen.query_one(Input).value = "edge.cfg"
            screen.app.screen.query_one(Input).focus()
            await pilot.press("enter")
            await until(pilot, lambda: len(screen.texts) == 1)

    drive(scenario)


@pytest.mark.long
def test_find_and_go_to_a_line(tmp_path):
    (tmp_path / "edge.cfg").write_text(BOUND)

    async def scenario():
        async with workbench(tmp_path, "edge.cfg") as (screen, pilot):
            await pilot.press("ctrl+f", *"access-list")
            await pilot.pause()
            editor = screen.here.editor
            assert editor.selected_text == "access-list"
            first = editor.selection
            await pilot.press("enter")
            assert editor.selection != first
            await pilot.press("enter")
            assert editor.selection == first
            await pilot.press("escape", "ctrl+g")
            await until(pilot, lambda: len(screen.app.screen_stack) == 3)
            await pilot.press("8", "enter")
            await until(pilot, lambda: len(screen.app.screen_stack) == 2)
            assert editor.cursor_location[0] == 7

    drive(scenario)
