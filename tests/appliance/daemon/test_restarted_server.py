"""The database server restarts under a daemon that runs: changes work again by themselves, and the store is owned."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.client.errors import Refusal
from appliance.store.chain import verify
from appliance.store.engine import Store
from appliance.store.failures import StoreBusy
from appliance.store.seal import HeadFile, key_of
from tests.appliance.daemon.process import Process
from tests.appliance.postgresql import Server

CLIENTS = 6


class Teller(threading.Thread):
    """Deposits into an account of its own until it is told to stop; counts what was acknowledged and what was not."""

    def __init__(self, process: Process, number: int) -> None:
        super().__init__()
        self.process, self.code = process, f"T{number}"
        self.stopped = threading.Event()
        self.done = self.refused = 0
        self.wrong: list[Exception] = []

    def run(self) -> None:
        with self.process.client("admin") as client:
            while not self.stopped.is_set():
                try:
                    client.call("ledger", "deposit", {"account": self.code, "amount": 1})
                    self.done += 1
                except Refusal as refusal:
                    self.refused += 1
                    if refusal.code != "store-failed":
                        self.wrong.append(refusal)
                        return
                    time.sleep(0.02)
                except Exception as error:
                    self.wrong.append(error)
                    return


@pytest.fixture
def process(tmp_path: Path, postgresql: str) -> Iterator[Process]:
    made = Process(tmp_path, postgresql)
    made.start()
    yield made
    if made.running.poll() is None:
        print(made.stop())


def wait_for(tellers: list[Teller], met: Callable[[Teller], bool]) -> None:
    until = time.monotonic() + 60
    while not all(met(one) for one in tellers):
        assert [one.wrong for one in tellers] == [[]] * CLIENTS
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["INT", pytest.param("QUIT", marks=pytest.mark.long)])
def test_the_daemon_recovers_by_itself(process: Process, postgresql_server: Server, how: str) -> None:
    tellers = [Teller(process, number) for number in range(CLIENTS)]
    with process.client("admin") as client:
        for teller in tellers:
            client.call("ledger", "accounts.add", {"code": teller.code, "title": "Kas"})
            teller.start()
        try:
            wait_for(tellers, lambda one: one.done >= 3)
            postgresql_server.stop(how)
            wait_for(tellers, lambda one: one.refused >= 1)
            postgresql_server.start()
            before = {one.code: one.done for one in tellers}
            wait_for(tellers, lambda one: one.done >= before[one.code] + 3)
            owned_again(process)
        finally:
            if postgresql_server.process is None:
                postgresql_server.start()
            for teller in tellers:
                teller.stopped.set()
            for teller in tellers:
                teller.join()
        assert [one.wrong for one in tellers] == [[]] * CLIENTS
        rows = client.rows(client.ask("ledger", "accounts"))
        held = {row["values"][0]: row["values"][2] for row in rows}
    for teller in tellers:
        # What was refused may have been kept just before the server went; what was acknowledged is there.
        assert teller.done <= held[teller.code] <= teller.done + teller.refused
    said = process.stop()
    assert "the store is owned again" in said
    assert process.running.returncode == 0
    key = key_of(process.state)
    store, head = Store(process.url), HeadFile(process.state, key)
    with store.reading() as connection:
        assert verify(connection, key, head.read()).intact
    head.close()
    store.close()


def owned_again(process: Process) -> None:
    """Nobody else can take it, once the daemon has looked."""
    until = time.monotonic() + 60
    while True:
        other = Store(process.url)
        try:
            other.own()
        except StoreBusy:
            return
        finally:
            other.close()
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_daemon_whose_store_another_has_taken_ends(process: Process, postgresql_server: Server) -> None:
    postgresql_server.stop()
    postgresql_server.start()
    other = Store(process.url)
    other.own()
    try:
        process.running.wait(60)
        assert process.running.returncode == 1
        assert "another daemon has taken the store" in process.running.stdout.read()
        process.running.stdout.close()
    finally:
        other.close()
