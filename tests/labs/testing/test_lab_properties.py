"""Labs under test: the fixture, the words in lab files, and the command that repeats a failure."""

import shlex
import subprocess
import sys

import pytest

from compiler.cli.main import main
from compiler.errors import InputErrors, UsageError
from compiler.testing.answer import PropertyFailed, Sureness
from labs.assertions import VerdictState, judge_all
from labs.ftp_filter import FOLDER
from labs.lab_file import read_lab
from labs.simulated import run
from labs.testing.tested import lab_under_test

HEAD = """\
name: small
nodes:
  pc: {kind: host, address: 10.0.0.2/24, gateway: 10.0.0.1}
  router:
    kind: router
    interfaces: {lan: 10.0.0.1/24, wan: 192.0.2.1/24}
    configuration: |
      table inet f {
        chain forward {
          type filter hook forward priority filter; policy drop;
          ct state established accept
          iifname "lan" tcp dport 80 accept
        }
      }
  server: {kind: server, address: 192.0.2.9/24, gateway: 192.0.2.1, services: [http]}
links: [{name: lan, ends: [pc, "router:lan"]}, {name: wan, ends: ["router:wan", server]}]
assert:
"""


def judged(lab_folder, rest):
    lab = read_lab(lab_folder(HEAD + rest))
    return judge_all(lab, run(lab))


def test_words_of_the_network_are_judged_in_lab_files(lab_folder):
    verdicts = judged(
        lab_folder,
        "  - reachable: {from: pc, to: server, service: tcp/80}\n"
        "  - returns: {from: pc, to: server, service: tcp/80, under: {failures: 1}, among: [pc]}\n"
        "  - isolated: {from: pc, to: server, service: tcp/80}\n"
        "  - unreachable: {from: server, to: pc}\n"
        "  - via: {from: pc, to: server, node: router}\n"
        "  - no_loop: {}\n",
    )
    held, failed = VerdictState.HELD, VerdictState.FAILED
    assert [one.state for one in verdicts] == [held, held, failed, held, held, held]
    assert verdicts[0].message.startswith("tested: ")
    assert "packet tcp 10.0.0.2:1025 > 192.0.2.9:80 flags=syn; path pc > router" in verdicts[2].message
    assert 'iifname "lan" tcp dport 80 accept' in verdicts[2].message


def test_the_command_repeats_what_was_seen(lab_folder, capsys):
    verdict = judged(lab_folder, "  - unreachable: {from: pc, to: server}\n")[0]
    words = shlex.split(verdict.message.partition("repeat: ")[2])
    assert words[:3] == ["gerbang", "lab", "trace"]
    assert main(words[1:]) == 0
    assert "it comes to server:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("  - sticky: {key: source}\n", "sticky needs 'traffic', or 'from' and 'to'"),
        ("  - recovers: {from: pc, to: server, within: 1 s}\n", "recovers with 'from' needs 'fault'"),
        ("  - balanced: {links: [lan, wan], within: 1 %, service: tcp}\n", "without 'from' looks at the run"),
        ("  - reachable: {from: pc, to: server, under: many}\n", "expected a whole number"),
    ],
)
def test_what_says_nothing_is_refused(lab_folder, rest, said):
    with pytest.raises(InputErrors, match=said):
        read_lab(lab_folder(HEAD + rest))


def test_an_end_that_there_is_not_is_told_with_its_place(lab_folder):
    with pytest.raises(UsageError, match=r"lab.yaml:18:\d+: no host is called 'nobody'"):
        judged(lab_folder, "  - reachable: {from: nobody, to: server}\n")


def test_a_shipped_lab_under_test():
    hospital = lab_under_test(FOLDER.parent / "hospital")
    assert hospital.verify().reachable("nurse-*", "server", "tcp/25").sureness is Sureness.PROVED
    with pytest.raises(PropertyFailed) as failed:
        hospital.verify().under(failures=1).reachable("nurse-1", "server", "tcp/25")
    assert "while centre is dead" in failed.value.answer.said
    assert hospital.run().holds().held
    with pytest.raises(UsageError, match="is no world"):
        hospital.run("moon")


def test_the_command_of_a_proof_goes_through_the_lab(capsys):
    asked = lab_under_test(FOLDER.parent / "hospital").verify().under(failures=1)
    answer = asked.ask_reachable("nurse-1", "server", "tcp/25")
    assert answer.sureness is Sureness.PROVED
    assert answer.witness is not None
    words = shlex.split(answer.witness.command)
    assert words[:3] == ["gerbang", "lab", "trace"]
    assert words[4:7] == ["--dead", "centre", "nurse-1"]
    assert main(words[1:]) == 1
    capsys.readouterr()
    assert main([word for word in words[1:] if word not in ("--dead", "centre")]) == 0
    assert "it comes to server:" in capsys.readouterr().out


def test_a_run_that_judges_nothing_or_fails_does_not_hold(lab_folder):
    small = lab_under_test(lab_folder(HEAD + "  - isolated: {from: pc, to: server}\n"))
    with pytest.raises(PropertyFailed, match="isolated pc to server"):
        small.run().holds()
    assert not lab_under_test(lab_folder(HEAD.replace("assert:\n", ""))).run().ask().held


def test_the_fixture_in_a_suite_of_its_own(lab_folder, tmp_path):
    folder = lab_folder(HEAD + "  - reachable: {from: pc, to: server, service: tcp/80}\n")
    (tmp_path / "test_it.py").write_text(
        f"def test_it(lab):\n    small = lab({str(folder)!r})\n    small.run().holds()\n"
        "    small.verify().unreachable('pc', 'server', 'tcp/80')\n"
    )
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    told = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert told.returncode == 1, told.stdout + told.stderr
    assert "tcp 10.0.0.2:1025 > 192.0.2.9:80 flags=syn" in told.stdout
    assert "gerbang lab trace" in told.stdout
