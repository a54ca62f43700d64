"""``gerbang balance watch`` and ``lease``: what needs no kernel."""

from __future__ import annotations

import json
import os

import pytest

from compiler.cli.main import main
from compiler.deploy.linux.leases import told_leases
from compiler.deploy.linux.status import started, write_status


def test_without_a_watch_the_status_says_so(tmp_path, capsys):
    assert main(["balance", "watch", "--status", "--state", str(tmp_path)]) == 1
    assert capsys.readouterr().out == "no watch runs here\n"
    assert main(["balance", "watch", "--status", "--state", str(tmp_path), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"running": False}


def test_the_status_of_a_living_process_and_of_a_dead_one(tmp_path, capsys):
    line = {"alive": False, "carrier": False, "damped": True, "used": False}
    found = {"pid": os.getpid(), "started": started(os.getpid()), "source": "isps.yaml", "uplinks": {"adsl": line}}
    write_status(tmp_path, found)
    assert main(["balance", "watch", "--status", "--state", str(tmp_path)]) == 0
    assert "adsl: dead, not used, no carrier, damped\n" in capsys.readouterr().out
    write_status(tmp_path, {**found, "started": "1"})  # the number is another process's by now
    assert main(["balance", "watch", "--status", "--state", str(tmp_path)]) == 1


def test_a_lease_is_kept_and_lost(tmp_path):
    state = ["--state", str(tmp_path)]
    assert main(["balance", "lease", "cable", "--gateway", "10.0.0.1", "--address", "10.0.0.7/24", *state]) == 0
    lease = told_leases(tmp_path)["cable"]
    assert (lease.gateway, lease.address.address, lease.address.length) == (0x0A000001, 0x0A000007, 24)
    assert main(["balance", "lease", "cable", "--lost", *state]) == 0
    assert told_leases(tmp_path) == {"cable": None}


@pytest.mark.parametrize(
    "words",
    [
        ["watch"],
        ["watch", "-"],
        ["watch", "nowhere.yaml"],
        ["lease", "cable"],
        ["lease", "cable", "--lost", "--gateway", "10.0.0.1"],
        ["lease", "cable", "--gateway", "10.0.0"],
        ["lease", "cable", "--gateway", "2001:db8::1"],
        ["lease", "cable", "--address", "10.0.0.1/33"],
    ],
    ids=" ".join,
)
def test_wrong_use(words, tmp_path, capsys):
    assert main(["balance", *words, "--state", str(tmp_path)]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--interval", "0"], ["--misses", "0"], ["--replies", "x"], ["--timeout", "nan"]])
def test_wrong_numbers(words):
    assert main(["balance", "watch", "isps.yaml", *words]) == 2
