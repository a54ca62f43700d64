"""The command: what it prints, its exit codes, Ctrl-C, and sources that others register."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compiler.cli.main import main
from tests.fleet import CLOSED, write_fleet

ROOT = Path(__file__).parents[3]

TELNET = f"unreachable any {CLOSED} tcp/23"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    return tmp_path


@pytest.fixture
def fleet(here):
    write_fleet(here / "fleet", 15, most=10)
    return here / "fleet"


def swept(*words):
    return main(["sweep", *words, "--processes", "0"])


def test_all_is_well(fleet, capsys):
    (fleet / "site0013.cfg").unlink()
    assert swept("configs", "fleet", "--check", TELNET) == 0
    assert capsys.readouterr().out == "14 items: 14 held, 0 failed\n"


def test_a_finding_is_shown_with_its_packet_and_summed_up(fleet, capsys):
    assert swept("configs", "fleet", "--check", TELNET) == 1
    out = capsys.readouterr().out
    assert out.startswith("fleet/site0013.cfg: FAILED\n")
    assert "repeat:  gerbang trace fleet/site0013.cfg" in out
    assert "15 items: 14 held, 1 failed\n1 failed: unreachable" in out


def test_json_is_a_line_for_each_item_and_one_for_the_sum(fleet, capsys):
    assert swept("configs", "fleet", "--check", TELNET, "--format", "json") == 1
    *items, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["identity"]: one["outcome"] for one in items}["fleet/site0013.cfg"] == "failed"
    assert len(items) == 15
    assert last["summary"] == {"held": 14, "failed": 1, "broken": 0}
    assert last["groups"][0]["simplest"]["identity"] == "fleet/site0013.cfg"


def test_properties_may_stand_in_a_file(fleet, here, capsys):
    (here / "rules.txt").write_text(f"# of the fleet\n\n{TELNET}\nno_shadowed_rule\n")
    assert swept("configs", "fleet/site0001.cfg", "--checks", "rules.txt", "--verbose") == 0
    assert "fleet/site0001.cfg: held" in capsys.readouterr().out


def test_a_journal_is_gone_on_with_only_when_that_is_said(fleet, capsys):
    words = ("configs", "fleet", "--check", TELNET, "--journal", "night.jsonl")
    assert swept(*words) == 1
    assert swept(*words) == 2
    assert "--resume goes on with it" in capsys.readouterr().err
    assert swept(*words, "--resume") == 1
    assert "15 items (15 by an earlier run)" in capsys.readouterr().out
    assert swept("configs", "fleet", "--check", "check", "--journal", "night.jsonl", "--resume") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["configs", "fleet"], "say what must hold"),
        (["configs", "nowhere", "--check", "check"], "no configuration at 'nowhere'"),
        (["configs", "fleet", "--check", "reachble"], "no property is called"),
        (["configs", "fleet", "--check", "check", "--resume"], "--resume goes with --journal"),
        (["run", "nomodule:function", "1..3"], "cannot import"),
        (["run", "json:nothing", "1..3"], "has no 'nothing'"),
        (["run", "json", "1..3"], "expected MODULE:FUNCTION"),
        (["run", "json:dumps", "3..1"], "in order"),
        (["run", "json:dumps", "1", "--timeout", "0"], "more than 0"),
        (["nosource"], "invalid choice"),
        ([], "required"),
    ],
)
def test_wrong_use_is_two(fleet, capsys, words, said):
    assert main(["sweep", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_function_of_numbers_lines_and_what_another_yields(here, capsys):
    (here / "own_checks.py").write_text(
        "def short(item): return len(str(item)) < 4\ndef names(): yield from ('anna', 'bert', 'cy')\n"
    )
    (here / "lines.txt").write_text("one\n\nseven\n")
    assert swept("run", "own_checks:short", "998..1001", "@lines.txt", "own_checks:names", "word") == 1
    out = capsys.readouterr().out
    wrong = {line.partition(":")[0] for line in out.splitlines() if line.endswith(": FAILED")}
    assert wrong == {"1000", "1001", "seven", "anna", "bert", "word"}
    assert "10 items: 4 held, 6 failed" in out


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("len", "a builtin_function_or_method"),
        ("lambda: 1", "a function"),
        ("object()", "an object"),
        ("[1, {2}]", "a list with a set in it"),
        ("{(1, 2): 3}", "a dict"),
        ("(h := {}).setdefault(1, h)", "a dict"),
    ],
)
def test_what_is_no_figure_is_said_without_a_traceback(here, monkeypatch, capsys, returned, said):
    name = f"odd_checks_{abs(hash(returned))}"  # modules stay imported
    (here / f"{name}.py").write_text(f"def asks(item):\n    return {returned}\n")
    monkeypatch.syspath_prepend(here)
    assert swept("run", f"{name}:asks", "7") == 1
    told = capsys.readouterr()
    assert f"  the check returned {said}: expected True, False, an Answer or a figure\n" in told.out
    assert "Traceback" not in told.out + told.err


def test_nothing_at_all_is_no_success(here, capsys):
    (here / "empty.txt").write_text("")
    assert swept("run", "json:dumps", "@empty.txt") == 1
    assert "nothing to sweep" in capsys.readouterr().err


def test_a_source_of_another_distribution(here, monkeypatch, capsys):
    (here / "own-1.0.dist-info").mkdir()
    (here / "own-1.0.dist-info" / "entry_points.txt").write_text(
        "[gerbang.sweeps]\ndoors = own_source:source\nbroken = own_source:missing\n"
    )
    (here / "own_source.py").write_text(
        "from compiler.cli.sweep_source import Plan, Source\n"
        "def plan(arguments): return Plan(range(arguments.doors), bool)\n"
        "def configure(parser): parser.add_argument('doors', type=int)\n"
        "source = Source('all doors', configure, plan)\n"
    )
    monkeypatch.syspath_prepend(here)
    assert swept("doors", "3") == 1
    told = capsys.readouterr()
    assert "3 items: 2 held, 1 failed" in told.out
    assert "the source 'broken' of own cannot be loaded" in told.err


def test_ctrl_c_ends_cleanly_and_resume_goes_on(here):
    # A quarter of a minute, so that a busy machine is not done before it is interrupted; the rest is done at once.
    slow = "import os, time\ndef waits(item): os.path.exists('go') or time.sleep(0.05)\n"
    (here / "own_checks.py").write_text(slow)
    words = [sys.executable, "-m", "compiler", "sweep", "run", "own_checks:waits", "1..600"]
    words += ["--processes", "2", "--journal", "j", "--format", "json"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as child:
        for _ in range(20):
            child.stdout.readline()
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to the workers too
        _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in said
    assert "--resume goes on from here" in said
    until = time.monotonic() + 20  # the server that forks goes when it sees that we have gone
    while _session_is_alive(child.pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _session_is_alive(child.pid)
    kept = [json.loads(line) for line in (here / "j").read_text().splitlines()]
    assert 20 <= len(kept) - 1 < 600
    (here / "go").touch()
    done = subprocess.run([*words, "--resume"], capture_output=True, text=True, env=environment, check=False)
    last = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0
    assert last["summary"]["held"] == 600
    assert last["resumed"] == len(kept) - 1


def _session_is_alive(session):
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True
