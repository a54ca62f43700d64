"""``gerbang login``, ``call`` and ``logout`` against a real daemon."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from appliance.cli.calling import _lines
from appliance.cli.tables import as_csv
from compiler.cli.main import main
from compiler.errors import UsageError
from tests.appliance.daemon.house import PASSWORD
from tests.appliance.daemon.process import Process


@pytest.fixture(autouse=True)
def surroundings(process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GERBANG_SOCKET", str(process.socket))
    monkeypatch.setenv("GERBANG_TOKEN", process.tokens["admin"])


def gerbang(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(list(words)) == code, capsys.readouterr().err
    said = capsys.readouterr()
    return said.out if code == 0 else said.err


def test_login_keeps_a_token_and_logout_forgets_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GERBANG_TOKEN")
    assert "log in first" in gerbang(capsys, "call", "ledger.whoami", code=1)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    gerbang(capsys, "login", "maya", "--password-stdin")
    file = tmp_path / "gerbang" / "tokens.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert gerbang(capsys, "call", "ledger.whoami") == "maya\n"
    gerbang(capsys, "logout")
    assert json.loads(file.read_text()) == {}
    gerbang(capsys, "logout")
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n"))
    assert "wrong" in gerbang(capsys, "login", "maya", "--password-stdin", code=1)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert "terminal" in gerbang(capsys, "login", "maya", code=2)


def test_a_command_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    made = gerbang(
        capsys, "call", "ledger.accounts.add", "--code", "K1", "--title", "Kas", "--balance=-5", "--format", "json"
    )
    assert json.loads(made)["row"] == {"code": "K1", "title": "Kas", "balance": -5, "note": ""}
    change = ("call", "ledger.accounts.change", "--code", "K1", "--version", "1")
    said = gerbang(capsys, *change, "--row.code", "K1", "--row.title", "Bank")
    assert "row.title: Bank\n" in said
    assert "changed by admin" in gerbang(capsys, *change, "--row.code", "K1", "--row.title", "X", code=1)
    help_text = gerbang(capsys, "call", "ledger.accounts.change", "--help")
    assert "--row.title" in help_text
    assert "Roles: ledger.manager, system.administrator." in help_text


def test_fields_that_are_left_out_keep_their_values(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    gerbang(capsys, "call", "ledger.accounts.add", "--code", "P1", "--title", "Kas", "--note", "as it is")
    change = ("call", "ledger.accounts.change", "--code", "P1", "--format", "json")
    said = json.loads(gerbang(capsys, *change, "--row.title", "Bank"))
    assert (said["version"], said["row"]["title"], said["row"]["note"]) == (2, "Bank", "as it is")
    file = tmp_path / "row.json"
    file.write_text('{"row": {"note": ""}}')
    said = json.loads(gerbang(capsys, *change, "--json", str(file)))
    assert (said["version"], said["row"]["title"], said["row"]["note"]) == (3, "Bank", "")
    assert "changed by admin" in gerbang(capsys, *change, "--version", "1", "--row.title", "X", code=1)
    assert "there is no account P9" in gerbang(
        capsys, "call", "ledger.accounts.change", "--code", "P9", "--row.title", "X", code=1
    )
    assert "code: missing" in gerbang(capsys, "call", "ledger.accounts.change", "--row.title", "X", code=2)
    people = gerbang(capsys, "call", "system.people.change", "--name", "maya", "--row.full-name", "Maya Baru")
    assert "row.roles: ledger.manager" in people


def test_an_answer_that_is_a_file_is_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "statement.txt"
    gerbang(capsys, "call", "ledger.statement", "--output", str(file))
    assert file.read_text() == "all is well\n"
    assert [one.name for one in tmp_path.iterdir()] == ["statement.txt"]
    gerbang(capsys, "call", "ledger.greet", "--output", str(file))
    assert file.read_text() == '"hello admin"\n'
    nowhere = ("--output", str(tmp_path / "no" / "x"))
    assert "cannot write" in gerbang(capsys, "call", "ledger.statement", *nowhere, code=2)


def test_wrong_options_are_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert "is no integer" in gerbang(capsys, "call", "ledger.deposit", "--account", "K1", "--amount", "x", code=2)
    assert "amount: missing" in gerbang(capsys, "call", "ledger.deposit", "--account", "K1", code=2)
    assert "--nothing" in gerbang(capsys, "call", "ledger.deposit", "--nothing", "1", code=2)
    assert "did you mean ledger.deposit" in gerbang(capsys, "call", "ledger.deposti", code=2)
    assert "cannot read" in gerbang(capsys, "call", "ledger.deposit", "--json", "/nothing", code=2)


def test_values_of_every_kind_and_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = ("--day", "2026-01-02", "--moment", "2026-01-02T03:04:05+07:00", "--decimals", "1.5", "--note", "a")
    several = ("--names", "x", "--names", "y", "--within", '{"balance": 3}')
    said = json.loads(gerbang(capsys, "call", "ledger.echo", *words, *several, "--format", "json"))
    assert (said["names"], said["within"]) == (["x", "y"], {"balance": 3})
    none = gerbang(capsys, "call", "ledger.echo", *words, "--within", "null", "--format", "json")
    assert json.loads(none)["within"] is None
    file = tmp_path / "a.json"
    file.write_text('{"account": "K1",\n "amount": x}')
    assert f"{file}:2:12:" in gerbang(capsys, "call", "ledger.deposit", "--json", str(file), code=2)
    monkeypatch.setattr("sys.stdin", io.StringIO('{"code": "J1", "title": "Kas"}'))
    said = gerbang(capsys, "call", "ledger.accounts.add", "--json", "-", "--title", "Over", "--format", "json")
    assert json.loads(said)["row"]["title"] == "Over"


def test_a_listing(capsys: pytest.CaptureFixture[str]) -> None:
    for code, balance in (("L1", "100"), ("L2", "300"), ("L3", "200")):
        gerbang(capsys, "call", "ledger.accounts.add", "--code", code, "--title", "雪 \x1b", code=2)
        gerbang(capsys, "call", "ledger.accounts.add", "--code", code, "--title", "雪 kas", "--balance", balance)
    asked = ("call", "ledger.accounts", "--search", "雪", "--sort=-balance", "--where", "balance>=200")
    assert gerbang(capsys, *asked) == ("code  title   balance  note\nL2    雪 kas      300\nL3    雪 kas      200\n")
    assert [row["code"] for row in json.loads(gerbang(capsys, *asked, "--format", "json"))] == ["L2", "L3"]
    assert gerbang(capsys, *asked, "--format", "csv", "--limit", "1") == "code,title,balance,note\nL2,雪 kas,300,\n"
    for order in (("--sort", "-balance"), ("--sort=-balance",), ("--sort", "title", "--sort", "-balance")):
        rows = json.loads(gerbang(capsys, "call", "ledger.accounts", "--search", "雪", *order, "--format", "json"))
        assert [row["code"] for row in rows] == ["L2", "L3", "L1"]
    assert "no column" in gerbang(capsys, "call", "ledger.accounts", "--sort", "-nothing", code=1)
    assert "expected such as" in gerbang(capsys, "call", "ledger.accounts", "--where", "balance", code=2)
    assert "no column" in gerbang(capsys, "call", "ledger.accounts", "--sort", "nothing", code=1)


def test_a_file_goes_before_the_command_that_claims_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "bukti.png"
    file.write_bytes(b"\x89PNG")
    assert gerbang(capsys, "call", "ledger.attach", "--upload", f"file={file}") == "bukti.png image/png 4\n"
    refused = ("call", "ledger.attach", "--upload")
    assert "an option of the command: file" in gerbang(capsys, *refused, f"x={file}", code=2)
    assert "an option of the command: file" in gerbang(capsys, *refused, str(file), code=2)
    assert "there is no file" in gerbang(capsys, *refused, f"file={tmp_path / 'none'}", code=2)


def test_work_tells_its_progress(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "ledger.count-up", "--steps", "150"]) == 0
    said = capsys.readouterr()
    assert said.out == "150\n"
    assert "/150 counting" in said.err


def test_everything_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    said = gerbang(capsys, "call")
    assert "ledger.deposit" in said
    assert "Add to an account." in said
    assert "there is no" not in said


def test_only_what_one_may_use_is_listed(
    capsys: pytest.CaptureFixture[str], process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "system.people.add" in gerbang(capsys, "call")
    monkeypatch.setenv("GERBANG_TOKEN", process.tokens["ani"])
    said = gerbang(capsys, "call")
    assert "ledger.deposit" in said
    assert "system.people.add" not in said


def test_records_are_a_table_and_csv() -> None:
    lines = [{"day": "2026-01-01", "guest": "雪", "sum": 5}, {"day": "2026-01-02", "guest": 'a,"b"\x1b', "sum": None}]
    report = {"title": "May", "lines": lines, "days": [1, 2]}
    assert _lines(report) == [
        "title: May",
        "lines:",
        "  day         guest   sum",
        "  2026-01-01  雪        5",
        '  2026-01-02  a,"b"',
        "days: 1, 2",
    ]
    assert _lines(lines)[0] == "day         guest   sum"
    written = 'day,guest,sum\n2026-01-01,雪,5\n2026-01-02,"a,""b""\x1b",\n'
    assert as_csv(report) == as_csv(lines) == written
    assert as_csv([]) == ""
    for no_list in (5, {"a": 1}, {"a": lines, "b": lines}, [1, 2]):
        with pytest.raises(UsageError, match="no list of records"):
            as_csv(no_list)


@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_nobody_answers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "No such file" in gerbang(capsys, "call", "ledger.greet", "--socket", str(tmp_path / "x"), code=1)
