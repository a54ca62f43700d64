"""kill -9 under load: what was acknowledged is there, nothing is half done, and the audit chain holds."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from appliance.client.errors import Unreachable
from appliance.store.chain import verify
from appliance.store.engine import Store
from appliance.store.seal import HeadFile, key_of
from tests.appliance.daemon.process import Process

CLIENTS = 20 if os.environ.get("GERBANG_LONG") else 8
pytestmark = [
    pytest.mark.usefixtures("collected"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Teller(threading.Thread):
    """Adds accounts and deposits into them until the daemon is gone; remembers what was acknowledged."""

    def __init__(self, process: Process, number: int, round_: int) -> None:
        super().__init__()
        self.process, self.number, self.round = process, number, round_
        self.added: list[str] = []
        self.deposited: dict[str, int] = {}
        self.open: list[tuple[str, str, dict[str, object], str]] = []
        """What was sent and not answered: person, command, arguments, key."""

    def run(self) -> None:
        with self.process.client("admin") as client:
            for place in range(10_000):
                code = f"r{self.round}c{self.number}n{place // 3}"
                if place % 3 == 0:
                    request = ("admin", "accounts.add", {"code": code, "title": "Kas"})
                else:
                    request = ("admin", "deposit", {"account": code, "amount": place})
                key = str(uuid4())
                try:
                    client.call("ledger", request[1], request[2], key=key)
                except Unreachable:
                    self.open.append((*request, key))
                    return
                if request[1] == "accounts.add":
                    self.added.append(code)
                else:
                    self.deposited[code] = self.deposited.get(code, 0) + place


def kill_at_random(process: Process, round_: int, least: float, most: float) -> list[Teller]:
    process.start()
    tellers = [Teller(process, number, round_) for number in range(CLIENTS)]
    for teller in tellers:
        teller.start()
    time.sleep(random.uniform(least, most))
    process.kill()
    for teller in tellers:
        teller.join()
    return tellers


def check(process: Process, tellers: list[Teller]) -> int:
    """Repeat what was not answered, twice, and compare every balance; answers how many changes were acknowledged."""
    process.start()
    expected: dict[str, int] = {}
    changes = 0
    for teller in tellers:
        expected |= dict.fromkeys(teller.added, 0)
        for code, amount in teller.deposited.items():
            expected[code] += amount
        changes += len(teller.added) + len(teller.deposited)
        for person, name, arguments, key in teller.open:
            with process.client(person) as client:
                answers = [client.call("ledger", name, arguments, key=key) for _ in range(2)]
            assert answers[0] == answers[1]
            if name == "accounts.add":
                expected[str(arguments["code"])] = 0
            else:
                expected[str(arguments["account"])] += int(str(arguments["amount"]))
    with process.client("admin") as client:
        rows = client.rows(client.ask("ledger", "accounts"))
        held = {row["values"][0]: row["values"][2] for row in rows}
    assert held.keys() == expected.keys()
    assert held == expected
    process.stop()
    key = key_of(process.state)
    store, head = Store(process.url), HeadFile(process.state, key)
    with store.reading() as connection:
        verdict = verify(connection, key, head.read())
    head.close()
    store.close()
    assert verdict.intact, verdict.tampered
    return changes


def run(folder: Path, rounds: int, least: float, most: float, store: str = "") -> int:
    process = Process(folder, store)
    tellers: list[Teller] = []
    changes = 0
    for round_ in range(rounds):
        tellers += kill_at_random(process, round_, least, most)
        changes = check(process, tellers)
        for teller in tellers:  # done now, and counted
            for _person, name, arguments, _key in teller.open:
                if name == "accounts.add":
                    teller.added.append(str(arguments["code"]))
                else:
                    code = str(arguments["account"])
                    teller.deposited[code] = teller.deposited.get(code, 0) + int(str(arguments["amount"]))
            teller.open.clear()
    return changes


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    assert run(tmp_path, 1, 0.4, 0.8) > 0


@pytest.mark.long
def test_nothing_acknowledged_is_lost_many_times(tmp_path: Path) -> None:
    assert run(tmp_path, 15, 0.05, 2.0) > 0


@pytest.mark.long
def test_nothing_acknowledged_is_lost_on_postgresql(tmp_path: Path, postgresql: str) -> None:
    assert run(tmp_path, 8, 0.2, 2.0, postgresql) > 0
