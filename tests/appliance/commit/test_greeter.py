"""The commit with a real daemon, real processes, and real kills."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.commit.commits import Commits
from appliance.commit.results import Ending, Phase
from appliance.components.daemon import Daemon
from tests.appliance.commit.greeting import NAME, ProcessMachine, greeter, greeting_on

LONG = bool(os.environ.get("GERBANG_LONG"))
ROOT = Path(__file__).parents[3]


class Blind(ProcessMachine):
    """A machine without a shadow start, as most appliances are."""

    def shadow(self, program: str, files: Path) -> str:
        return ""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def names(tmp_path) -> Path:
    path = tmp_path / "names"
    path.write_text("Ana Ben")
    return path


@pytest.fixture
def machine(tmp_path):
    machine = Blind(tmp_path / "run")
    yield ProcessMachine(tmp_path / "run")
    machine.stop(NAME)


def test_a_changed_greeting_is_served_by_the_same_process(tmp_path, machine, port, names):
    commits = Commits(tmp_path / "store", machine, (Daemon,))
    assert commits.commit((greeter(port, "hello", names),), "ana").ending is Ending.CONFIRMED
    process = machine.process(NAME)
    assert commits.commit((greeter(port, "selamat pagi", names),), "ana").ending is Ending.CONFIRMED
    assert greeting_on(port) == "selamat pagi Ana Ben"
    assert machine.process(NAME) == process
    assert commits.rollback(who="ana").ending is Ending.CONFIRMED
    assert (greeting_on(port), machine.process(NAME)) == ("hello Ana Ben", process)
    assert commits.commit((), "ana").acted == (NAME,)
    assert machine.process(NAME) == 0


def test_the_time_bomb_is_caught_by_the_shadow_start(tmp_path, machine, port, names):
    commits = Commits(tmp_path / "store", machine, (Daemon,))
    commits.commit((greeter(port, "hello", names),), "ana")
    bomb = (greeter(port, "hi", tmp_path / "missing", probed=False),)
    outcome = commits.commit(bomb, "ben")
    assert (outcome.ending, outcome.phase, outcome.acted) == (Ending.REFUSED, Phase.PREFLIGHT, ())
    assert "No such file" in str(outcome.findings[0])
    assert machine.check(NAME, tmp_path / "store/generations/2" / NAME) == ""
    assert greeting_on(port) == "hello Ana Ben"


def test_without_a_shadow_start_the_bomb_goes_off_at_the_restart(tmp_path, machine, port, names):
    """What the shadow start is for: validator, reload and readiness all pass, and the restart dies."""
    blind = Blind(tmp_path / "run")
    commits = Commits(tmp_path / "store", blind, (Daemon,))
    commits.commit((greeter(port, "hello", names),), "ana")
    bomb = greeter(port, "hi", tmp_path / "missing", probed=False)
    assert commits.commit((bomb,), "ben").ending is Ending.CONFIRMED
    assert greeting_on(port) == "hello Ana Ben"
    blind.stop(NAME)
    assert commits.resume("boot").ending is Ending.BROKEN
    assert blind.process(NAME) == 0


def test_a_probe_catches_what_serves_something_else(tmp_path, machine, port, names):
    blind = Blind(tmp_path / "run")
    commits = Commits(tmp_path / "store", blind, (Daemon,))
    commits.commit((greeter(port, "hello", names),), "ana")
    outcome = commits.commit((greeter(port, "hi", tmp_path / "missing"),), "ben")
    assert (outcome.ending, outcome.phase, outcome.undone) == (Ending.UNDONE, Phase.PROBE, (NAME,))
    assert str(outcome.findings[0]) == f"{NAME}: says hello Ana Ben instead of hi"
    assert greeting_on(port) == "hello Ana Ben"


def test_the_validator_refuses_before_anything_starts(tmp_path, machine, port, names):
    outcome = Commits(tmp_path / "store", machine, (Daemon,)).commit((greeter(99999, "", names),), "ana")
    assert outcome.phase is Phase.PREFLIGHT
    assert "its validator refuses" in str(outcome.findings[0])
    assert "there is no port 99999" in str(outcome.findings[0])
    assert machine.process(NAME) == 0


def test_random_kills_leave_one_generation(tmp_path, machine, port, names):
    """SIGKILL at random moments of an endless row of commits; the daemon lives on, and is what ``current`` says."""
    moments = random.Random(port)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = (sys.executable, "-m", "tests.appliance.commit.greeting", str(tmp_path), str(port), str(names))
    interrupted = 0
    for _ in range(100 if LONG else 2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment) as loop:
            assert loop.stdout is not None
            loop.stdout.readline()
            time.sleep(moments.uniform(0, 0.25))
            loop.send_signal(signal.SIGKILL)
        commits = Commits(tmp_path / "store", machine, (Daemon,), keep=3)
        interrupted += commits.recover() is not None
        current = tmp_path / "store/current" / NAME
        if current.exists():
            said = json.loads((current / "greeting.json").read_text())["greeting"]
            assert greeting_on(port) == f"{said} Ana Ben"
        else:
            assert machine.process(NAME) == 0
        assert commits.status().current == commits.status().confirmed
        assert commits.diagnose().well, commits.diagnose().findings
    if LONG:
        assert interrupted
