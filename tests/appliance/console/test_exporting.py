"""What the console saves: whole or not at all, under a name that is free, and a reason when it cannot be."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from appliance.console import exporting
from appliance.console.app import ConsoleApp
from appliance.console.exporting import PickScreen
from tests.appliance.console.driving import Driven, open_screen, shown, until

NAMES = ("=1+1", "@SUM(A1)", "+62 812", "-5 apples", "Ünïcødé 東京 🏨", '"quoted", comma', "semi;colon", "[/bold] cart")


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    saved = [exporting._saved(content, tmp_path / "new" / "folder", "a.b.csv") for content in (b"1", b"2", b"3")]
    assert [file.name for file in saved] == ["a.b.csv", "a.b (2).csv", "a.b (3).csv"]
    assert [file.read_bytes() for file in saved] == [b"1", b"2", b"3"]
    (tmp_path / "source").write_bytes(b"4" * 3_000_000)
    file = exporting._saved(tmp_path / "source", tmp_path / "new" / "folder", "no suffix")
    assert file.read_bytes() == b"4" * 3_000_000
    plain = tmp_path / "plain"
    plain.touch()
    assert {one.stat().st_mode for one in (*saved, file)} == {plain.stat().st_mode}


def test_two_that_save_the_same_at_once_both_have_theirs(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)

    def save(number: int) -> None:
        barrier.wait()
        exporting._saved(f"{number}".encode() * 10_000, tmp_path, "rows.csv")

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(file.read_bytes()[:1] for file in tmp_path.iterdir()) == [f"{one}".encode() for one in range(8)]


@pytest.mark.parametrize("broken", ["copyfileobj", "replace"])
def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """The disk is full in the middle of the file, or the file cannot get its name."""

    def full(*given: Any) -> None:
        if broken == "copyfileobj":
            given[1].write(b"half")
            given[1].flush()
        raise OSError(28, "No space left on device")

    source = tmp_path / "source"
    source.write_bytes(b"whole")
    monkeypatch.setattr(*((exporting.shutil, "copyfileobj") if broken == "copyfileobj" else (Path, "replace")), full)
    with pytest.raises(OSError, match="No space left"):
        exporting._saved(source, tmp_path / "downloads", "rows.xlsx")
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_console_that_is_killed_leaves_no_half_file_under_its_name(tmp_path: Path) -> None:
    """What is written is not yet called so while it is written: a kill -9 then leaves the name alone."""
    at_half, seen = threading.Event(), []
    read, write = os.pipe()
    source = Path(f"/dev/fd/{read}")
    saving = threading.Thread(target=lambda: exporting._saved(source, tmp_path, "rows.csv"))
    saving.start()
    os.write(write, b"first half, ")
    deadline = time.monotonic() + 60
    while not at_half.is_set() and time.monotonic() < deadline:
        seen = [one.name for one in tmp_path.iterdir()]
        if seen:
            at_half.set()
    assert "rows.csv" not in seen
    os.write(write, b"second half")
    os.close(write)
    saving.join(60)
    os.close(read)
    assert [one.name for one in tmp_path.iterdir()] == ["rows.csv"]
    assert (tmp_path / "rows.csv").read_bytes() == b"first half, second half"


def _fill(house: Driven) -> Callable[[], None]:
    for number, name in enumerate(NAMES):
        house.call("vehicles.add", {"plate": f"X{number}", "name": name, "seats": 1})

    def empty() -> None:
        for number in range(len(NAMES)):
            house.call("vehicles.remove", {"plate": f"X{number}", "version": 1})

    return empty


def test_by_hand_a_listing_is_exported_opened_and_refused(
    house: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = tmp_path / "Unduhan saya"
    monkeypatch.setattr("platformdirs.user_downloads_path", lambda: downloads)

    async def play(app: ConsoleApp, pilot: Any) -> None:
        async def export(form: str) -> None:
            await pilot.press("x")
            await until(lambda: isinstance(app.screen, PickScreen) and app.focused is not None)
            await pilot.press(*(["down"] if form == "csv" else []), "enter")

        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= len(NAMES) and app.focused is pane.grid.body)
        await export("csv")
        await until((downloads / "vehicles.csv").exists)
        await export("xlsx")
        await until((downloads / "vehicles.xlsx").exists)
        await export("xlsx")
        await until((downloads / "vehicles (2).xlsx").exists)
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, PickScreen) and app.focused is not None)
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, PickScreen))
        # A folder that cannot be made, because a file has its name: root, too, is refused.
        (tmp_path / "a file").touch()
        monkeypatch.setattr("platformdirs.user_downloads_path", lambda: tmp_path / "a file" / "below")
        await export("csv")
        await until(lambda: "cannot be saved in" in shown(app))

    empty = _fill(house)
    try:
        house.drive(tmp_path, "clerk", play, size=(140, 45))
    finally:
        empty()
    names = {"vehicles.csv", "vehicles.xlsx", "vehicles (2).xlsx"}
    assert {one.name for one in downloads.iterdir()} == names
    rows = list(csv.reader(io.StringIO((downloads / "vehicles.csv").read_text(encoding="utf-8-sig"))))
    # Where a spreadsheet would reckon, the text has an apostrophe before it.
    dangerous = [f"'{one}" if one[0] in "=@+-" else one for one in NAMES]
    assert [row[1] for row in rows if row[0].startswith("X")] == dangerous
    sheet = openpyxl.load_workbook(downloads / "vehicles.xlsx").active
    kept = [row[1] for row in sheet.iter_rows() if str(row[0].value).startswith("X")]
    assert [(cell.value, cell.data_type) for cell in kept] == [(one, "s") for one in NAMES]


def test_a_long_export_says_that_it_is_under_way(
    house: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = tmp_path / "downloads"
    monkeypatch.setattr("platformdirs.user_downloads_path", lambda: downloads)
    monkeypatch.setattr(exporting, "SLOW", 0.05)

    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= 3 and app.focused is pane.grid.body)
        goes_on, export = asyncio.Event(), pane.source.export

        async def long(form: str, into: Path) -> None:
            await goes_on.wait()
            await export(form, into)

        monkeypatch.setattr(pane.source, "export", long)
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, PickScreen) and app.focused is not None)
        await pilot.press("enter")
        await until(lambda: "you can go on meanwhile" in " ".join(shown(app).replace("▌", " ").split()))
        assert not downloads.exists()
        goes_on.set()
        await until((downloads / "vehicles.xlsx").exists)

    house.drive(tmp_path, "clerk", play, size=(160, 45))
