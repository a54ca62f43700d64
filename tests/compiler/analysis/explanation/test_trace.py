"""Traces: the deciding line, the reasons of the others, and the same verdict as the plain interpreter."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.analysis.explanation.mismatch import mismatch
from compiler.analysis.explanation.trace import trace
from compiler.dialects.ios.reader import read
from compiler.errors import UsageError
from compiler.fields import Family, flags_any
from compiler.integers import IntegerSet
from compiler.policy.match import InterfaceSet, Match
from compiler.policy.packet import Packet, matches
from compiler.policy.packet_text import parse_packet
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict
from compiler.semantics.lower import machine
from compiler.source import Span
from tests.deciding import decide, decision

TEXT = """interface GigabitEthernet0/1
interface GigabitEthernet0/2
 ip access-group 101 in
access-list 101 deny tcp 10.0.0.0 0.255.255.255 any eq 80
access-list 101 permit udp any any neq 53
access-list 101 permit tcp any any eq 21
access-list 101 permit icmp any any echo
"""
DEVICE = read(TEXT, "r1.cfg")
IN = " in=GigabitEthernet0/2"


def traced(text, list_name=None):
    return trace(machine(DEVICE), parse_packet(text), list_name, tree=DEVICE)


def test_the_deciding_entry_and_the_reasons():
    result = traced("tcp 172.16.6.4:1025 > 10.0.0.2:21" + IN)
    assert result.passes
    assert list(result.lines()) == [
        "tcp 172.16.6.4:1025 > 10.0.0.2:21" + IN,
        "r1.cfg: permitted",
        "list 101: permitted",
        "  r1.cfg:4: access-list 101 deny tcp 10.0.0.0 0.255.255.255 any eq 80: source 172.16.6.4 is not in 10.0.0.0/8",
        "  r1.cfg:5: access-list 101 permit udp any any neq 53: protocol TCP is not UDP",
        "  r1.cfg:6: access-list 101 permit tcp any any eq 21: matches: permit",
    ]
    data = json.loads(json.dumps(result.as_json()))
    assert data["verdict"] == "permitted"
    assert [look["matched"] for look in data["stages"][0]["looks"]] == [False, False, True]


def test_the_implicit_deny():
    result = traced("udp 10.0.0.1:7 > 10.0.0.2:53" + IN)
    assert not result.passes
    lines = list(result.lines())
    assert lines[-1] == "  the implicit deny at the end of the list: denied"
    assert "destination port 53 is the one left out" in "\n".join(lines)


def test_one_list_alone_and_no_list():
    assert not traced("udp 10.0.0.1:7 > 10.0.0.2:53", "101").passes
    nothing = traced("udp 10.0.0.1:7 > 10.0.0.2:53")
    assert nothing.passes
    assert list(nothing.lines())[-1] == "no list looks at it"
    with pytest.raises(UsageError, match="no list '102' for IPv4; there is 101"):
        traced("udp 10.0.0.1:7 > 10.0.0.2:53", "102")


def test_hundreds_of_earlier_entries_are_counted():
    text = "".join(f"access-list 101 deny tcp host 10.0.{n // 250}.{n % 250} any\n" for n in range(600))
    device = read(text + "access-list 101 permit ip any any\n", "r1.cfg")
    result = trace(machine(device), parse_packet("tcp 192.0.2.1:1 > 192.0.2.2:2"), "101", tree=device)
    short = list(result.lines())
    assert len(short) == 10
    assert short[3] == "  … 595 earlier lines do not match (--verbose shows them)"
    assert len(list(result.lines(verbose=True))) == 604


FRAGMENTS = """access-list 101 deny tcp any any eq 80
access-list 101 permit ip any any fragments
access-list 101 permit tcp any any eq 21
"""


def test_entries_that_fragments_pass_by_are_named():
    device = read(FRAGMENTS, "r1.cfg")
    fragment = trace(machine(device), parse_packet("tcp 10.0.0.1 > 10.0.0.2 fragment"), "101", tree=device)
    assert [(look.span.line, look.reason) for look in fragment.stages[0].looks] == [
        (1, "a deny that looks at layer 4 skips fragments other than the first"),
        (2, ""),
    ]
    whole = trace(machine(device), parse_packet("tcp 10.0.0.1:1 > 10.0.0.2:22"), "101", tree=device)
    assert [look.span.line for look in whole.stages[0].looks] == [1, 2, 3]
    assert whole.stages[0].looks[1].reason == "'fragments': the packet is whole or a first fragment"


def test_rules_of_other_interfaces_and_disabled_ones_are_named():
    lone = Match(ingress=InterfaceSet.only("lo"))
    rules = (
        Rule(lone, Verdict.ACCEPT, span=Span("f", 1)),
        Rule(Match(), Verdict.DROP, disabled=True, span=Span("f", 2)),
        Rule(Match(), Verdict.CONTINUE, log="", span=Span("f", 3)),
        Rule(Match(protocol=IntegerSet.values(6)), Verdict.DROP, span=Span("f", 4)),
        Rule(lone, Verdict.ACCEPT, span=Span("f", 5)),
    )
    ruleset = Ruleset("f", "nftables", (Chain("filter", "forward", rules, hook=Hook.FORWARD),))
    result = trace(machine(ruleset), parse_packet("gre 10.0.0.1 > 10.0.0.2 in=a out=b"), tree=ruleset)
    assert [(look.span.line, look.reason) for look in result.stages[0].looks] == [
        (1, "ingress a is not lo"),
        (2, "is disabled"),
        (3, "matches, and only counts or logs"),
        (4, "protocol GRE is not TCP"),
        (5, "ingress a is not lo"),
    ]
    assert len(trace(machine(ruleset), parse_packet("gre 10.0.0.1 > 10.0.0.2 in=a out=b")).stages[0].looks) == 1


PACKET = parse_packet("tcp 10.0.0.1:1025 > 10.0.0.2:21 flags=syn dscp=46 ttl=5 in=ether1")


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (Match(family=Family.IPV6), "the packet is IPv4, not IPv6"),
        (Match(noninitial=True), "the packet is whole or a first fragment"),
        (Match(ingress=InterfaceSet.only("ether2")), "ingress ether1 is not ether2"),
        (Match(egress=InterfaceSet.only("ether2")), "egress none is not ether2"),
        (Match(destination_port=IntegerSet.values(80)), "destination port 21 ≠ 80"),
        (Match(source_port=IntegerSet.range(1, 5)), "source port 1025 is not in 1-5"),
        (Match(tcp_flags=flags_any(0x14)), "flags SYN: not RST set or ACK set"),
        (Match(ttl=IntegerSet.values(1)), "TTL 5 ≠ 1"),
        (Match(traffic_class=IntegerSet.values(0)), "traffic class 184 ≠ 0"),
        (Match(week_minute=IntegerSet.values(5)), "the moment of the packet is outside the time range"),
        (Match(protocol=IntegerSet.values(47)), "protocol TCP is not GRE"),
        (Match(), ""),
    ],
)
def test_reasons(match, words):
    assert mismatch(match, PACKET) == words


def test_fragments_have_no_ports():
    fragment = parse_packet("tcp 10.0.0.1 > 10.0.0.2 fragment")
    match = Match(noninitial=False, protocol=IntegerSet.values(6), destination_port=IntegerSet.values(0))
    assert mismatch(match, fragment) == "a fragment other than the first has no layer-4 header"


@given(st.data(), st.sampled_from(Family))
def test_there_is_a_reason_exactly_when_there_is_no_match(tiny_matches, data, family):
    match = data.draw(tiny_matches(family))
    base = 0x0A000000 if family is Family.IPV4 else 0x20010DB8 << 96
    packet = Packet(
        family,
        base + data.draw(st.integers(0, 15)),
        base + data.draw(st.integers(0, 15)),
        data.draw(st.sampled_from((1, 6, 17, 58))),
        data.draw(st.sampled_from((0, 1, 7))),
        data.draw(st.sampled_from((0, 21, 22))),
        data.draw(st.sampled_from((0, 2, 16))),
    )
    assert (mismatch(match, packet) == "") == matches(match, packet)


VERDICTS = st.sampled_from((Verdict.ACCEPT, Verdict.DROP, Verdict.RETURN, Verdict.CONTINUE, Verdict.JUMP, Verdict.GOTO))


@st.composite
def rulesets(draw, tiny):
    """A base chain that may call two chains, the second of which may be called by the first."""
    targets = {"forward": ("one", "two"), "one": ("two",), "two": ()}
    chains = []
    for name, others in targets.items():
        rules = []
        for match, verdict in draw(st.lists(st.tuples(tiny, VERDICTS), max_size=4)):
            jumps = verdict in (Verdict.JUMP, Verdict.GOTO)
            if jumps and not others:
                continue
            rules.append(Rule(match, verdict, draw(st.sampled_from(others)) if jumps else ""))
        hook = Hook.FORWARD if name == "forward" else None
        policy = draw(st.sampled_from((Verdict.ACCEPT, Verdict.DROP)))
        chains.append(Chain("filter", name, tuple(rules), hook=hook, policy=policy))
    return Ruleset("r", "nftables", tuple(chains))


def run_chain(chains, name, packet):
    """Netfilter's walk, written down once more from its manual: accept, drop, or None for 'returned'."""
    for rule in chains[name].rules:
        if not matches(rule.match, packet):
            continue
        if rule.verdict in (Verdict.ACCEPT, Verdict.DROP):
            return rule.verdict
        if rule.verdict is Verdict.RETURN:
            return None
        if rule.target:
            inner = run_chain(chains, rule.target, packet)
            if inner is not None or rule.verdict is Verdict.GOTO:
                return inner
    return None


@given(st.data())
def test_calls_and_returns(tiny_matches, data):
    ruleset = data.draw(rulesets(tiny_matches(Family.IPV4)))
    chains = {chain.name: chain for chain in ruleset.chains}
    device = machine(ruleset)
    for _ in range(5):
        packet = Packet(
            Family.IPV4,
            0x0A000000 + data.draw(st.integers(0, 15)),
            0x0A000000 + data.draw(st.integers(0, 15)),
            data.draw(st.sampled_from((1, 6, 17))),
            destination_port=data.draw(st.sampled_from((0, 21, 22))),
            ttl=data.draw(st.sampled_from((1, 2, 64))),
            ingress="a",
            egress="b",
        )
        seen = packet._replace(ttl=packet.ttl - 1)  # the forward hook sees the TTL after the router lowered it
        verdict = run_chain(chains, "forward", seen) or chains["forward"].policy
        assert decide(device, packet) is (verdict is Verdict.ACCEPT)
        result = trace(device, packet, tree=ruleset)
        assert result.passes is decide(device, packet)
        assert result.passes is decision(device, packet).passes
        assert list(result.lines(verbose=True))
