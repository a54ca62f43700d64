"""Coverage of rules: which ones the questions have met, by how many packets and sets, and how much of each."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from compiler.testing.answer import PropertyFailed
from compiler.testing.coverage import Coverage, RuleCoverage, as_json, as_lcov, joined, lines_of_report
from compiler.testing.headers import packets
from compiler.testing.networks.model import network
from compiler.testing.policies import read_policy
from compiler.testing.recording import recording
from tests.compiler.testing.networks.drawings import edge

LISTS = """\
hostname edge
interface GigabitEthernet0/1
 ip access-group 101 in
interface GigabitEthernet0/2
 ip access-group 102 in
access-list 101 permit udp 10.1.0.0 0.0.0.255 host 10.2.0.2
access-list 101 deny udp 10.1.0.0 0.0.0.255 any
access-list 101 remark not a rule
access-list 101 permit ip 10.1.0.0 0.0.0.255 any
access-list 102 permit ip any any
"""
PERMIT, DENY, REST, OTHER = 6, 7, 9, 10


@pytest.fixture
def lists(tmp_path):
    path = tmp_path / "edge.cfg"
    path.write_text(LISTS)
    return read_policy(path)


def covered(coverage: Coverage) -> dict[int, RuleCoverage]:
    return {rule.line: rule for rule in coverage.rules()}


def test_a_set_meets_a_rule_as_far_as_they_share_packets(lists):
    coverage = Coverage()
    with recording(coverage):
        lists.through("101").reachable("10.1.0.0/26", "10.2.0.2", "udp")
    rules = covered(coverage)
    assert set(rules) == {PERMIT, DENY, REST, OTHER}
    assert rules[PERMIT].share == 0.25
    assert rules[PERMIT].sets == 2  # whole packets, and later fragments
    assert not any(rules[line].is_met for line in (DENY, REST, OTHER))


def test_sets_add_up_and_overlap_counts_once(lists):
    coverage = Coverage()
    with recording(coverage):
        for source in ("10.1.0.0/26", "10.1.0.0/27", "10.1.0.128/25"):
            lists.through("101").reachable(packets(source, "10.2.0.2", "udp"))
        lists.through("101").reachable(packets("10.1.0.0/26", "10.2.0.2", "udp"))
    met = covered(coverage)[PERMIT]
    assert met.share == 0.75
    assert met.sets == 6  # the set that was asked about twice is one


def test_what_earlier_rules_take_is_not_a_later_rule_s(lists):
    coverage = Coverage()
    with recording(coverage):
        lists.through("101").unreachable(packets("10.1.0.0/24", "", "udp") - packets(destination="10.2.0.2"))
    rules = covered(coverage)
    assert rules[DENY].share == 1
    assert not rules[PERMIT].is_met
    assert not rules[REST].is_met


def test_shares_are_by_packets_and_rounded_down(lists):
    coverage = Coverage()
    with recording(coverage):
        low, high = (packets("10.1.0.0/24", "10.2.0.2", f"udp/{ports}") for ports in ("0-32767", "32768-65535"))
        lists.through("101").reachable((low | high) - packets("10.1.0.1", source_port="7"))  # no later fragments
    share = covered(coverage)[PERMIT].share
    assert 0.9999 < share < 1


def test_single_packets_count_by_the_rule_that_decides_them(lists):
    coverage = Coverage()
    with recording(coverage):
        lists.through("101").permits("udp 10.1.0.2:1025 > 10.2.0.2:53")
        lists.through("101").denies("udp 10.1.0.2:1025 > 10.2.0.3:53")
        lists.through("101").denies("udp 10.1.0.2:1025 > 10.2.0.4:53")
        lists.through("101").denies("udp 10.9.0.2:1025 > 10.2.0.4:53")  # the implicit deny is no rule
    rules = covered(coverage)
    assert (rules[PERMIT].packets, rules[DENY].packets, rules[REST].packets) == (1, 2, 0)
    assert rules[PERMIT].is_met
    assert rules[PERMIT].share == 0


def test_a_failed_property_has_met_its_rules_too(lists):
    coverage = Coverage()
    with recording(coverage), pytest.raises(PropertyFailed):
        lists.through("101").reachable("10.1.0.0/24", "10.2.0.0/24", "udp")
    assert covered(coverage)[DENY].is_met


def test_a_proof_about_all_packets_meets_every_rule(lists, tmp_path):
    other = tmp_path / "other.cfg"
    other.write_text(LISTS.replace("access-list 101 remark not a rule\n", ""))
    coverage = Coverage()
    with recording(coverage):
        lists.equivalent_to(other)
    rules = coverage.rules()
    assert len({rule.source for rule in rules}) == 2
    assert all(rule.share == 1 for rule in rules)


def test_a_dead_rule_is_met_by_nothing(tmp_path):
    path = tmp_path / "dead.cfg"
    path.write_text("access-list 101 permit ip any any\naccess-list 101 deny udp any any\n")
    policy = read_policy(path)
    coverage = Coverage()
    with recording(coverage):
        policy.equivalent_to(path)
        with pytest.raises(PropertyFailed):
            policy.no_shadowed_rule()
    rules = covered(coverage)
    assert rules[1].share == 1
    assert not rules[2].is_met


def test_no_shadowed_rule_exercises_no_rule(lists):
    coverage = Coverage()
    with recording(coverage):
        lists.no_shadowed_rule()
        lists.through("102").reachable(packets(protocol="udp"))
    assert {line for line, rule in covered(coverage).items() if rule.is_met} == {OTHER}


def test_network_words_meet_the_rules_of_the_routers_on_the_way():
    coverage = Coverage()
    with recording(coverage):
        asked = edge().verify()
        asked.reachable("anna", "server", "tcp/80")
        asked.reachable("server", "anna", "tcp/80")  # by an interface without a list
    rules = covered(coverage)
    assert {line for line, rule in rules.items() if rule.is_met} == {10}
    first = rules[10]
    with recording(coverage):
        asked.under(failures=1, among="uplink").ask_reachable("anna", "server", "tcp/80")
        asked.unreachable("bert", "server", "udp")
    rules = covered(coverage)
    assert rules[10] == first  # the same packets under another failure say nothing new
    assert rules[11].is_met


def test_every_situation_counts_for_itself(tmp_path):
    path = tmp_path / "fw.nft"
    path.write_text(
        "table inet filter {\n  chain forward {\n    type filter hook forward priority 0; policy drop;\n"
        '    iifname "lan" tcp dport 80 accept\n    udp dport 53 accept\n  }\n}\n'
    )
    policy = read_policy(path)
    coverage = Coverage()
    with recording(coverage):
        policy.through(ingress="lan", egress="wan").reachable(packets(service="tcp/80", source="10.0.0.0/8"))
        policy.through(ingress="wan", egress="lan").unreachable(packets(service="tcp/80"))
    rules = covered(coverage)
    assert rules[4].is_met
    assert 0 < rules[4].share < 1  # by another interface the rule decides nothing
    assert not rules[5].is_met


def test_several_processes_together():
    one = RuleCoverage("a.cfg", 1, "permit", 2, 1, 0.25)
    other = one._replace(packets=1, sets=4, share=0.5)
    alone = RuleCoverage("a.cfg", 2, "deny", 0, 0, 0.0)
    assert joined([[one, alone], [other], []]) == (one._replace(packets=3, sets=5, share=0.5), alone)
    assert joined([]) == ()


def test_reports():
    rules = (
        RuleCoverage("a.cfg", 1, "permit ip any any", 2, 1, 1.0),
        RuleCoverage("a.cfg", 2, "deny ip any any", 0, 0, 0.0),
        RuleCoverage("long/b.cfg", 7, "permit", 1, 0, 0.0),
    )
    told = list(lines_of_report(rules))
    assert told[0] == "a.cfg           1 of     2 rules met ( 50%), 1 over all their packets"
    assert told[1] == "  a.cfg:2: never met: deny ip any any"
    assert as_lcov(rules).splitlines() == [
        "TN:", "SF:a.cfg", "DA:1,3", "DA:2,0", "LF:2", "LH:1", "end_of_record",
        "TN:", "SF:long/b.cfg", "DA:7,1", "LF:1", "LH:1", "end_of_record",
    ]  # fmt: skip
    assert [RuleCoverage(**one) for one in json.loads(as_json(rules))] == list(rules)
    assert as_lcov(()) == ""


def test_nothing_is_told_of_a_router_that_no_packet_came_to():
    made = edge()
    spare = replace(made.routers[0], name="spare")
    coverage = Coverage()
    with recording(coverage):
        network().host("a", "10.1.0.2/24").host("b", "10.1.0.3/24").switch("s").cable("a", "s").cable(
            "b", "s"
        ).verify().reachable("a", "b")
        replace(made, routers=(*made.routers, spare)).verify().reachable("anna", "bert")
    assert coverage.rules() == ()
