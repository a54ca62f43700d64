"""What rows of raw, mangle, NAT and filter become for the simulator."""

import pytest

from compiler.addresses import AddressSet
from compiler.dialects.routeros.reader import read
from compiler.errors import SyntaxFault, Unmodelled, UsageError
from compiler.integers import EMPTY, IntegerSet
from compiler.policy.match import ANY
from compiler.policy.ruleset import ChainKind, Hook
from compiler.policy.stateful import (
    Counter,
    InSet,
    MarkNamed,
    NumberIn,
    Register,
)
from compiler.semantics.firewall import FirewallMachine
from tests.compiler.dialects.routeros.simulating import address, fault, faults, rule, rules, simulated


def test_base_chains():
    text = """
/ip firewall raw
add chain=prerouting action=accept
/ip firewall mangle
add chain=prerouting action=accept
add chain=input action=accept
add chain=forward action=accept
add chain=output action=accept
add chain=postrouting action=accept
add chain=mine action=accept
/ip firewall nat
add chain=dstnat action=accept
add chain=srcnat action=accept
add chain=output action=accept
/ip firewall filter
add chain=forward action=accept
/ipv6 firewall mangle
add chain=prerouting action=change-hop-limit new-hop-limit=set:64
"""
    ruleset = simulated(text)
    assert ruleset.for_simulation
    assert {chain.key: (chain.hook, chain.priority, chain.kind) for chain in ruleset.chains} == {
        ("ip raw", "prerouting"): (Hook.PREROUTING, -300, ChainKind.FILTER),
        ("ip mangle", "prerouting"): (Hook.PREROUTING, -150, ChainKind.FILTER),
        ("ip mangle", "input"): (Hook.INPUT, -150, ChainKind.FILTER),
        ("ip mangle", "forward"): (Hook.FORWARD, -150, ChainKind.FILTER),
        ("ip mangle", "output"): (Hook.OUTPUT, -150, ChainKind.ROUTE),
        ("ip mangle", "postrouting"): (Hook.POSTROUTING, -150, ChainKind.FILTER),
        ("ip mangle", "mine"): (None, 0, ChainKind.FILTER),
        ("ip nat", "dstnat"): (Hook.PREROUTING, -100, ChainKind.NAT),
        ("ip nat", "srcnat"): (Hook.POSTROUTING, 100, ChainKind.NAT),
        ("ip nat", "output"): (Hook.OUTPUT, -100, ChainKind.NAT),
        ("ip filter", "forward"): (Hook.FORWARD, 0, ChainKind.FILTER),
        ("ipv6 mangle", "prerouting"): (Hook.PREROUTING, -150, ChainKind.FILTER),
    }
    assert {chain.table for chain in ruleset.chains if not chain.sees_reassembled} == {"ip raw"}
    assert ruleset.features == ()
    old = simulated("/ip firewall nat add chain=output action=accept", version=6)
    assert old.chain("ip nat", "output").hook is None


def test_proofs_refuse_what_was_read_for_the_simulator():
    with pytest.raises(UsageError):
        FirewallMachine(simulated("/ip firewall filter add chain=input action=accept"))


def test_conditions_stand_in_the_order_of_evaluation_and_effects_last():
    found = rule(
        "nth=3,1 limit=5,5:packet action=mark-connection new-connection-mark=a dst-address-type=!local "
        "per-connection-classifier=src-address:2/0 connection-mark=no-mark connection-state=new"
    )
    assert [clause.text for clause in found.unmodelled] == [
        "connection-state=new",
        "connection-mark=no-mark",
        "dst-address-type=!local",
        "per-connection-classifier=src-address:2/0",
        "limit=5,5:packet",
        "nth=3,1",
        "action=mark-connection new-connection-mark=a",
    ]
    line = "add chain=prerouting nth=3,1 limit=5,5:packet"
    assert found.unmodelled[5].span.column == line.index("nth") + 1


def test_a_port_on_either_side_never_matches_twice():
    first, second = rules("protocol=udp port=53 action=change-ttl new-ttl=increment:1")
    dns = IntegerSet.values(53)
    assert (first.match.source_port, first.match.destination_port) == (dns, None)
    assert (second.match.source_port, second.match.destination_port) == (dns.complement(16), dns)
    assert first.unmodelled == second.unmodelled
    for words in ("nth=2,1", "limit=1,1:packet"):
        assert isinstance(fault(f"protocol=udp port=53 {words}"), Unmodelled)
    assert len(rules("protocol=udp port=53 random=50")) == 2


def test_disabled_rules_keep_what_has_no_meaning():
    found = rule("layer7-protocol=video action=route disabled=yes route-dst=1.1.1.1 connection-mark=x")
    assert found.disabled
    assert [(clause.text, clause.meaning) for clause in found.unmodelled] == [
        ("connection-mark=x", MarkNamed(Register.CONNECTION, "x")),
        ("layer7-protocol=video", None),
        ("action=route", None),
    ]


def test_lists_that_rules_fill():
    text = """
/ip firewall address-list
add list=both address=10.0.0.1
add list=still address=10.0.0.9
/ip firewall mangle
add chain=prerouting src-address-list=both action=add-dst-to-address-list address-list=only address-list-timeout=5s
add chain=prerouting dst-address-list=!only src-address-list=still action=add-src-to-address-list address-list=both
add chain=prerouting src-address-list=off action=accept disabled=yes
"""
    ruleset = simulated(text)
    first, second, _ = ruleset.chains[0].rules
    assert first.match == ANY
    assert first.source_set == ""
    assert first.unmodelled[0].meaning == InSet("ip", "both", "source")
    assert second.unmodelled[0].meaning == InSet("ip", "only", "destination", True)
    assert second.match.source == AddressSet.of(32, [(address("10.0.0.9"), address("10.0.0.9"))])
    assert second.source_set == "still"
    assert {named.name: named.addresses.ranges for named in ruleset.sets} == {
        "both": ((address("10.0.0.1"), address("10.0.0.1")),),
        "still": ((address("10.0.0.9"), address("10.0.0.9")),),
        "only": (),
    }


def test_a_list_that_something_else_fills_too_is_refused():
    text = """
/ppp profile set default address-list=seen
/ip firewall mangle
add chain=prerouting action=add-src-to-address-list address-list=seen
add chain=prerouting src-address-list=seen action=accept
"""
    (found,) = faults(text)
    assert isinstance(found, Unmodelled)
    assert "/ppp profile fills the address list seen" in found.message


def test_families_have_lists_of_their_own():
    text = """
/ipv6 firewall filter
add chain=input action=add-src-to-address-list address-list=x
/ip firewall address-list
add list=x address=10.0.0.1
/ip firewall filter
add chain=input src-address-list=x action=drop
"""
    chain = simulated(text).chain("ip filter", "input")
    assert chain.rules[0].match.source is not None
    assert chain.rules[0].unmodelled == ()


def test_ipsec_policy_is_known_where_there_is_no_ipsec():
    menu = {"menu": "/ip firewall filter", "chain": "forward"}
    assert rule("ipsec-policy=in,none", **menu).match == ANY
    assert rule("ipsec-policy=in,ipsec", **menu).match.protocol == EMPTY
    assert isinstance(
        fault("ipsec-policy=in,ipsec", before="/ip ipsec peer add address=10.0.0.1/32", **menu), Unmodelled
    )
    assert isinstance(fault("ipsec-policy=ipsec", **menu), SyntaxFault)


MARK = "/ip firewall mangle add chain=prerouting action=mark-routing new-routing-mark=to_wan1"


def test_version_7_wants_the_table_first():
    head = "# 2024-01-01 00:00:00 by RouterOS 7.12\n"
    table = "/routing table add name=to_wan1 fib"
    assert simulated(f"{head}{table}\n{MARK}\n").for_simulation
    assert simulated(f"{MARK}\n", version=6).for_simulation
    (missing,) = faults(f"{head}{MARK}\n")
    assert "/routing table add name=to_wan1 fib must stand before" in missing.message
    (near,) = faults(f"{head}/routing table add name=to_wan2 fib\n{MARK}\n")
    assert "did you mean to_wan2?" in near.message
    (late,) = faults(f"{head}{MARK}\n{table}\n")
    assert "added only later" in late.message
    changed = f"{head}/ip firewall mangle\nadd chain=prerouting\n{table}\n/ip firewall mangle\n"
    changed += "set 0 action=mark-routing new-routing-mark=to_wan1"
    assert simulated(changed).for_simulation
    (unused,) = faults(f"{head}/routing table add name=to_wan1\n{MARK}\n")
    assert "names no routing table" in unused.message
    assert simulated(f"{head}{MARK.replace('to_wan1', 'main')}\n").for_simulation


def test_words_of_one_version_tell_it():
    assert len(faults(f"{MARK}\n/ip route add gateway=1.1.1.1 routing-table=to_wan1")) == 1
    assert simulated(f"{MARK}\n/ip route add gateway=1.1.1.1 routing-mark=to_wan1").for_simulation


def test_other_modes_know_nothing_of_it():
    text = f"{MARK}\n/ip firewall filter add chain=input nth=2,1 action=drop"
    bounded = read(text, "t", unmodelled="bound")
    assert [chain.key for chain in bounded.chains] == [("ip filter", "input")]
    assert bounded.chains[0].rules[0].unmodelled[0].meaning is None
    assert not bounded.for_simulation
    assert [clause.text for clause in bounded.features] == ["/ip firewall mangle"]
    found = simulated(text, version=6).chain("ip filter", "input").rules[0].unmodelled[0].meaning
    assert found == NumberIn(Counter(2), IntegerSet.values(0))
