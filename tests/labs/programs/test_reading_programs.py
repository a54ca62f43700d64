"""Programs and commands of a lab file: what is read, and every mistake with its place."""

import pytest

from compiler.errors import InputErrors
from labs.lab_file import read_lab
from labs.programs import Ready, ReadyKind

SECOND = 10**9

LAB = """\
name: real
nodes:
  pc: {kind: host, address: 10.0.0.2/24}
  server:
    kind: server
    address: 10.0.0.3/24
    private: [/run, /var/lib]
    services: [{name: discard, port: smtp, stands_for: mail}]
    programs:
      - name: mail
        run: python3 -m http.server 25
        environment: {A: b c, D: ""}
        needs: [python3, "user:root"]
        ready: {port: smtp, within: 3 s}
        stop: 2 s
      - {name: setup, run: [sh, -c, "echo 'a b'"], ready: {exits: 0}}
links: [[pc, server]]
traffic:
  - {name: send, client: pc, server: server, run: python3 send.py 'two words', connections: 3, every: 1 s}
  - {name: ports, client: pc, server: server, connect: smtp}
assert:
  - exited: {traffic: send, with: 2, after: 1 s}
  - said: {traffic: send, matches: "^a+$", contains: aa}
  - connected: ports
"""


def test_all_of_it_is_read(lab_folder):
    folder = lab_folder(LAB)
    lab = read_lab(folder)
    server = lab.node("server")
    mail, setup = server.programs
    assert server.private == ("/run", "/var/lib")
    assert server.services[0].stands_for == "mail"
    assert mail.command.words == ("python3", "-m", "http.server", "25")
    assert mail.command.environment == (("A", "b c"), ("D", ""))
    assert mail.command.needs == ("python3", "user:root")
    assert mail.command.folder == folder
    assert (mail.ready, mail.stop) == (Ready(ReadyKind.PORT, "25", 3 * SECOND), 2 * SECOND)
    assert (mail.may_end, setup.may_end) == (False, True)
    assert setup.command.words == ("sh", "-c", "echo 'a b'")
    send = lab.traffic[0]
    assert send.command.words == ("python3", "send.py", "two words")
    assert (send.server, send.connections, send.timeout) == ("server", 3, 60 * SECOND)
    # A command says not how long it takes: the lab waits for its patience.
    assert lab.duration >= 63 * SECOND


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("stands_for: mail", "stands_for: mial", 8, "server has no program 'mial'; did you mean 'mail'"),
        ("private: [/run", "private: [run", 7, "expected a path from the root"),
        ("private: [/run", "private: [/run/../etc", 7, "expected a path from the root"),
        ("private: [/run", "private: [/usr", 7, "cannot be empty"),
        ("name: mail\n", "nmae: mail\n", 10, "a program has no 'name'"),
        ("name: setup", "name: mail", 16, "server has two programs 'mail'"),
        ("run: [sh, -c, \"echo 'a b'\"]", "run: []", 16, "expected words"),
        ("run: python3 -m http.server 25", "run: python3 'open", 11, "no closing quotation"),
        ("run: python3 -m http.server 25", "rnu: python3", 11, "unknown key 'rnu'; did you mean 'run'"),
        ("{A: b c", "{1A: b c", 12, "'1A' is no name of a variable"),
        ("{A: b c", "{A: [b]", 12, "environment: A: expected one value"),
        ("{port: smtp, within", "{prot: smtp, within", 14, "unknown key 'prot'; did you mean 'port'"),
        ("{port: smtp, within", "{port: stmp, within", 14, "'stmp' is no port"),
        ("{port: smtp, within: 3 s}", "{port: smtp, file: /x}", 14, "here 'port' and 'file'"),
        ("{port: smtp, within: 3 s}", "{socket: x}", 14, "expected a path from the root"),
        ("{exits: 0}", "{exits: 256}", 16, "expected an exit code from 0 to 255"),
        ("stop: 2 s", "stop: 2", 15, "has no unit"),
        ("stop: 2 s", "folder: none", 15, "there is no folder 'none'"),
        ("run: python3 send.py 'two words'", "run: {folder: .}", 19, "run has no 'command'"),
        ("every: 1 s}", "every: 1 s, duration: 1 s}", 19, "a command has no 'duration'"),
        ("client: pc, server: server, run", "client: pc, server: srever, run", 19, "did you mean 'server'"),
        ("exited: {traffic: send", "exited: {traffic: ports", 22, "exited is about commands, and ports is 'connect'"),
        ("connected: ports", "connected: send", 24, "send is a command, and connected is not about those"),
        ('matches: "^a+$"', 'matches: "(a"', 23, "no regular expression"),
        (', matches: "^a+$", contains: aa', "", 23, "holds whatever happens without 'contains' or 'matches'"),
        ("with: 2", "with: two", 22, "expected a whole number"),
    ],
)
def test_mistakes_are_told_with_their_place(lab_folder, old, new, line, said):
    assert LAB.count(old) == 1, old
    with pytest.raises(InputErrors) as caught:
        read_lab(lab_folder(LAB.replace(old, new)))
    places = {(error.span.line, error.span.column > 0) for error in caught.value.errors if said in error.message}
    assert (line, True) in places, [str(error) for error in caught.value.errors]


def test_a_switch_runs_nothing(lab_folder, small):
    text = small.replace("  pc: {", "  centre: {kind: switch, programs: []}\n  pc: {")
    with pytest.raises(InputErrors, match="unknown key 'programs'"):
        read_lab(lab_folder(text))
