"""Programs and commands in network namespaces: begun, waited for, seen, judged, and ended with all that they began."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compiler.errors import UsageError
from labs.agreement import compare, in_both
from labs.assertions import VerdictState, judge_all
from labs.determined import left_out
from labs.kernel import run as run_in_kernel
from labs.kernel import why_not
from labs.lab_file import read_lab
from labs.simulated import run as simulate
from labs.testing.tested import LabRun

pytestmark = pytest.mark.skipif(bool(why_not()), reason=str(why_not()))

ECHO = """\
import os, socket, sys
listener = socket.create_server(("", int(sys.argv[1])))
open(sys.argv[2], "w").close()
print("echoing as", socket.gethostname(), flush=True)
while True:
    connection, _ = listener.accept()
    with connection:
        while octets := connection.recv(1000):
            connection.sendall(os.environ["LETTERS"].encode() + octets)
"""
ASK = """\
import socket, sys
try:
    with socket.create_connection((sys.argv[1], 7), 1) as connection:
        connection.sendall(b"question\\n")
        print(connection.recv(1000).decode(), end="")
except OSError as error:
    print("nothing:", type(error).__name__, file=sys.stderr)
    sys.exit(4)
"""
LAB = """\
name: real
duration: 30 s
nodes:
  centre: {kind: switch}
  pc: {kind: host, address: 10.0.0.2/24, name_server: 10.0.0.3}
  server:
    kind: server
    address: 10.0.0.3/24
    private: [/run]
    services: [{name: echo, stands_for: echo}]
    programs:
      - {name: first, run: [sh, -c, "echo secret > /run/secret; hostname > $LAB_SHARED/name"], ready: {exits: 0}}
      - name: echo
        run: [python, echo.py, "7", /run/listening]
        environment: {LETTERS: "as "}
        ready: {file: /run/listening, within: 60 s}
        stop: 20 s
links: [[pc, centre], [server, centre]]
traffic:
  - {name: before, client: pc, server: server, run: python ask.py 10.0.0.3}
  - {name: after, client: pc, server: server, run: python ask.py 10.0.0.3, at: 6 s}
  - {name: seen, client: pc, server: server, run: [sh, -c, "cat /etc/resolv.conf $LAB_SHARED/name /run/secret"]}
  - {name: far, client: pc, server: server, run: ["cat", "/run/secret"]}
  - {name: near, client: server, server: server, run: ["cat", "/run/secret"]}
  - {name: network, client: pc, server: server, connect: 7, at: 1 s}
  - {name: cut, client: pc, server: server, connect: 7, at: 6 s, timeout: 1 s}
faults: [{at: 5 s, node: centre, state: down}]
assert:
  - exited: before
  - said: {traffic: before, matches: "^as question$"}
  - exited: {traffic: after, with: 4}
  - said: {traffic: after, contains: "nothing:"}
  - exited: {traffic: seen, with: 1}
  - said: {traffic: seen, matches: "nameserver 10\\\\.0\\\\.0\\\\.3\\\\nserver\\\\n"}
  - exited: {traffic: far, with: 1}
  - said: {traffic: near, contains: secret}
  - connected: network
  - failed: cut
"""


@pytest.fixture
def folder(lab_folder):
    return lab_folder(LAB, echo__py=ECHO, ask__py=ASK)


def changed(lab_folder, *pairs):
    """The lab, with these texts replaced by those."""
    text = LAB
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return read_lab(lab_folder(text, echo__py=ECHO, ask__py=ASK))


def messages(lab, observation, state):
    return [verdict.message for verdict in judge_all(lab, observation) if verdict.state is state]


def processes(word):
    """The processes of this machine that have the word among theirs."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if word.encode() in words:
            found.append(int(entry.parent.name))
    return found


def wait_until(condition, limit=60.0):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_both_worlds_judge_what_they_have_and_agree_on_the_network(folder):
    lab = read_lab(folder)
    simulated, real = simulate(lab), run_in_kernel(lab)
    assert messages(lab, real, VerdictState.FAILED) == []
    assert messages(lab, real, VerdictState.SKIPPED) == []
    assert messages(lab, simulated, VerdictState.FAILED) == []
    skipped = messages(lab, simulated, VerdictState.SKIPPED)
    assert len(skipped) == 8
    assert all("not judged in the simulator" in message for message in skipped)
    assert ("program echo of server", "a program is a real process, and the simulator runs none") in simulated.lacks
    # The stand-in says who it saw, the real one does not: that is left out, and the rest compared.
    assert [str(one) for one in compare(lab, simulated, real)] == []
    assert in_both(lab, simulated, real) == (2, 7)
    (sentence,) = left_out(lab, simulated, real)
    assert sentence.startswith("as whom network, cut were seen")
    assert "program echo of server" in sentence
    record = next(one for one in real.programs if one.program == "echo")
    assert (record.status, record.is_fallen, record.output) == (None, False, "echoing as server\n")
    assert not Path("/run/secret").exists()


def test_a_wrong_expectation_fails_and_shows_what_was_said(lab_folder):
    lab = changed(
        lab_folder,
        ("exited: before", "exited: {traffic: before, with: 3}"),
        ("^as question$", "^nobody$"),
    )
    failed = messages(lab, run_in_kernel(lab), VerdictState.FAILED)
    assert len(failed) == 2
    assert all("exited with 0 [as question]" in message for message in failed)


def test_what_the_machine_has_not_got_is_skipped_by_name_and_the_stand_in_serves(lab_folder):
    lab = changed(lab_folder, ("stop: 20 s", "needs: [no-such-daemon]"))
    real = run_in_kernel(lab)
    assert real.programs == ()
    assert ("program echo of server", "echo: no-such-daemon is not installed") in real.lacks
    assert ("program first of server", "echo: no-such-daemon is not installed") in real.lacks
    assert messages(lab, real, VerdictState.FAILED) == []
    skipped = messages(lab, real, VerdictState.SKIPPED)
    assert len(skipped) == 8
    assert all("no-such-daemon is not installed" in message for message in skipped)
    # Both worlds have the stand-in: nothing is left out of the comparison.
    simulated = simulate(lab)
    assert compare(lab, simulated, real) == ()
    assert left_out(lab, simulated, real) == ()


def test_a_missing_user_is_a_reason_too(lab_folder):
    lab = changed(lab_folder, ("stop: 20 s", 'needs: ["user:no-such-user"]'))
    assert ("program echo of server", "echo: there is no user no-such-user") in run_in_kernel(lab).lacks


def test_the_lab_of_somebody_else_begins_no_process(folder, monkeypatch):
    lab = read_lab(folder)
    monkeypatch.setenv("GERBANG_CONFINED", str(folder))
    real = run_in_kernel(lab)
    assert (real.programs, real.commands) == ((), ())
    assert len([reason for _, reason in real.lacks if "somebody else" in reason]) >= 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("file: /run/listening, within: 60 s", "port: 8, within: 300 ms", r"is not ready after 300 ms \(port 8\)"),
        ("file: /run/listening, within: 60 s", "socket: /run/listening, within: 2 s", "is not ready after 2 s"),
        ('"7", /run/listening]', '"x", /run/listening]', "exited with 1 before it was ready"),
        ("hostname > $LAB_SHARED/name", "exit 3", "program first of server exited with 3 before"),
    ],
)
def test_a_program_that_does_not_get_ready_is_told_with_its_place_and_its_last_lines(lab_folder, old, new, said):
    lab = changed(lab_folder, (old, new))
    with pytest.raises(UsageError, match=said) as caught:
        run_in_kernel(lab)
    assert re.match(r"\S+lab\.yaml:\d+:\d+: ", str(caught.value))
    if '"x"' in new:
        assert "| ValueError: invalid literal for int()" in str(caught.value)


def test_a_port_a_socket_and_a_line_are_signs_too(lab_folder):
    serve = "import socket; s = socket.socket(socket.AF_UNIX); s.bind('/run/s'); s.listen(); s.accept()\n"
    listen = (
        "import socket, time; s = socket.create_server(('10.0.0.3', 99)); print('up', flush=True); time.sleep(999)\n"
    )
    more = (
        '      - {name: unix, run: [python, -c, "import serve, time; time.sleep(999)"], '
        "ready: {socket: /run/s, within: 60 s}}\n"
        "      - {name: tcp, run: python listen.py, ready: {port: 99, within: 60 s}}\n"
        '      - {name: line, run: [sh, -c, "echo now it; echo is ready; exec sleep 999"], ready: {says: is ready}}\n'
    )
    text = LAB.replace("links: [[pc", more + "links: [[pc")
    lab = read_lab(lab_folder(text, echo__py=ECHO, ask__py=ASK, serve__py=serve, listen__py=listen))
    real = run_in_kernel(lab)
    assert {one.program: one.is_fallen for one in real.programs} == dict.fromkeys(
        ("first", "echo", "unix", "tcp", "line"), False
    )
    assert messages(lab, real, VerdictState.FAILED) == []


def test_a_program_that_dies_makes_the_run_wrong(lab_folder):
    text = LAB.replace(
        "links: [[pc",
        '      - {name: weak, run: [sh, -c, "echo up; sleep 1; echo I give up; exit 7"], ready: {says: up}}\n'
        "links: [[pc",
    )
    lab = read_lab(lab_folder(text, echo__py=ECHO, ask__py=ASK))
    real = run_in_kernel(lab)
    (fallen,) = real.fallen()
    assert (fallen.program, fallen.status) == ("weak", 7)
    answer = LabRun(lab, real, judge_all(lab, real)).ask()
    assert not answer.held
    assert "program weak of server exited with 7" in answer.said
    assert "I give up" in answer.said


def test_a_command_that_takes_too_long_is_ended_with_its_children(lab_folder):
    mark = f"9{os.getpid()}7"
    slow = f'"sleep {mark} & sleep {mark}; echo never"'
    lab = changed(
        lab_folder,
        ("run: python ask.py 10.0.0.3}", f"timeout: 1 s, run: [sh, -c, {slow}]}}"),
        ("exited: before", "exited: near"),
    )
    real = run_in_kernel(lab)
    record = next(one for one in real.commands if one.traffic == "before")
    assert (record.status, record.output) == (None, "")
    assert not processes(mark)
    assert any("did not end in its time" in message for message in messages(lab, real, VerdictState.FAILED))


def test_nothing_outlives_the_lab_not_even_a_daemon_in_a_session_of_its_own(lab_folder):
    mark = f"8{os.getpid()}6"
    lab = changed(lab_folder, ("hostname >", f"setsid sleep {mark} & hostname >"))
    real = run_in_kernel(lab)
    assert messages(lab, real, VerdictState.FAILED) == []
    assert not processes(mark)


def test_nothing_outlives_a_lab_that_is_killed(lab_folder):
    mark = f"6{os.getpid()}5"
    text = LAB.replace("hostname >", f"setsid sleep {mark} & hostname >")
    folder = lab_folder(text.replace("at: 6 s, timeout", "at: 25 s, timeout"), echo__py=ECHO, ask__py=ASK)
    command = [sys.executable, "-m", "compiler", "lab", "run", str(folder), "--kernel"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: processes(mark))
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not processes(mark))


def test_outputs_are_kept_where_they_are_asked_for(folder, tmp_path, capsys):
    from compiler.cli.main import main

    kept = tmp_path / "kept"
    kept.mkdir()
    report = tmp_path / "report.html"
    words = ["lab", "run", str(folder), "--kernel", "--outputs", str(kept), "--report", str(report)]
    assert main(words) == 0
    assert {path.name for path in kept.iterdir()} == {
        "server-first.log",
        "server-echo.log",
        *(f"{name}-0.log" for name in ("before", "after", "seen", "far", "near")),
    }
    assert (kept / "before-0.log").read_text() == "as question\n"
    assert f"output: {kept / 'server-echo.log'}" in capsys.readouterr().out
    page = report.read_text()
    assert "<td>before#0</td>" in page
    assert "echoing as server" in page
