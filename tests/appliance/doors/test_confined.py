"""The workbench behind a door: nothing but the folder of its own is read or written, by whatever name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from appliance.services.network.workbench_pane import is_behind_a_door
from appliance.workbench.checking import check_text
from appliance.workbench.files import path_said
from appliance.workbench.lanes import ProcessLane
from appliance.workbench.running import Chosen, run_lab
from tests.appliance.workbench.driving import until, workbench

SECRET = "hostname TOP-SECRET\n"
NAMES = ("../secret.cfg", "{outside}/secret.cfg", "link.cfg", "away/secret.cfg", "~root/secret.cfg", "~nobody-here/x")


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A person's folder, with what somebody might have put there, and a secret beside it."""
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret.cfg").write_text(SECRET)
    (folder / "link.cfg").symlink_to(tmp_path / "secret.cfg")
    (folder / "away").symlink_to(tmp_path)
    (folder / "loop.cfg").symlink_to(folder / "loop.cfg")
    return folder


def test_it_is_limited_in_the_web_and_by_the_forced_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GERBANG_LIMITED", raising=False)
    assert is_behind_a_door(web=True)
    assert not is_behind_a_door(web=False)
    monkeypatch.setenv("GERBANG_LIMITED", "1")
    assert is_behind_a_door(web=False)


def test_no_name_opens_or_writes_what_is_outside(inside: Path) -> None:
    async def play() -> None:
        async with workbench(inside, is_limited=True) as (screen, pilot):
            await pilot.press("ctrl+o")
            await until(pilot, lambda: len(screen.app.screen_stack) == 3)
            screen.app.screen.query_one(Input).value = "~nobody-here/x"
            screen.app.screen.query_one(Input).focus()
            await pilot.press("enter")
            await until(pilot, lambda: len(screen.app.screen_stack) == 2)
            assert screen.texts == ()
            for name in names:
                assert screen.open_path(path_said(name, inside)) is None, name
            text = screen.add_text("new.cfg", "mine\n")
            await until(pilot, lambda: screen.here is text)
            for name in (*names, *(one.replace("secret", "new") for one in names)):
                # It answers at once: not even a question about what is there.
                assert not await screen._save_as(text, path_said(name, inside)), name
            assert await screen._save_as(text, path_said("new.cfg", inside))

    names = [*(one.format(outside=inside.parent) for one in NAMES), "loop.cfg", "a\0b"]
    before = sorted(one.name for one in inside.parent.iterdir())
    asyncio.run(play())
    assert (inside.parent / "secret.cfg").read_text() == SECRET
    assert sorted(one.name for one in inside.parent.iterdir()) == before


LAB = """\
name: stolen
duration: 1s
nodes:
  r1:
    kind: router
    dialect: ios
    configuration: {file}
"""


def _remarks(lane: ProcessLane, lab: Path) -> str:
    found: list[Any] = []
    text = (lab / "lab.yaml").read_text()
    lane.run(check_text, text, "lab.yaml", str(lab / "lab.yaml"), tell=found.append, is_cancelled=lambda: False)
    ran = lane.run(run_lab, Chosen(lab, "", None, None), tell=lambda _said: None, is_cancelled=lambda: False)
    return f"{found} {ran}"


def test_a_lab_names_no_files_outside(inside: Path) -> None:
    lane = ProcessLane(inside)
    free = ProcessLane()
    try:
        lab = inside / "lab"
        lab.mkdir()
        for name in (str(inside.parent / "secret.cfg"), "../../secret.cfg", "../link.cfg", "../away/secret.cfg"):
            (lab / "lab.yaml").write_text(LAB.format(file=name))
            said = _remarks(lane, lab)
            assert "is not below" in said, said
            assert "TOP-SECRET" not in said
        assert "is not below" not in _remarks(free, lab)
        # Names of neighbours would be told for one that is almost right.
        (lab / "lab.yaml").write_text(LAB.format(file="../../secre.cfg"))
        assert "secret.cfg" not in _remarks(lane, lab)
        (lab / "own.cfg").write_text("hostname R1\n")
        (lab / "lab.yaml").write_text(LAB.format(file="own.cfg"))
        assert "is not below" not in _remarks(lane, lab)
    finally:
        lane.close()
        free.close()
