"""The words about one policy: what holds is proved, what fails shows a packet that the device decides so."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from compiler.cli.main import main
from compiler.errors import UsageError
from compiler.testing.answer import PropertyFailed, Sureness
from compiler.testing.headers import packets
from compiler.testing.policies import Policy, read_policy

EDGE = """\
hostname edge
interface GigabitEthernet0/1
 ip address 10.1.0.1 255.255.255.0
 ip access-group 101 in
interface GigabitEthernet0/2
 ip address 10.2.0.1 255.255.255.0
access-list 101 permit tcp 10.1.0.0 0.0.0.255 host 10.2.0.2 eq 80
access-list 101 deny ip 10.1.0.0 0.0.0.255 10.2.0.0 0.0.0.255
access-list 101 permit ip 10.1.0.0 0.0.0.255 any
access-list 101 deny tcp host 10.1.0.7 any eq 25
"""


@pytest.fixture
def edge(tmp_path: Path) -> Policy:
    path = tmp_path / "edge.cfg"
    path.write_text(EDGE)
    return read_policy(path)


def test_what_holds_is_proved(edge):
    answer = edge.reachable("10.1.0.0/24", "10.2.0.2", "tcp/80")
    assert answer.held
    assert answer.sureness is Sureness.PROVED
    assert edge.unreachable("10.1.0.0/24", "10.2.0.3").held
    assert edge.unreachable(packets("10.1.0.0/24", "10.2.0.0/24") - packets(protocol="tcp")).held
    assert edge.isolated("10.7.0.0/16", "10.2.0.0/16").held
    assert edge.through(ingress="gi0/1", egress="gi0/2").reachable("10.1.0.0/24", "10.2.0.2", "tcp/80").held


def test_what_fails_shows_packet_rule_and_command(edge, capsys):
    with pytest.raises(PropertyFailed) as failed:
        edge.reachable("10.1.0.0/24", "10.2.0.2", "tcp/80,443")
    answer = failed.value.answer
    assert answer.witness is not None
    assert answer.witness.packet == "tcp 10.1.0.1:1025 > 10.2.0.2:443 flags=syn"
    (hop,) = answer.witness.path
    assert hop.rules[0].span.line == 8
    assert hop.rules[0].did == "denies"
    assert "edge.cfg:8:1" in str(failed.value)
    words = shlex.split(answer.witness.command)
    assert words[:2] == ["gerbang", "trace"]
    assert main([*words[1:], "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["verdict"] == "denied"
    assert json.loads(json.dumps(answer.as_json()))["witness"]["path"][0]["rules"][0]["line"] == 8


def test_isolation_looks_both_ways(edge):
    with pytest.raises(PropertyFailed, match=r"isolated: 10\.2\.0\.0/24 and 10\.1\.0\.0/24"):
        edge.isolated("10.2.0.0/24", "10.1.0.0/24")


def test_a_dead_rule_is_named(edge):
    with pytest.raises(PropertyFailed) as failed:
        edge.no_shadowed_rule()
    (rule,) = failed.value.answer.witness.path[0].rules
    assert rule.span.line == 10


def test_two_policies_are_compared(edge, tmp_path):
    other = tmp_path / "other.cfg"
    other.write_text(EDGE.replace("deny ip 10.1.0.0 0.0.0.255 10.2.0.0 0.0.0.255", "deny ip any 10.2.0.0 0.0.0.255"))
    assert edge.equivalent_to(other).held  # nobody else was let in before
    other.write_text(EDGE.replace("eq 80", "range 80 81"))
    assert edge.no_wider_than(other).held
    with pytest.raises(PropertyFailed) as failed:
        edge.equivalent_to(other)
    assert ":81 " in failed.value.answer.witness.packet
    assert len(failed.value.answer.witness.path) == 2


def test_one_packet(edge):
    assert edge.permits("tcp 10.1.0.5:1025 > 10.2.0.2:80 flags=syn").held
    assert edge.denies("udp 10.1.0.5:1025 > 10.2.0.2:53").held
    assert edge.permits("udp 10.9.9.9:1 > 10.1.0.2:53 in=GigabitEthernet0/2 out=GigabitEthernet0/1").held
    with pytest.raises(PropertyFailed, match=r"edge\.cfg:8:1"):
        edge.permits("udp 10.1.0.5:1025 > 10.2.0.2:53")


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda edge: edge.reachable("10.1.0.0/33"), "prefix length"),
        (lambda edge: edge.reachable("10.1.0.1", "2001:db8::1"), "two families"),
        (lambda edge: edge.reachable(packets("10.0.0.1"), service="tcp"), "either a set"),
        (lambda edge: edge.reachable(packets("10.0.0.1") - packets("10.0.0.0/8")), "nothing was asked"),
        (lambda edge: edge.through("102").reachable("10.0.0.1"), "no list 102"),
        (lambda edge: edge.reachable(service="tcp/80", protocol="udp"), "says already"),
    ],
)
def test_what_makes_no_sense_is_refused(edge, ask, reason):
    """A property of no packet at all would hold without saying anything."""
    with pytest.raises(UsageError, match=reason):
        ask(edge)


def test_of_several_lists_one_must_be_meant(tmp_path):
    path = tmp_path / "two.cfg"
    path.write_text(EDGE + "access-list 102 permit ip any any\n")
    with pytest.raises(UsageError, match="101, 102"):
        read_policy(path).reachable("10.1.0.1")
    assert read_policy(path, list="102").reachable("10.9.0.1").held


def test_a_firewall_is_asked_way_by_way(tmp_path):
    path = tmp_path / "fw.nft"
    path.write_text(
        "table ip filter {\n chain forward {\n  type filter hook forward priority 0; policy drop;\n"
        '  iifname "lan" ip saddr 10.1.0.0/24 tcp dport 80 accept\n }\n}\n'
    )
    wall = read_policy(path)
    assert wall.through(ingress="lan", egress="wan").reachable("10.1.0.0/24", service="tcp/80").held
    assert wall.through(ingress="wan", egress="lan").unreachable("0.0.0.0/0").held
    with pytest.raises(PropertyFailed):
        wall.through(ingress="lan", egress="wan").unreachable("10.0.0.0/8", service="tcp")


DROPS_ON_INPUT = """\
table ip filter {
  chain input { type filter hook input priority 0; policy accept; tcp dport 25 drop; }
}
"""


def test_what_no_chain_looks_at_passes(tmp_path):
    """``unreachable`` once held for forwarded packets because only ways with a chain were asked about."""
    path = tmp_path / "input.nft"
    path.write_text(DROPS_ON_INPUT)
    wall = read_policy(path)
    with pytest.raises(PropertyFailed):
        wall.unreachable(service="tcp/25", source="10.0.0.1")
    assert wall.reachable(service="tcp/25").held
    assert wall.denies("tcp 10.0.0.1:1025 > 10.0.0.2:25 flags=syn in=lan to-router").held
    path.write_text("table ip filter {\n chain forward { type filter hook forward priority 0; policy accept; }\n}\n")
    assert read_policy(path).reachable("10.0.0.1", service="tcp/25").held
    assert read_policy(path).permits("tcp 10.0.0.1:1025 > 10.0.0.2:25 flags=syn").held


@pytest.mark.parametrize("word", ["reachable", "unreachable"])
def test_a_word_that_is_none_is_told_the_right_ones(edge, word):
    said = "'to' says nothing of packets: expected source, destination, service, protocol"
    with pytest.raises(UsageError, match=said):
        getattr(edge, word)(to="10.2.0.2")
    with pytest.raises(UsageError, match="'to' says nothing of packets"):
        getattr(edge, word)(packets("10.1.0.0/24"), to="10.2.0.2")
