"""Rule by rule: each stratum's packets are decided by its rule, edges lie where they say, small rules are met."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from compiler.analysis.traffic.situations import Question, situations
from compiler.dialects import read
from compiler.policy.match import ANY
from compiler.semantics.decision import decide
from compiler.semantics.lower import machine
from compiler.testing.sampling import strata, stratified

LISTS = """\
access-list 101 permit tcp host 10.0.0.1 host 10.2.0.2 eq 80
access-list 101 deny tcp 10.0.0.0 0.0.0.255 any range 20 25
access-list 101 permit udp any any eq 53
access-list 101 deny tcp 10.0.0.0 0.0.0.127 any eq 22
access-list 101 permit ip 10.0.0.0 0.255.255.255 any
"""
CHAINS = """\
table ip filter {
  chain web { tcp dport 80 accept; ip saddr 10.0.0.9 return; tcp dport 443 drop; }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ip saddr 10.0.0.0/8 jump web
    udp dport 53 accept
  }
}
"""


def situations_of(text: str, source: str = "a"):
    device = machine(read(text, source))
    return list(situations(device, Question(ANY, True)))


@pytest.mark.parametrize("text", [LISTS, CHAINS])
def test_what_is_drawn_for_a_rule_is_decided_by_it(text):
    source = random.Random(1)
    every = list(strata(situations_of(text)))
    assert len(every) > 4
    for stratum in every:
        for packet in stratum.packets(source, 20):
            decision = decide(stratum.situation.stages, packet)
            origin = decision.step.origin if decision.step is not None else None
            assert origin is stratum.origin or (stratum.step is not None and stratum.step.outcome.value == "return")


def test_a_dead_rule_has_no_packets():
    lines = {stratum.origin.span.line for stratum in strata(situations_of(LISTS)) if stratum.origin is not None}
    assert lines == {1, 2, 3, 5}  # line 4 lies in line 2


def test_edges_are_the_ends_of_a_field_and_what_lies_beyond():
    (stratum,) = [
        one
        for one in strata(situations_of(LISTS))
        if one.origin is not None and one.origin.span.line == 2 and not one.situation.context.noninitial
    ]
    ports = {
        (packet.destination_port, edge.inside)
        for edge in stratum.edges
        if edge.field == "destination_port"
        for packet in edge.packets(random.Random(2), 5)
    }
    assert ports == {(20, True), (25, True), (19, False), (26, False)}
    sources = {
        (packet.source & 0xFFFFFF, edge.inside)
        for edge in stratum.edges
        if edge.field == "source"
        for packet in edge.packets(random.Random(2), 5)
    }
    assert sources == {(0, True), (255, True), (256, False), (0xFFFFFF, False)}


def test_the_smallest_rule_is_met_as_often_as_the_largest():
    """Uniform draws would meet the first rule once in 2**70."""
    found = situations_of(LISTS)
    decided = Counter()
    for packet in stratified(found, random.Random(5), 1200):
        (situation,) = [one for one in found if one.context.noninitial is packet.noninitial]
        step = decide(situation.stages, packet).step
        decided[step.origin.span.line if step is not None and step.origin is not None else 0] += 1
    assert decided[1] > 60
    assert set(decided) >= {0, 1, 2, 3, 5}


def test_the_same_source_gives_the_same_packets():
    found = situations_of(LISTS)
    assert list(stratified(found, random.Random(9), 60)) == list(stratified(found, random.Random(9), 60))
