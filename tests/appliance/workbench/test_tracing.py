"""One packet as a form and as words, and its way."""

from __future__ import annotations

import pytest
from hypothesis import given

from appliance.workbench.tracing import MOST, Asked, asked_of, trace_text
from compiler.policy.packet_text import format_packet, parse_packet
from compiler.testing.strategies import packets
from tests.appliance.workbench.sources import BOUND, nothing, paper_cases

DENIED = "tcp 172.16.6.4:1025 > 10.0.0.2:21 flags=syn in=GigabitEthernet0/2"


@given(packets())
def test_the_form_of_a_packet_is_the_packet(packet):
    words = format_packet(packet)
    assert parse_packet(asked_of(words).text()) == parse_packet(words)


def test_the_deciding_line():
    found = trace_text(BOUND, "edge.cfg", asked_of(DENIED), nothing)
    assert found.is_traced
    assert not found.passes
    assert found.deciding == ((7, False),)
    other = trace_text(BOUND, "edge.cfg", asked_of(DENIED.replace("6.4", "6.5")), nothing)
    assert other.passes
    assert other.deciding == ((8, True),)
    looked = other.stages[0].looks
    assert [look.line for look in looked] == [7, 8]
    assert looked[0].reason
    assert other.stages[0].deciding is looked[1]


def test_one_list_alone_and_a_list_that_is_not_there():
    asked = asked_of(DENIED.partition(" in=")[0], "101")
    assert trace_text(BOUND, "edge.cfg", asked, nothing).deciding == ((7, False),)
    missing = trace_text(BOUND, "edge.cfg", asked_of(DENIED, "102"), nothing)
    assert not missing.is_traced
    assert "102" in missing.remarks[0].message


@pytest.mark.parametrize("asked", [Asked(), Asked(source="x", destination="y"), Asked(source="1.1.1.1", flags="wrong")])
def test_what_is_no_packet_is_said(asked):
    found = trace_text(BOUND, "edge.cfg", asked, nothing)
    assert not found.is_traced
    assert found.remarks


def test_the_end_of_a_list_decides_without_a_line():
    text = BOUND.replace("access-list 101 permit ip any any\n", "")
    found = trace_text(text, "edge.cfg", asked_of(DENIED.replace(":21", ":80")), nothing)
    assert not found.passes
    assert found.deciding == ()
    assert found.stages[0].default or found.stages[0].looks[-1].line == 0


def test_long_lists_are_cut_before_the_decision():
    lines = "".join(f"access-list 101 deny tcp any host 10.1.{n // 250}.{n % 250}\n" for n in range(MOST + 25))
    text = BOUND.replace("access-list 101 deny", f"{lines}access-list 101 deny", 1)
    (stage,) = trace_text(text, "edge.cfg", asked_of(DENIED), nothing).stages
    assert len(stage.looks) == MOST
    assert stage.hidden == 26
    assert stage.deciding is not None


@pytest.mark.parametrize(("case", "path", "_denied"), paper_cases(), ids=lambda one: str(one)[:8])
def test_the_base_itself_is_denied_in_every_case_of_the_paper(case, path, _denied):
    base = path.stem.rpartition("-")[2]
    packet = f"tcp {base}:1025 > 10.0.0.2:21 flags=syn in=GigabitEthernet0/2"
    found = trace_text(path.read_text(), path.name, asked_of(packet), nothing)
    assert not found.passes
    line = path.read_text().splitlines()[found.deciding[-1][0] - 1]
    assert line.startswith("access-list 101 deny")
