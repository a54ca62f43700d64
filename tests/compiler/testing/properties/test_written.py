"""``properties.yaml``: every word asks what its Python twin asks, and every mistake has a place."""

from __future__ import annotations

import pytest

from compiler.errors import InputErrors
from compiler.testing.answer import PropertyFailed
from compiler.testing.headers import packets
from compiler.testing.policies import read_policy
from compiler.testing.properties.result import Status
from compiler.testing.properties.running import ask_all
from compiler.testing.properties.written import read_properties

EDGE = """\
hostname edge
interface GigabitEthernet0/1
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/2
 ip address 172.16.6.254 255.255.0.0
 ip access-group 101 in
access-list 101 permit tcp 172.16.6.0 0.0.0.252 host 10.0.0.2 eq ftp
access-list 101 deny tcp any host 10.0.0.2 eq ftp
access-list 101 permit ip any any
access-list 102 permit udp any any
"""

LAN = """\
networks:
  lan:
    hosts:
      anna: {address: 172.16.6.4/16, gateway: 172.16.6.254}
      bert: {address: [172.16.6.5/16, "2001:db8::5/64"], gateway: 172.16.6.254}
      server: {address: 10.0.0.2/24, gateway: 10.0.0.1}
    routers: {edge: edge.cfg}
    switches: [floor]
    cables:
      - [anna, floor]
      - {ends: [bert, floor], name: berts}
      - [floor, "edge:GigabitEthernet0/2"]
      - [server, "edge:GigabitEthernet0/1"]
"""


@pytest.fixture
def folder(tmp_path):
    """A router beside the file, and how it was before."""
    (tmp_path / "edge.cfg").write_text(EDGE)
    (tmp_path / "old.cfg").write_text(EDGE.replace("0.0.0.252", "0.0.0.0"))
    return tmp_path


@pytest.fixture
def written(folder):
    def write(text):
        path = folder / "properties.yaml"
        path.write_text(text)
        return path

    return write


POLICY = 'policies:\n  edge: {file: edge.cfg, list: "101"}\nproperties:\n'
STUDENTS = packets("172.16.6.0 0.0.0.252", "10.0.0.2", "tcp/21")
FTP = packets("", "10.0.0.2", "tcp/21")

TWINS = [
    (
        "reachable: {from: 172.16.6.0 0.0.0.252, to: 10.0.0.2, service: tcp/21}",
        lambda edge: edge.reachable(STUDENTS),
    ),
    ("reachable: {to: 10.0.0.2, service: tcp/21}", lambda edge: edge.reachable(FTP)),
    (
        "unreachable: {to: 10.0.0.2, protocol: tcp, destination_port: 21, but_not: {from: 172.16.6.0 0.0.0.252}}",
        lambda edge: edge.unreachable(FTP - packets("172.16.6.0 0.0.0.252")),
    ),
    (
        "unreachable: {to: 10.0.0.2, service: tcp/21, but_not: [{from: 172.16.6.0 0.0.0.4}, {from: 172.16.6.8}]}",
        lambda edge: edge.unreachable(FTP - packets("172.16.6.0 0.0.0.4") - packets("172.16.6.8")),
    ),
    (
        "isolated: {between: [172.16.6.1, 10.0.0.2], service: tcp/21}",
        lambda edge: edge.isolated("172.16.6.1", "10.0.0.2", "tcp/21"),
    ),
    ("no_shadowed_rule: yes", lambda edge: edge.no_shadowed_rule()),
    ("permits: 'tcp 172.16.6.4:1025 > 10.0.0.2:21'", lambda edge: edge.permits("tcp 172.16.6.4:1025 > 10.0.0.2:21")),
    ("denies: 'tcp 172.16.6.4:1025 > 10.0.0.2:21'", lambda edge: edge.denies("tcp 172.16.6.4:1025 > 10.0.0.2:21")),
]


@pytest.mark.parametrize(("text", "twin"), TWINS, ids=[text.partition(":")[0] for text, _ in TWINS])
def test_a_word_means_what_it_means_in_python(folder, written, text, twin):
    (found,) = read_properties(written(f"{POLICY}  - policy: edge\n    {text}\n    because: reasons\n"))
    try:
        expected = twin(read_policy(folder / "edge.cfg", list="101"))
    except PropertyFailed as failed:
        expected = failed.answer
    assert found.ask() == expected
    assert (found.because, found.span.line) == ("reasons", 4)


def test_policies_are_compared_by_name_or_by_file(folder, written):
    path = written(
        "policies:\n  edge: edge.cfg\n  old: {file: old.cfg}\nproperties:\n"
        "  - {policy: edge, equivalent_to: old}\n"
        "  - {policy: old, no_wider_than: edge.cfg}\n"
        "  - {policy: edge, no_wider_than: old.cfg}\n"
        '  - {policy: edge.cfg, list: "102", unreachable: {service: tcp}}\n'
        "  - {policy: edge.cfg, ingress: Gi0/2, unreachable: {from: 172.16.6.1, to: 10.0.0.2, service: tcp/21}}\n"
    )
    assert [one.ask().held for one in read_properties(path)] == [False, True, False, True, True]


def test_networks_are_drawn_and_asked(written):
    path = written(
        LAN + "properties:\n"
        "  - {network: lan, reachable: {from: anna, to: server, service: tcp/21}}\n"
        "  - {network: lan, reachable: {from: bert, to: server, service: tcp/21}}\n"
        "  - {network: lan, unreachable: {from: bert, to: server}, for_all: {service: tcp/21}}\n"
        "  - {network: lan, via: {from: anna, to: server, node: edge}}\n"
        "  - {network: lan, avoids: {from: anna, to: bert, node: edge}}\n"
        "  - {network: lan, no_loop: yes}\n"
        "  - {network: lan, unreachable: {from: bert, to: server, service: tcp/21}, under: {failures: 2}}\n"
        "  - {network: lan, reachable: {from: anna, to: server}, under: {failures: 1, among: floor},"
        " because: one switch only}\n"
    )
    assert [one.ask().held for one in read_properties(path)] == [True, False, True, True, True, True, True, False]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("properties: []\n", "1:1", "there are no properties"),
        ("policy: {}\n", "1:1", "unknown key 'policy'"),
        (POLICY + "  - {policy: edge}\n", "4:5", "has no word"),
        (POLICY + "  - {policy: edge, reachable: {}, unreachable: {}}\n", "4:5", "'reachable' and 'unreachable'"),
        (POLICY + "  - {policy: edge, via: {}}\n", "4:20", "unknown key 'via'"),
        (POLICY + "  - {reachable: {}}\n", "4:5", "about one 'policy' or about one 'network'"),
        (POLICY + "  - {policy: egde, reachable: {}}\n", "4:14", "did you mean 'edge'?"),
        (POLICY + "  - {policy: edge, reachable: {form: 10.0.0.1}}\n", "4:32", "did you mean 'from'?"),
        (POLICY + "  - {policy: edge, reachable: {service: tcp/99999}}\n", "4:41", "expected 0 to 65535"),
        (POLICY + "  - {policy: edge, no_shadowed_rule: no}\n", "4:38", "only 'yes' asks something"),
        (POLICY + "  - {policy: edge, isolated: {between: [10.0.0.1]}}\n", "4:30", "expected between"),
        (POLICY + "  - {policy: edge, equivalent_to: gone.cfg}\n", "4:35", "neither a policy of this file"),
        (POLICY + "  - {policy: edge, ingress: Gi0/9, no_shadowed_rule: yes}\n", "4:5", "has no interface"),
        ("policies: {a: gone.cfg}\nproperties: [{policy: a, no_shadowed_rule: yes}]\n", "1:15", "cannot read"),
        (LAN + "properties:\n  - {network: wan, no_loop: yes}\n", "15:15", "no network is called 'wan'"),
        (LAN + "properties:\n  - {network: lan, via: {from: anna, to: server}}\n", "15:25", "has no 'node'"),
        (LAN.replace("[anna, floor]", "[anna]") + "properties: [{network: lan, no_loop: yes}]\n", "10:9", "two ends"),
        (
            LAN.replace("[anna, floor]", "[otto, floor]") + "properties: [{network: lan, no_loop: yes}]\n",
            "10:9",
            "otto",
        ),
        (LAN.replace("6.4/16", "6.4/99") + "properties: [{network: lan, no_loop: yes}]\n", "4:7", "at most 32"),
    ],
)
def test_mistakes_have_their_places(written, text, place, said):
    path = written(text)
    with pytest.raises(InputErrors) as raised:
        read_properties(path)
    assert [one for one in raised.value.errors if str(one.span) == f"{path}:{place}" and said in one.message], (
        raised.value.render()
    )


def test_errors_of_a_configuration_are_told_once_at_their_place(folder, written):
    (folder / "edge.cfg").write_text(EDGE.replace("permit udp", "prmit udp"))
    path = written(
        POLICY + "  - {policy: edge, no_shadowed_rule: yes}\n  - {policy: edge.cfg, no_shadowed_rule: yes}\n"
    )
    with pytest.raises(InputErrors) as raised:
        read_properties(path)
    assert [str(one.span) for one in raised.value.errors] == [f"{folder / 'edge.cfg'}:10:17"]


def test_a_question_that_cannot_be_asked_breaks_only_itself(written):
    path = written(
        'properties:\n  - {policy: edge.cfg, list: "999", reachable: {to: 10.0.0.2}}\n'
        '  - {policy: edge.cfg, list: "102", reachable: {service: udp}}\n'
    )
    broken, held = ask_all([path])
    assert (broken.status, broken.span.line, held.status) == (Status.BROKEN, 2, Status.HELD)
    assert "has no list 999; it has 101, 102" in broken.error


def test_opening_is_asked_as_written(written):
    path = written(
        "policies: {edge: {file: edge.cfg, list: '102'}}\n"
        "properties:\n"
        "  - {policy: edge, unreachable: {from: any, opening: yes}}\n"
        "  - {policy: edge, unreachable: {service: tcp/https, flags: 'syn,!ack'}}\n"
        "  - {policy: edge, reachable: {service: udp/dns, opening: no}}\n"
    )
    assert [one.ask().held for one in read_properties(path)] == [True, True, True]


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ("{from: 10.0.0.0/8, to: 10.0.0.300, service: tcp/22}", "10.0.0.300"),
        ("{from: 10.0.0.0/99, to: 10.0.0.3}", "10.0.0.0/99"),
        ("{to: 10.0.0.3, service: tcp/htps}", "tcp/htps"),
        ("{protocol: tcp, destination_port: htps}", "htps"),
        ("{to: 10.0.0.3, but_not: {service: tpc/22}}", "tpc/22"),
        ("{to: 10.0.0.3, protocol: udp, flags: syn}", "syn"),
    ],
)
def test_an_error_points_at_the_value(written, asked, wrong):
    line = f"  - {{policy: edge, reachable: {asked}}}"
    path = written(f"policies: {{edge: {{file: edge.cfg, list: '101'}}}}\nproperties:\n{line}\n")
    with pytest.raises(InputErrors) as failed:
        read_properties(path)
    (error,) = failed.value.errors
    assert (error.span.line, error.span.column) == (3, line.index(wrong) + 1)


def test_an_error_in_a_service_of_a_network_points_at_it(written):
    line = "  - {network: lan, reachable: {from: anna, to: server, service: tcp/htps}}"
    with pytest.raises(InputErrors) as failed:
        read_properties(written(f"{LAN}properties:\n{line}\n"))
    (error,) = failed.value.errors
    assert error.span.column == line.index("tcp/htps") + 1
