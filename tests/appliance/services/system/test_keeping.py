"""Backups: several at a time, damaged ones beside good ones, and what a crash leaves."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.appliance.daemon.house import Client, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """With a clock that goes: names of backups are moments."""
    made = House(tmp_path, f"sqlite:///{tmp_path / 'store.sqlite'}")
    made.parts.runner.now = lambda: datetime.now(UTC)
    yield made
    made.store.close()


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    with house.client() as made:
        yield made


def ended(client: Client, answer: Any, headers: dict[str, str]) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    while True:
        seen: dict[str, Any] = client.get(f"/work/{answer.json()['work']}", headers).json()
        if seen["state"] != "running":
            return seen
        time.sleep(0.01)


def test_three_backups_at_a_time_are_three_backups(house: House, client: Client, tmp_path: Path) -> None:
    admin = house.header("admin")
    answers = [client.post("/commands/system/backup", {"services": ["ledger"]}, admin) for _ in range(3)]
    seen = [ended(client, answer, admin) for answer in answers]
    assert [one["state"] for one in seen] == ["done"] * 3, seen
    files = {one["result"]["file"] for one in seen}
    assert len(files) == 3
    assert {one.name for one in (tmp_path / "backups").iterdir()} == files
    back = client.post("/commands/system/restore", {"file": min(files)}, admin)
    assert ended(client, back, admin)["state"] == "done"


def test_a_damaged_backup_hides_no_other(house: House, client: Client, tmp_path: Path) -> None:
    admin = house.header("admin")
    good = ended(client, client.post("/commands/system/backup", {}, admin), admin)["result"]
    folder = tmp_path / "backups"
    (folder / "a.gerbang").write_bytes(b"no archive")
    source = folder / good["file"]
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(folder / "b.gerbang", "w") as odd:
        for entry in whole.infolist():
            content = whole.read(entry)
            if entry.filename == "manifest.json":
                content = json.dumps({**json.loads(content), "made_at": "yesterday"}).encode()
            odd.writestr(entry.filename, content)
    answer = client.post("/commands/system/backups", headers=admin)
    assert answer.status_code == 200
    rows = {row["file"]: row for row in answer.json()}
    assert rows[good["file"]]["faults"] == []
    assert "no backup" in rows["a.gerbang"]["faults"][0]
    assert rows["a.gerbang"]["octets"] == 10
    assert "made at no time" in rows["b.gerbang"]["faults"][0]
