"""``gerbang audit verify`` against a real daemon, before and after somebody has edited the log."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from compiler.cli.main import main
from tests.appliance.daemon.process import Process


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    made = Process(tmp_path)
    made.start()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GERBANG_SOCKET", str(made.socket))
    monkeypatch.setenv("GERBANG_TOKEN", made.tokens["admin"])
    yield made
    made.stop()


def test_an_edit_is_found_and_said_by_the_exit_code(daemon: Process, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify"]) == 0
    assert "lines are intact" in capsys.readouterr().out
    assert main(["audit", "verify", "--format", "json"]) == 0
    head = json.loads(capsys.readouterr().out)["head"]
    number, _colon, hashed = head.partition(":")

    # More has been written since; what was noted is still there.
    assert main(["call", "ledger.accounts.add", "--code", "K9", "--title", "Kas"]) == 0
    assert main(["audit", "verify", "--noted", head]) == 0
    # Another hash, as if all had been written anew; and a line that is not there.
    other = f"{number}:{hashed[::-1]}"
    capsys.readouterr()
    assert main(["audit", "verify", "--noted", head, "--noted", other, "--noted", f"999999:{hashed}"]) == 1
    said = capsys.readouterr().out
    assert f"line {number} is another than the one that was written then" in said
    assert "to 999999 are missing at the end" in said
    assert main(["audit", "verify", "--noted", "first"]) == 2

    with closing(sqlite3.connect(daemon.state / "gerbang.sqlite")) as store, store:
        store.execute("UPDATE core_audit SET person = 'nobody' WHERE number = 2")
    store.close()
    capsys.readouterr()
    assert main(["audit", "verify"]) == 1
    assert "line 2 was changed" in capsys.readouterr().out
    assert main(["audit", "verify", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["intact"]
    assert found["head"] is None


def test_who_is_no_administrator_does_not_verify(
    daemon: Process, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GERBANG_TOKEN", daemon.tokens["ani"])
    assert main(["audit", "verify"]) == 1
    assert "intact" not in capsys.readouterr().out
