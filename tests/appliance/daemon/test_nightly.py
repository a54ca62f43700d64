"""What the appliance's own services do at night, in a whole daemon: from its loop to the screen."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.console.app import ConsoleApp
from appliance.console.working import WorkScreen
from appliance.contract.programs import Status
from appliance.daemon import parts
from appliance.services.certificates import service as certificates
from appliance.services.dns import service as dns
from appliance.services.machine import service as machine
from appliance.services.mail import service as mail
from appliance.services.mail.model import Settings
from appliance.services.system import service as system
from appliance.store.settings import change_settings
from tests.appliance.console.driving import Driven, open_screen, shown, until
from tests.appliance.daemon.house import ROOT, ZONE, Client, House

SERVICES = (system, machine, certificates, dns, mail)
NIGHT = [("snapshots.take", "01:30"), ("logs.rotate", "02:30"), ("snapshots.prune", "04:00")]


class Machine:
    """Answers as the operations of mail do, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []

    def status(self) -> tuple[Status, ...]:
        return ()

    def perform(self, operation: str, arguments: dict[str, str], given: str = "") -> str:
        self.asked.append((operation.removeprefix("mail."), dict(arguments)))
        answers = {
            "mail.mailboxes": ["siti"],
            "mail.snapshot": {"messages": 4, "octets": 400, "missing": []},
            "mail.rotate-logs": {"rotated": ["postfix"], "removed": 2},
            "mail.snapshots-prune": [],
        }
        return json.dumps(answers[operation])


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose generation has the mail."""
    made = Machine()
    generation = SimpleNamespace(current=True, components=("mail.dovecot", "mail.postfix"))
    commits = SimpleNamespace(generations=lambda: (generation,), close=lambda: None)
    monkeypatch.setattr(parts.Appliance, "machine", made)
    monkeypatch.setattr(parts.Appliance, "commits", commits)
    monkeypatch.setattr(parts, "TICK_SECONDS", 0.01)
    return made


def eventually(client: Client, headers: dict[str, str], holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    until_then = time.monotonic() + 60
    while True:
        answer = client.post("/commands/system/timed", headers=headers)
        rows = {one["command"]: one for one in answer.json()}
        if holds(rows):
            return rows
        assert time.monotonic() < until_then, rows
        time.sleep(0.01)


def test_the_night_of_the_hospital(tmp_path: Path, standing: Machine) -> None:
    house = House(tmp_path, services=SERVICES)
    house.add("siti", "mail.postmaster")
    with house.parts.runner.changing(ROOT, "mail", "settings.change", {}) as context:
        change_settings(context, Settings(address="192.168.10.2", snapshots_kept=30), 0)
    admin = house.header("admin")
    with house.client() as client:
        rows = eventually(client, admin, lambda rows: all(one["next"] for one in rows.values()))
        assert [(name, rows[name]["daily"]) for name, _at in NIGHT] == NIGHT
        for name, at in NIGHT:
            hour, minute = map(int, at.split(":"))
            house.clock.now = datetime(2026, 3, 2, hour, minute, tzinfo=ZONE)
            # All sessions have ended meanwhile; those who look log in again.
            admin = house.header("admin")
            rows = eventually(client, admin, lambda rows, name=name: rows[name]["outcome"] not in {"", "running"})
            assert (rows[name]["outcome"], rows[name]["by"]) == ("done", "appliance")
            assert rows[name]["next"].startswith(f"2026-03-03T{at}")
        assert client.post("/commands/system/timed", headers=house.header("siti")).status_code == 403
    assert [name for name, _arguments in standing.asked] == [
        "mailboxes", "mailboxes", "snapshot", "rotate-logs", "snapshots-prune"
    ]  # fmt: skip
    assert standing.asked[-1][1] == {"keep": "30"}
    own = [f"{one.service}.{one.command}" for one in house.audit() if one.person == "appliance"]
    assert own.count("system.timed") == 3
    assert {"mail.snapshots.take", "mail.logs.rotate", "mail.snapshots.prune"} <= set(own)
    house.store.close()


def test_without_mail_there_is_nothing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "TICK_SECONDS", 0.01)
    house = House(tmp_path, services=SERVICES)
    with house.client() as client:
        eventually(client, house.header("admin"), lambda rows: all(one["next"] for one in rows.values()))
        house.clock.forward(days=1)
        admin = house.header("admin")
        rows = eventually(client, admin, lambda rows: all(one["last"] for one in rows.values()))
        eventually(client, admin, lambda rows: all(one["outcome"] != "running" for one in rows.values()))
        rows = eventually(client, admin, lambda _rows: True)
        assert {name: one["outcome"] for name, one in rows.items()} == {
            "snapshots.take": "not needed",
            "logs.rotate": "not needed",
            "snapshots.prune": "not needed",
            "renew-due": "not needed",
        }
    house.store.close()


def test_by_keys_it_is_looked_at_and_run_now(
    tmp_path: Path, standing: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "TICK_SECONDS", 1.0)  # a store in memory has one lock for all
    house = House(tmp_path, services=SERVICES)
    with house.live(tmp_path) as socket:

        async def play(app: ConsoleApp, pilot: Any) -> None:
            pane = await open_screen(app, pilot, "system", "timed")
            await until(lambda: len(pane.rows) == 4 and "daily at 04:00" in shown(app) and "not yet" in shown(app))
            row = next(place for place, one in enumerate(pane.rows) if one.command == "logs.rotate")
            await until(lambda: app.focused is pane.grid.body)
            await pilot.press(*["down"] * row, "n")
            await until(lambda: ("rotate-logs", {}) in [(name, {}) for name, _given in standing.asked])
            await until(lambda: not isinstance(app.screen, WorkScreen))
            await until(lambda: pane.rows[row].outcome == "done" and pane.rows[row].by == "admin")

        Driven(house, socket, SERVICES).drive(tmp_path, "admin", play, size=(150, 40))
    assert ("admin", "timed.run") not in [(one.person, one.command) for one in house.audit()]
    assert ("admin", "timed") in [(one.person, one.command) for one in house.audit()]
    house.store.close()
