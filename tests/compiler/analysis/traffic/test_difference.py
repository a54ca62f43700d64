"""``gerbang diff``: all of the traffic that changes, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.analysis.traffic.difference import differences
from compiler.dialects import read
from compiler.errors import UsageError
from compiler.policy.packet import Packet, matches
from compiler.semantics.decision import decide
from compiler.semantics.lower import machine
from compiler.semantics.machine import ListName

HEAD = "interface GigabitEthernet0/1\n ip access-group A in\nip access-list extended A\n"


def changed(old: str, new: str, **choices):
    return differences(machine(read(old, "old")), machine(read(new, "new")), **choices)


def test_equal_configurations_have_no_changes():
    report = changed(HEAD + " permit tcp any any eq 80\n", HEAD + " permit tcp any any range 80 80\n")
    assert report.empty
    assert "No packet changes" in report.lines()[0]


def test_a_new_port_is_one_rule():
    report = changed(HEAD + " permit tcp any any eq 80\n", HEAD + " permit tcp any any eq 80 443\n")
    (change,) = report.changes
    assert (change.newly, change.whole, change.where) == ("permitted", True, "in by GigabitEthernet0/1")
    (packets,) = change.packets
    assert packets.destination_port is not None
    assert packets.destination_port.intervals == ((443, 443),)
    assert not change.example.left.passes
    assert change.example.right.passes
    assert "port 443" in report.markdown()


def test_order_alone_changes_what_overlaps():
    first, second = " deny tcp host 10.0.0.1 any\n", " permit tcp any any eq 80\n"
    changes = changed(HEAD + first + second, HEAD + second + first).changes
    assert [change.newly for change in changes] == ["permitted", "permitted"]
    # The second is about later fragments: a permit that looks at ports lets them all pass.
    assert [change.packets[0].noninitial for change in changes] == [None, True]
    for change in changes:
        (packets,) = change.packets
        assert packets.source is not None
        assert packets.source.ranges == ((0x0A000001, 0x0A000001),)


def test_a_binding_that_goes_lets_everything_pass():
    report = changed(HEAD + " permit tcp any any eq 80\n", "ip access-list extended A\n permit tcp any any eq 80\n")
    assert {change.newly for change in report.changes} == {"permitted"}


def test_lists_that_come_and_go_are_told():
    report = changed("access-list 1 permit any\n", "access-list 2 permit any\n")
    assert not report.empty
    assert [note for note in report.notes if "list 1 is only in old" in note]
    assert [note for note in report.notes if "list 2 is only in new" in note]


def test_renamed_lists_are_paired_by_hand():
    old, new = "access-list 1 permit host 10.0.0.1\n", "access-list 2 permit host 10.0.0.2\n"
    report = changed(old, new, pairs=(("1", "2"),))
    assert {change.newly for change in report.changes} == {"permitted", "denied"}
    with pytest.raises(UsageError, match="no list 3"):
        changed(old, new, pairs=(("1", "3"),))


LINES = st.sampled_from(
    [
        "permit ip any any",
        "deny tcp any any eq 80",
        "permit tcp 10.0.0.0 0.0.0.254 any",
        "permit tcp any host 10.0.0.3 range 79 81",
        "deny ip host 10.0.0.2 any",
        "permit udp any any",
        "deny tcp any any fragments",
        "permit tcp any any established",
    ]
)
PACKETS = st.builds(
    lambda source, destination, protocol, port, flags, later: Packet(
        read_family(), source, destination, protocol, 0, 0 if later else port, 0 if later else flags, noninitial=later
    ),
    st.integers(0x0A000000, 0x0A000004),
    st.integers(0x0A000002, 0x0A000004),
    st.just(6),
    st.integers(78, 82),
    st.sampled_from([0x02, 0x10, 0x04]),
    st.booleans(),
)


def read_family():
    from compiler.fields import Family

    return Family.IPV4


@given(st.lists(LINES, min_size=1, max_size=5), st.lists(LINES, min_size=1, max_size=5), PACKETS)
def test_the_changes_are_exactly_the_packets_whose_verdict_changes(old_lines, new_lines, packet):
    texts = [
        "ip access-list extended A\n" + "".join(f" {line}\n" for line in lines) for lines in (old_lines, new_lines)
    ]
    old, new = (machine(read(text, "x")) for text in texts)
    before, after = (
        decide(one.list_stages(ListName("A", packet.family), noninitial=packet.noninitial), packet).passes
        for one in (old, new)
    )
    report = differences(old, new)
    inside = {
        change.newly
        for change in report.changes
        for match in change.packets
        if change.example.packet.noninitial == packet.noninitial and matches(match, packet)
    }
    assert all(change.whole for change in report.changes)
    expected = set() if before == after else {"permitted" if after else "denied"}
    assert inside == expected
