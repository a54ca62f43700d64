"""What simulated packets tell: the rules that they meet, and the commands that repeat them."""

import pytest

from compiler.errors import UsageError
from compiler.testing.coverage import Coverage
from compiler.testing.headers import packets
from compiler.testing.networks.model import network
from compiler.testing.recording import recording
from tests.compiler.testing.dynamic.networks import FIREWALL, IN_TURN, office, two_lines

LISTS = """\
hostname r
interface Ethernet0
 ip address 10.0.0.1 255.255.255.0
 ip access-group 101 in
 ip nat inside
interface Ethernet1
 ip address 192.0.2.2 255.255.255.0
 ip nat outside
ip nat inside source list 7 interface Ethernet1 overload
ip route 0.0.0.0 0.0.0.0 192.0.2.1
access-list 7 permit any
access-list 101 permit tcp any any eq 80
access-list 101 deny tcp any any
access-list 101 permit udp any any
"""


def met(coverage):
    """How many packets each rule has met, by its words."""
    return {rule.text: rule.packets for rule in coverage.rules()}


def test_rules_that_simulated_packets_meet_are_covered():
    coverage = Coverage()
    with recording(coverage):
        office().verify().reachable("client", "192.0.2.1", "tcp/80")
    found = met(coverage)
    assert found['iifname "lan" tcp dport { 80, 443 } accept'] > 0
    assert found['chain post { type nat hook postrouting priority 100; oifname "wan" masquerade }'] > 0
    assert found["ct state established,related accept"] == 0
    assert found['iifname "wan" ct status dnat accept'] == 0
    with recording(coverage):
        office().verify().returns("client", "192.0.2.1", "tcp/80")
    assert met(coverage)["ct state established,related accept"] > 0
    assert len(coverage.rules()) == sum(FIREWALL.count(word) for word in ("accept\n", "dnat to", "masquerade"))


def test_lists_of_a_router_that_translates_are_covered():
    made = (
        network()
        .host("client", "10.0.0.3/24", gateway="10.0.0.1")
        .router("r", text=LISTS)
        .cable("client", "r:Ethernet0")
    )
    coverage = Coverage()
    with recording(coverage):
        answer = made.verify().for_all(packets(service="tcp/23")).unreachable("client", "192.0.2.9")
    assert answer.sureness.value == "tested"
    found = met(coverage)
    assert found["access-list 101 deny tcp any any"] > 0
    assert found["access-list 101 permit tcp any any eq 80"] == found["access-list 101 permit udp any any"] == 0


def test_marks_of_many_connections_are_covered():
    coverage = Coverage()
    with recording(coverage):
        two_lines(IN_TURN).verify().balanced(("r:w1", "r:w2"), "h0", "203.0.113.9", "tcp/80", connections=20)
    (chosen,) = (count for text, count in met(coverage).items() if "numgen" in text)
    assert chosen == 20


def test_nothing_is_followed_where_nobody_asks():
    from compiler.testing.dynamic.world import NetworkWorld

    assert NetworkWorld(office()).tracer is None
    with recording(Coverage()):
        assert NetworkWorld(office()).tracer is not None


def test_the_command_says_what_was_dead_meanwhile():
    asked = office().verify().under(failures=1, among="mail-s")
    answer = asked.ask_reachable("client", "mail", "tcp/25")
    assert not answer.held
    assert answer.witness is not None
    assert answer.witness.command.startswith("print(network.follow('client', 'tcp 10.0.0.3:")
    assert answer.witness.command.endswith(", dead=['mail-s']))")
    told = office().follow("client", "tcp 10.0.0.3:1025 > 10.0.0.2:25 flags=syn", dead=["mail-s"])
    assert "FAILED" in told
    assert "holds" in office().follow("client", "tcp 10.0.0.3:1025 > 10.0.0.2:25 flags=syn")
    with pytest.raises(UsageError, match="no node or cable is called 'nobody'"):
        office().follow("client", "tcp 10.0.0.3:1025 > 10.0.0.2:25 flags=syn", dead=["nobody"])


def test_the_command_of_a_lost_connection_says_what_was_dead():
    answer = two_lines(IN_TURN).verify().under(failures=1, among="s").ask_returns("h0", "203.0.113.9", "tcp/80")
    assert not answer.held
    assert answer.witness is not None
    assert answer.witness.command.endswith("dead=['s']))")
