"""The journal of a daemon, or a generation, is spoilt by the disk: it starts and says what is to be done, and one
command mends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from appliance.client.addresses import Address
from appliance.client.blocking import Client
from appliance.store.audit import AUDIT
from appliance.store.engine import Store
from compiler.cli.main import main
from tests.appliance.services.machine.test_store_away import PASSWORD, Daemon

Gerbang = Callable[..., Any]


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    made = Daemon(tmp_path, f"sqlite:///{tmp_path / 'house.sqlite'}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GERBANG_SOCKET", str(made.socket))
    try:
        made.furnish()
        yield made
    finally:
        if made.process is not None and made.process.poll() is None:
            made.kill()


@pytest.fixture
def gerbang(capsys: pytest.CaptureFixture[str]) -> Gerbang:
    """The machine's verbs on the command line."""

    def run(*words: str, code: int = 0) -> Any:
        assert main(["appliance", *words]) == code, capsys.readouterr()
        found = capsys.readouterr()
        assert "Traceback" not in found.err
        return found

    return run


def stop(daemon: Daemon) -> None:
    assert daemon.process is not None
    daemon.process.terminate()
    daemon.process.communicate(timeout=60)


def start(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> str:
    """Start it, wait for what it says of what is spoilt, and log in."""
    said = daemon.start()
    if "CRITICAL" not in said:
        said += said_until(daemon, "CRITICAL")
    assert "Traceback" not in said
    with Client(Address(daemon.socket)) as client:
        client.login("admin", PASSWORD)
        monkeypatch.setenv("GERBANG_TOKEN", client.token)
    return said


def said_until(daemon: Daemon, words: str) -> str:
    """What it says, until these words stand in a line."""
    assert daemon.process is not None
    assert daemon.process.stdout is not None
    said = []
    for line in daemon.process.stdout:
        said.append(line)
        if words in line:
            return "".join(said)
    raise AssertionError("".join(said))


@pytest.mark.parametrize("content", [b'{"standing": 1, "la', None], ids=["cut", "gone"])
def test_the_daemon_starts_and_one_command_begins_another_journal(
    daemon: Daemon, gerbang: Gerbang, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    stop(daemon)
    journal = daemon.state / "journal.json"
    journal.unlink()
    if content is not None:
        journal.write_bytes(content)
    before = start(daemon, monkeypatch)
    assert f"{journal} cannot be read as the journal" in before
    assert "gerbang appliance recover" in before
    for words in (("status",), ("plan",), ("commit", "--confirm-within", "0"), ("diagnose",), ("rollback",)):
        refused = gerbang(*words, code=1).err
        assert str(journal) in refused
        assert "gerbang appliance recover" in refused
    assert daemon.serves() == "north"
    said = gerbang("recover").out
    assert "generation 1 stands" in said
    assert str(journal) in said
    assert "nothing to recover" in gerbang("recover", code=1).err
    assert json.loads(gerbang("status", "--format", "json").out)["confirmed"] == 1
    daemon.text.write_text("south", encoding="utf-8")
    assert "generation 2 stands" in gerbang("commit", "--confirm-within", "0").out
    assert daemon.serves() == "south"
    assert _lines(daemon) == ["commit", "recover", "commit"]


def test_a_generation_that_is_spoilt_is_named_and_made_anew(
    daemon: Daemon, gerbang: Gerbang, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(daemon)
    spoilt = daemon.state / "generations/1/components.json"
    spoilt.write_bytes(b"")
    before = start(daemon, monkeypatch)
    assert str(spoilt) in before
    assert "gerbang appliance commit --overwrite" in before
    assert json.loads(gerbang("status", "--format", "json").out)["current"] == 1
    assert "manifest.json of generation 1 was edited by hand; a commit overwrites it" in gerbang("plan").out
    assert str(spoilt) in gerbang("diagnose", code=1).out
    refused = gerbang("commit", "--confirm-within", "0", code=1)
    assert "was edited by hand" in refused.out
    assert "generation 2 stands" in gerbang("commit", "--confirm-within", "0", "--overwrite").out
    assert gerbang("diagnose").out
    assert daemon.serves() == "north"


def _lines(daemon: Daemon) -> list[str]:
    store = Store(daemon.store)
    try:
        with store.reading() as connection:
            asked = select(AUDIT.c.command).where(AUDIT.c.service == "machine").order_by(AUDIT.c.number)
            return list(connection.execute(asked).scalars())
    finally:
        store.close()
