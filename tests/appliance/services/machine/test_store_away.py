"""The database server is away when the confirm timer rings, and when the daemon starts: the machine is taken back all
the same, and the audit log has its line as soon as the server is there again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from appliance.client.addresses import Address
from appliance.client.blocking import Client
from appliance.commit.clock import SystemClock
from appliance.commit.journal import read_journal
from appliance.contract.people import ADMINISTRATOR, Person
from appliance.daemon.ports import MachinePorts
from appliance.services.machine import service as machine
from appliance.services.system import service as system
from appliance.store.audit import AUDIT
from appliance.store.chain import verify
from appliance.store.engine import Store
from appliance.store.failures import StoreAway
from appliance.store.seal import HeadFile, key_of
from tests.appliance.commit.parts import ModelClock, ModelMachine, Part, commits_of
from tests.appliance.daemon.away import store_away, wait_for, wait_until_told
from tests.appliance.daemon.house import House
from tests.appliance.postgresql import Server
from tests.appliance.services.machine import signpost

PASSWORD = "seven-herons-over-the-weir"
ROOT = Path(__file__).parents[4]
ADMIN = Person("admin", frozenset({ADMINISTRATOR}))


class Daemon:
    """The signpost's daemon on PostgreSQL; generation 1 stands confirmed once it is furnished."""

    def __init__(self, folder: Path, store: str) -> None:
        self.state, self.text, self.store = folder / "state", folder / "text", store
        self.socket = folder / "run" / "api.sock"
        self.text.write_text("north", encoding="utf-8")
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """What it said until it was ready, or until it had ended."""
        self.process = subprocess.Popen(
            [*(sys.executable, "-m", signpost.__name__), str(self.state), str(self.socket), self.store],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**os.environ, "SIGNPOST": str(self.text), "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("ready "):
                break
        return "".join(said)

    def furnish(self) -> None:
        said = self.start()
        found = re.search(r"one-time password (\S+)", said)
        assert found, said
        with Client(Address(self.socket)) as client:
            client.login("admin", found[1])
            client.change_password(found[1], PASSWORD)
        self.commit(0)

    def commit(self, confirm_within: int) -> Any:
        with Client(Address(self.socket)) as client:
            client.login("admin", PASSWORD)
            begun = client.call("machine", "commit", {"note": "", "confirm_within": confirm_within})
            return client.wait(begun["work"], every=0.05).result

    def kill(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.stdout.close()
        return self.process.wait()

    def serves(self) -> str:
        """The page of the generation that ``current`` names."""
        return (self.state / "current/signpost.page/page").read_text(encoding="utf-8").strip()

    def owes(self) -> bool:
        return bool(read_journal(self.state / "journal.json").owed)

    def taken_back(self) -> list[tuple[str, Any, Any]]:
        """The lines of the audit log about that, whose chain is intact."""
        key, store = key_of(self.state), Store(self.store)
        head = HeadFile(self.state, key)
        try:
            with store.reading() as connection:
                assert verify(connection, key, head.read()).intact
                lines = connection.execute(select(AUDIT).where(AUDIT.c.command == "rollback")).all()
        finally:
            head.close()
            store.close()
        said = [(one.person, json.loads(one.arguments)) for one in lines]
        return [(person, one["ending"], one["generation"]) for person, one in said]


@pytest.fixture
def daemon(tmp_path: Path, postgresql: str, postgresql_server: Server) -> Iterator[Daemon]:
    made = Daemon(tmp_path, postgresql)
    try:
        made.furnish()
        yield made
    finally:
        if postgresql_server.process is None:
            postgresql_server.start()
        if made.process is not None and made.process.poll() is None:
            made.kill()


@pytest.mark.long
def test_the_timer_rings_while_the_server_is_away(daemon: Daemon, postgresql_server: Server) -> None:
    daemon.text.write_text("south", encoding="utf-8")
    assert daemon.commit(10)["ending"] == "unconfirmed"
    postgresql_server.stop()
    wait_for(lambda: daemon.serves() == "north" and daemon.owes())
    postgresql_server.start()
    wait_for(lambda: not daemon.owes())
    assert daemon.taken_back() == [("appliance", "undone", 2)]


def test_the_daemon_dies_and_starts_while_the_server_is_away(daemon: Daemon, postgresql_server: Server) -> None:
    daemon.text.write_text("south", encoding="utf-8")
    assert daemon.commit(5)["ending"] == "unconfirmed"
    daemon.kill()
    postgresql_server.stop()
    waits = read_journal(daemon.state / "journal.json").underway
    assert waits is not None
    assert waits.deadline is not None
    wait_for(lambda: waits.deadline.left(SystemClock()) == 0)
    said = daemon.start()
    assert daemon.process is not None
    assert daemon.process.wait(60) == 1, said  # so that systemd starts it again: RestartPreventExitStatus is 2
    assert daemon.process.stdout is not None
    daemon.process.stdout.close()
    assert daemon.serves() == "north"
    assert daemon.owes()
    postgresql_server.start()
    assert "ready" in daemon.start()
    wait_for(lambda: not daemon.owes())
    assert daemon.taken_back() == [("appliance", "undone", 2)]


def test_a_start_makes_all_serve_though_the_store_takes_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, model = ModelClock(), ModelMachine()
    commits = commits_of(tmp_path, model, clock)
    db = Part(name="db", text="d1")
    commits.commit((Part(name="web", text="w1"), db), "ana")
    commits.commit((Part(name="web", text="w2"), db), "ana", confirm_within=60)
    commits.close()
    model.running.clear()
    clock.boots += 1

    def away(*_: object) -> None:
        raise StoreAway("the server does not answer")

    ports = MachinePorts((), tmp_path, None, away)
    commits = commits_of(tmp_path, model, clock, told=away)
    monkeypatch.setattr(MachinePorts, "commits", commits)
    ports.start()
    assert model.running == {"web": "w1", "db": "d1"}, "what was not taken back is started too"
    assert commits.status().phase is None
    commits.close()


def test_somebodys_commit_is_told_later_when_the_store_goes_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text").write_text("north", encoding="utf-8")
    monkeypatch.setenv("SIGNPOST", str(tmp_path / "text"))
    monkeypatch.setattr("appliance.commit.telling.AGAIN", 0.05)
    house = House(tmp_path, f"sqlite:///{tmp_path / 'house.sqlite'}", services=(system, machine, signpost.service))
    runner = house.parts.runner

    def lines() -> list[tuple[str, str, str]]:
        told = [one for one in house.audit() if one.service == "machine"]
        return [(one.person, one.command, json.loads(one.arguments)["ending"]) for one in told]

    try:
        with store_away(house):
            answer = runner.work(ADMIN, "machine", "commit", b'{"confirm_within": 0}', lambda progress: None)
            assert answer.value.ending == "confirmed"
            assert "the audit log has no line of this yet" in str(answer.value.findings[-1])
            assert lines() == []
        wait_until_told(tmp_path, lines)
        assert lines() == [("admin", "commit", "confirmed")]
    finally:
        house.parts.ports.close()
        house.store.close()
