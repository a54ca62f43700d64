"""``gerbang search``: exactly the packets that were asked for."""

from __future__ import annotations

import pytest

from compiler.analysis.traffic.search import search
from compiler.analysis.traffic.situations import Question
from compiler.dialects import read
from compiler.errors import UsageError
from compiler.fields import TCP, Family
from compiler.integers import IntegerSet
from compiler.policy.match import ANY, Match, layer4
from compiler.semantics.lower import machine

TEXT = """\
interface GigabitEthernet0/2
 ip access-group 101 in
access-list 101 deny tcp 172.16.0.0 0.0.255.248 host 10.0.0.2 eq 21
access-list 101 permit tcp any any range 20 25
access-list 5 permit 10.0.0.0 0.0.0.255
"""


def found(question: Question, text: str = TEXT):
    return search(machine(read(text, "router.cfg")), question)


def test_denied_in_one_list():
    asked = layer4(Match(protocol=IntegerSet.values(TCP), destination_port=IntegerSet.range(20, 25)))
    report = found(Question(asked, permitted=False, list_name="101"))
    ((where, parts, whole),) = report.found
    assert (where, whole, len(parts)) == ("list 101", True, 1)
    (part,) = parts
    assert part.packets.destination_port == IntegerSet.values(21)
    assert part.packets.source is not None
    assert part.packets.source.wildcards[0].mask == 0x0000FFF8
    assert part.sample.destination_port == 21
    assert part.decision.span.line == 3


def test_between_interfaces():
    report = found(Question(ANY, permitted=True, ingress="GigabitEthernet0/2"))
    labels = [where for where, _, _ in report.found]
    assert any("GigabitEthernet0/2 to (any-other-interface)" in label for label in labels)


def test_every_way_out_is_tried():
    text = """\
interface GigabitEthernet0/1
 ip access-group 102 out
interface GigabitEthernet0/2
 ip access-group 101 in
access-list 101 permit ip any any
access-list 102 deny ip any any
"""
    report = found(Question(ANY, permitted=False, ingress="GigabitEthernet0/2"), text)
    assert {where for where, _, _ in report.found} == {
        "GigabitEthernet0/2 to GigabitEthernet0/1, IPv4",
        "GigabitEthernet0/2 to GigabitEthernet0/1, IPv4 (later fragments)",
    }


def test_an_out_list_sees_the_lowered_ttl():
    text = """\
interface GigabitEthernet0/1
 ip access-group T out
ip access-list extended T
 deny ip any any ttl eq 10
 permit ip any any
"""
    report = found(Question(Match(noninitial=False), permitted=False, egress="GigabitEthernet0/1"), text)
    ((_, (part,), _),) = report.found
    assert part.packets.ttl == IntegerSet.values(11)
    assert (part.sample.ttl, part.decision.span.line) == (11, 4)


def test_nothing_found_is_said():
    asked = layer4(Match(protocol=IntegerSet.values(TCP), destination_port=IntegerSet.values(80)))
    report = found(Question(asked, permitted=True, list_name="101"))
    assert report.lines() == ["router.cfg: no such packet is permitted."]
    assert report.as_json()["found"] == []


def test_unknown_names_are_errors():
    with pytest.raises(UsageError, match="no list 9"):
        found(Question(ANY, permitted=True, list_name="9"))
    with pytest.raises(UsageError, match="no list on eth7"):
        found(Question(ANY, permitted=True, ingress="eth7"))


def test_only_lists_of_the_family_are_asked():
    report = found(Question(Match(family=Family.IPV6), permitted=True))
    assert report.found == ()
