"""kill -9 at any moment: nothing that was acknowledged is lost, nothing half-done is seen, the chain holds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from appliance.store.audit import AUDIT, METADATA
from appliance.store.chain import verify
from appliance.store.engine import Store
from tests.appliance.postgresql import Server
from tests.appliance.store.victim import ACCOUNTS, KEY, MOVES, made

KILLS = 400 if os.environ.get("GERBANG_LONG") else 30
ROOT = Path(__file__).parents[3]


@contextmanager
def victims(url: str) -> Iterator[subprocess.Popen[str]]:
    """What makes victims."""
    command = [sys.executable, "-m", "tests.appliance.store.victim", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as nursery:
        yield nursery
        assert nursery.stdin is not None
        nursery.stdin.close()


def killed(nursery: subprocess.Popen[str], seed: int, kill: Callable[[int], None]) -> set[int]:
    """Let one work until ``kill`` has ended it; returns what it acknowledged."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(f"{seed}\n")
    nursery.stdin.flush()
    process = int(nursery.stdout.readline().removeprefix("pid "))
    assert nursery.stdout.readline() == "0\n"
    kill(process)
    said = set()
    while (line := nursery.stdout.readline()) != "end\n":
        assert line.strip().isdigit(), line
        said.add(int(line))
    return said


def check(store: Store, said: set[int]) -> int:
    with store.reading() as connection:
        verdict = verify(connection, KEY)
        assert verdict.intact, verdict.tampered
        lines = connection.execute(select(AUDIT.c.arguments)).scalars()
        kept = {json.loads(line)["token"] for line in lines}
        assert said <= kept, "a transaction that was acknowledged is lost"
        moved = dict(
            tuple(row) for row in connection.execute(select(MOVES.c.token, func.count()).group_by(MOVES.c.token))
        )
        assert set(moved) == kept, "a change without its line, or a line without its change"
        assert set(moved.values()) <= {1, 300}, "half of a transaction is seen"
        assert connection.execute(select(func.sum(ACCOUNTS.c.amount))).scalar_one() == 0
    return len(kept)


def test_killed_client_loses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    kill_clients(url)


def test_killed_client_of_a_server_loses_nothing(postgresql: str) -> None:
    kill_clients(postgresql)


def kill_clients(url: str) -> None:
    """One after the other on the same database."""
    chance = random.Random(7)
    store = Store(url)
    METADATA.create_all(store.engine)
    made(store)
    said: set[int] = set()

    longest = 0.05

    def kill(process: int) -> None:
        time.sleep(chance.uniform(0.002, longest))
        os.kill(process, signal.SIGKILL)

    with victims(url) as nursery:
        for seed in range(KILLS):
            said |= killed(nursery, seed, kill)
            # On a busy machine nothing is acknowledged in so short a time.
            longest = longest if said else min(longest * 1.5, 5.0)
            if seed % 10 == 0:
                check(store, said)
    store.close()
    again = Store(url)
    assert check(again, said) > 0
    again.close()


@pytest.mark.parametrize("crashes", [3, pytest.param(40, marks=pytest.mark.long)])
def test_crashed_server_loses_nothing(postgresql_server: Server, crashes: int) -> None:
    """Immediate shutdown: all its processes die at once, and it recovers from its log."""
    url = postgresql_server.create()
    chance = random.Random(8)
    store = Store(url)
    METADATA.create_all(store.engine)
    made(store)
    said: set[int] = set()

    def crash(_process: int) -> None:
        time.sleep(chance.uniform(0.02, 0.2))
        postgresql_server.stop("QUIT")

    with victims(url) as nursery:
        for seed in range(crashes):
            said |= killed(nursery, seed, crash)
            postgresql_server.start()
            check(store, said)
    store.close()
    postgresql_server.drop(url)
