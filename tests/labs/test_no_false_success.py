"""Assertions that must not hold: each was once told as held, or ended in a traceback."""

import pytest

from compiler.cli.main import main
from compiler.errors import InputErrors
from compiler.simulator.sockets import FailureKind
from labs.assertions import VerdictState, judge_all
from labs.cli.progress import LabProgress
from labs.lab_file import read_lab, read_lab_file
from labs.simulated import run

HEAD = """\
name: dead
duration: 12 s
nodes:
  pc: {kind: host, address: 10.0.0.2/24, gateway: 10.0.0.1}
  router:
    kind: router
    interfaces: {lan: 10.0.0.1/24, wan: 192.0.2.1/24}
    configuration: |
      table ip filter {
        chain forward {
          type filter hook forward priority filter; policy accept;
          udp dport { 7, 9 } drop
          tcp dport 81 drop
        }
      }
  server:
    kind: server
    address: 192.0.2.9/24
    gateway: 192.0.2.1
    services: [http, source, sink, udp-echo, {name: sink, port: 1234}]
links:
  - {name: lan, ends: [pc, router:lan], delay: 100 ms, rate: 10 Mbit/s}
  - {name: wan, ends: [router:wan, server], rate: 3 Mbit/s}
"""


@pytest.fixture
def verdicts(lab_folder):
    """Runs a lab that begins as HEAD does; returns its verdicts and what was observed."""

    def judged(rest):
        lab = read_lab(lab_folder(HEAD + rest))
        observation = run(lab)
        return [one.state for one in judge_all(lab, observation)], observation

    return judged


def test_datagrams_of_which_none_arrives_are_filtered_and_not_answered(verdicts):
    states, observation = verdicts(
        "traffic:\n"
        "  - {name: one-way, client: pc, server: server, "
        "udp: {arrivals: constant, rate: 80 kbit/s, size: 100, port: 9, count: 10}}\n"
        "  - {name: asked, client: pc, server: server, "
        "udp: {arrivals: constant, rate: 80 kbit/s, size: 100, port: 7, count: 10}}\n"
        "assert: [answered: one-way, answered: asked, filtered: one-way, failed: asked]\n"
    )
    assert observation.outcome("one-way").received == 0
    assert observation.outcome("one-way").connections[0].failure.kind is FailureKind.TIMED_OUT
    failed, held = VerdictState.FAILED, VerdictState.HELD
    assert states == [failed, failed, held, held]


@pytest.mark.parametrize(("until", "right"), [("", False), ("until: 5200 ms, ", True)])
def test_what_was_under_way_is_no_recovery(verdicts, until, right):
    states, _ = verdicts(
        "traffic:\n"
        "  - {name: get, client: pc, server: server, download: {}, duration: 10 s}\n"
        "  - {name: flow, client: pc, server: server, duration: 10 s, "
        "udp: {arrivals: constant, rate: 80 kbit/s, size: 100, port: 1234}}\n"
        f"faults: [{{at: 5 s, {until}link: wan, state: down}}]\n"
        "assert: [recovers: {traffic: get, within: 2 s}, recovers: {traffic: flow, within: 400 ms}, "
        "throughput: {traffic: get, at_least: 2 Mbit/s}]\n"
    )
    assert states == [VerdictState.HELD if right else VerdictState.FAILED] * 3


def test_a_line_number_is_not_a_column(verdicts):
    states, observation = verdicts(
        "traffic: [{name: closed, client: pc, server: server, connect: 81, timeout: 2 s}]\n"
        "assert:\n"
        '  - matches: {node: router, rule: "5"}\n'
        '  - matches: {node: router, rule: "13"}\n'
        '  - matches: {node: router, rule: "lab.yaml:13"}\n'
        '  - matches: {node: router, rule: "lab.yaml:13:5"}\n'
    )
    assert [one.place.rpartition("lab.yaml:")[2] for one in observation.rules if one.packets] == ["13:5"]
    assert states == [VerdictState.FAILED, *[VerdictState.HELD] * 3]


TRAFFIC = "traffic: [{name: web, client: pc, server: server, http: /}]\n"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("throughput: web", "throughput holds whatever happens without 'at_least' or 'at_most'"),
        ("loss: web", "loss holds whatever happens without 'at_least' or 'at_most'"),
        ("delay: web", "delay holds whatever happens without 'at_least' or 'at_most'"),
        ("hops: web", "hops holds whatever happens without 'exactly' or 'through'"),
        ("seen_as: {traffic: web, address: 10.0.0.0/33}", "expected a prefix length from 0 to 32, not '33'"),
        ('seen_as: {traffic: web, address: "2001:db8::/129"}', "expected a prefix length from 0 to 128, not '129'"),
        ('seen_as: {traffic: web, address: "2001:db8::/64 x"}', "expected a prefix length from 0 to 128, not '64 x'"),
        ('seen_as: {traffic: web, address: "10.0.0.0 ::1"}', "address and wildcard are of two families"),
    ],
)
def test_an_assertion_that_says_nothing_is_a_mistake(lab_folder, asked, said):
    with pytest.raises(InputErrors) as raised:
        read_lab(lab_folder(f"{HEAD}{TRAFFIC}assert:\n  - {asked}\n"))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("duration: 12 s", f"duration: {'9' * 400} h", "is more than can be counted"),
        ("rate: 3 Mbit/s", f"rate: {'9' * 5000} bit/s", "is more than can be counted"),
        ("name: dead", "name: ../../dead", "it has no '/'"),
        ("rate: 3 Mbit/s", "mtu: 1279", "IPv6 needs 1280"),
    ],
)
def test_figures_that_no_world_can_have_are_mistakes(lab_folder, old, new, said):
    text = (
        (HEAD + TRAFFIC).replace(old, new).replace("address: 192.0.2.9/24", "address: [192.0.2.9/24, '2001:db8::9/64']")
    )
    with pytest.raises(InputErrors) as raised:
        read_lab(lab_folder(text))
    assert said in str(raised.value)


def test_addresses_are_compared_and_not_their_texts(lab_folder):
    lab = read_lab(
        lab_folder(
            "name: six\n"
            "nodes:\n"
            "  pc: {kind: host, address: '2001:db8::2/64'}\n"
            "  server: {kind: server, address: '2001:db8::9/64', services: [http]}\n"
            "links: [[pc, server]]\n"
            "traffic:\n"
            "  - {name: web, client: pc, server: server, connect: http}\n"
            "  - {name: way, client: pc, server: server, traceroute: {}}\n"
            "assert:\n"
            "  - split: {traffic: web, over: '2001:DB8:0::2'}\n"
            "  - hops: {traffic: way, through: '2001:DB8:0::9'}\n"
        )
    )
    assert {one.state for one in judge_all(lab, run(lab))} == {VerdictState.HELD}


def test_a_progress_line_fits_the_terminal(monkeypatch):
    class Watched:
        written = ""

        def isatty(self):
            return True

        def write(self, text):
            self.written += text

        def flush(self):
            pass

    monkeypatch.setattr("labs.cli.progress.PATIENCE", -1)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    stream = Watched()
    LabProgress("a lab with a rather long name in the simulator", stream)(10**9, 10**10)
    assert 0 < len(stream.written.strip("\r").removesuffix("\x1b[K")) < 60


def test_a_switch_of_many_ports_numbers_those_that_nobody_named(lab_folder):
    text = (
        "name: star\n"
        "nodes:\n"
        '  "pc{1..4}": {kind: host, address: "10.0.0.{1..4}/24"}\n'
        "  centre: {kind: switch}\n"
        "links:\n"
        "  - [pc1, centre:port2]\n"
        '  - ["pc{2..4}", centre]\n'
    )
    ends = [link.ends[1].interface for link in read_lab(lab_folder(text)).links]
    assert ends == ["port2", "port1", "port3", "port4"]


def test_a_ring_of_switches_is_warned_of(lab_folder):
    text = (
        "name: ring\n"
        "nodes:\n"
        "  pc: {kind: host, address: 10.0.0.1/24}\n"
        '  "s{1..3}": {kind: switch}\n'
        "links:\n"
        "  - [pc, s1]\n"
        "  - [s1, s2]\n"
        "  - [s2, s3]\n"
        "  - {name: spare, ends: [s3, s1]}\n"
    )
    warnings = [one.render() for one in read_lab_file(lab_folder(text)).warnings]
    assert len(warnings) == 1
    assert "spare closes a ring of switches" in warnings[0]
    down = text.replace("ends: [s3, s1]", "ends: [s3, s1], state: down")
    assert not read_lab_file(lab_folder(down)).warnings


def test_where_the_report_goes_is_asked_before_the_run(lab_folder, small, tmp_path, capsys):
    folder = lab_folder(small)
    assert main(["lab", "run", str(folder), "--report", str(tmp_path / "nowhere" / "report.html")]) == 2
    said = capsys.readouterr()
    assert "--report: there is no folder" in said.err
    assert not said.out
