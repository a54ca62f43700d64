"""``gerbang balance deploy``, ``confirm`` and ``rollback`` at the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.cli.main import main
from labs.virtual_routeros.server import Server
from tests.compiler.balancing.intents import simple
from tests.compiler.deploy.routeros.devices import exported, made, served


@pytest.fixture
def server() -> Iterator[Server]:
    with served(made()) as one:
        yield one


@pytest.fixture
def words(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The intent and the device."""
    intent, password = tmp_path / "two.yaml", tmp_path / "password"
    intent.write_text(simple((1, 1)))
    password.write_text("secret\n")
    monkeypatch.delenv("GERBANG_PASSWORD", raising=False)
    host, port = server.address
    device = ["--to", "routeros", "--host", host, "--port", str(port), "--password-file", str(password)]
    return [str(intent), *device]


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["balance", *words])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def test_plan_deploy_confirm(words: list[str], server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    before = exported(server.device)
    code, out, err = _run(capsys, "deploy", *words, "--plan")
    assert (code, exported(server.device)) == (0, before)
    assert "+ /ip firewall mangle: " in out
    assert "this is the plan" in err
    code, again, err = _run(capsys, "deploy", *words, "--confirm-within", "2m")
    assert (code, again) == (0, out)
    assert "in 120 s, unless you keep it" in err
    assert "gerbang balance confirm" in err
    code, _, err = _run(capsys, "deploy", *words)
    assert (code, "waits for its confirmation" in err) == (0, True)
    assert _run(capsys, "confirm", *words)[0] == 0
    code, _, err = _run(capsys, "confirm", *words)
    assert (code, "no deployment waits there" in err) == (1, True)
    assert "nothing to change" in _run(capsys, "deploy", *words)[2]


def test_rollback_from_another_process_without_the_intent(
    words: list[str], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    before = exported(server.device)
    assert _run(capsys, "deploy", *words)[0] == 0
    assert exported(server.device) != before
    assert _run(capsys, "rollback", *words[1:])[0] == 0
    assert exported(server.device) == before
    assert _run(capsys, "rollback", *words[1:])[0] == 1


def test_confirmed_at_once_and_removed_as_json(
    words: list[str], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _run(capsys, "deploy", *words, "--confirm", "--format", "json")
    told = json.loads(out)
    assert (code, err, told["applied"], told["confirmed"], told["standing"]) == (0, "", True, True, None)
    assert told["changes"][0]["action"] in ("add", "change")
    code, out, _ = _run(capsys, "deploy", "--remove", *words[1:], "--format", "json")
    assert json.loads(out)["standing"]["remaining"] == 300
    assert "gerbang-balance:" not in exported(server.device).replace("gerbang-balance-return", "").split("/system")[0]
    assert json.loads(_run(capsys, "confirm", *words[1:], "--format", "json")[1])["confirmed"] is True


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--ca", "x.pem"], "--ca goes with --tls"),
        (["--tls", "--insecure", "--fingerprint", "1"], "one of them"),
        (["--tls", "--fingerprint", "12"], "64 hexadecimal"),
        (["--password-file", "/nowhere"], "cannot read"),
        (["--confirm-within", "5s"], "from 10s to a day"),
        (["--confirm-within", "25h"], "from 10s to a day"),
    ],
)
def test_wrong_use(words: list[str], more: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = _run(capsys, "deploy", *words, *more)
    assert (code, says in err) == (2, True), err


def test_no_password_and_no_intent(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = _run(capsys, "deploy", *words[:-2])
    assert (code, "GERBANG_PASSWORD" in err) == (2, True)
    code, _, err = _run(capsys, "deploy", *words[1:])
    assert (code, "give an intent" in err) == (2, True)
    code, _, err = _run(capsys, "deploy", words[0], "--to", "routeros")
    assert (code, "--host" in err) == (2, True)


def test_a_mistake_in_the_intent_has_its_place(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(words[0]).write_text("networks: {}\nuplinks: 3\n")
    code, _, err = _run(capsys, "deploy", *words)
    assert (code, "two.yaml:2:" in err) == (2, True)


def test_what_breaks_it_is_refused_unless_told(
    words: list[str], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    filters = ("ip", "firewall", "filter")
    server.device.call(filters, "add", {"chain": "forward", "action": "drop", "comment": "all else"})
    before = exported(server.device)
    code, out, err = _run(capsys, "deploy", *words, "--plan")
    assert (code, "+ /ip firewall mangle" in out) == (1, True)
    assert '/ip firewall filter disable [find where action="drop"' in err
    code, _, err = _run(capsys, "deploy", *words)
    assert (code, "--despite-foreign" in err, exported(server.device)) == (1, True, before)
    code, out, _ = _run(capsys, "deploy", *words, "--despite-foreign", "--confirm", "--format", "json")
    assert (code, json.loads(out)["obstacles"]) == (0, [])
    assert "all else" in "".join(json.loads(out)["warnings"])


def test_what_conflicts_makes_room_only_when_told(
    words: list[str], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    address = {"address": "10.1.0.2/24", "interface": "GUESTS", "comment": "printer"}
    server.device.call(("ip", "address"), "add", address)
    before = exported(server.device)
    code, _, err = _run(capsys, "deploy", *words)
    assert (code, "/ip address remove [find where" in err, exported(server.device)) == (1, True, before)
    assert _run(capsys, "deploy", *words, "--replace-foreign", "--confirm")[0] == 0
    assert "printer" not in exported(server.device).split("/system script")[0]
    assert _run(capsys, "deploy", "--remove", *words[1:], "--confirm")[0] == 0
    assert exported(server.device) == before
    code, _, err = _run(capsys, "deploy", words[0], "--to", "linux", "--replace-foreign")
    assert (code, "only RouterOS" in err) == (2, True)


def test_a_confirmation_that_fails_rolls_back_at_once(
    words: list[str], server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from compiler.deploy.routeros import deployment

    def other(*_: object) -> str:
        return "another"

    before = exported(server.device)
    monkeypatch.setattr(deployment, "digest_of", other)
    code, _, err = _run(capsys, "deploy", *words, "--confirm")
    assert (code, "not confirmed, and rolled back" in err) == (1, True)
    assert exported(server.device) == before
