"""What becomes of values that no single line says, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.dialects.ios.reader import read
from compiler.dialects.ios.writer import write
from compiler.errors import CannotSay
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import (
    AccessList,
    Action,
    Binding,
    Clause,
    Device,
    Direction,
    Entry,
    ListKind,
    Remark,
    TimeRange,
)
from compiler.policy.match import Match, layer4
from compiler.source import NOWHERE

TCP = IntegerSet.values(6)


def device(*lines, family=Family.IPV4, kind=ListKind.EXTENDED, name="L", **more):
    return Device("", (AccessList(name, family, kind, tuple(lines)),), **more)


def permit(match=None, **more):
    return Entry(Action.PERMIT, (Match() if match is None else match,), **more)


def body(text):
    """The lines of the first list."""
    lines = text.splitlines()
    start = next(at for at, line in enumerate(lines) if "access-list" in line)
    return [line.strip() for line in lines[start + 1 : lines.index("!", start)]]


def test_the_order_is_safe():
    text = write(
        device(
            permit(Match(protocol=TCP), time_range="T"),
            bindings=(Binding("GigabitEthernet0/1", Direction.IN, Family.IPV4, "L"),),
            time_ranges=(TimeRange("T", IntegerSet.range(0, 59)),),
        ),
        ("head",),
    )
    order = ["! head", "time-range T", "ip access-list extended L", "interface GigabitEthernet0/1", "end"]
    lines = text.splitlines()
    assert [line for line in lines if line in order] == order


SPLIT = [
    (Match(source=AddressSet.of(32, [(0x0A000001, 0x0A000006)])), 4),
    (Match(protocol=IntegerSet.values(6, 17), destination_port=IntegerSet.values(53)), 2),
    (Match(protocol=TCP, destination_port=IntegerSet.of([(1, 5), (10, 20)])), 2),
    (Match(protocol=TCP, destination_port=IntegerSet.values(*range(1, 24, 2))), 2),
    (Match(protocol=TCP, tcp_flags=IntegerSet.of((b, b) for b in range(256) if bin(b & 0x3F).count("1") == 6)), 1),
    (Match(protocol=TCP, tcp_flags=IntegerSet.of((b, b) for b in range(256) if b & 3 in (0, 3))), 2),
    (Match(protocol=IntegerSet.values(1), icmp_type=IntegerSet.values(0, 8)), 2),
    (Match(traffic_class=IntegerSet.range(0, 63)), 2),
    (Match(traffic_class=IntegerSet.of([(0, 3), (8, 11)])), 2),
    (Match(ttl=IntegerSet.of([(0, 9), (20, 50)])), 2),
    (Match(source=AddressSet.of(128, [(1, 2)])), 2),
]


@pytest.mark.parametrize(("match", "count"), SPLIT)
def test_one_entry_becomes_several_lines(match, count):
    family = Family.IPV6 if match.source is not None and match.source.width == 128 else Family.IPV4
    text = write(device(Remark("above", 10), permit(match, sequence=10), permit(sequence=20), family=family))
    lines = body(text)
    assert len(lines) == count + 2
    again = read(text, "w").lists[0]
    assert [entry.sequence for entry in again.entries] == [10 * (at + 1) for at in range(count + 1)]
    assert isinstance(again.lines[0], Remark)


sets = st.one_of(
    st.none(), st.lists(st.integers(0, 255), min_size=1, max_size=120).map(lambda n: IntegerSet.values(*n))
)


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(0, 63), min_size=1, max_size=63), sets, sets)
def test_the_lines_are_the_union(flag_bytes, class_bytes, times):
    """Each value is in the entry's set exactly when it is in some line's."""
    flags = IntegerSet.of((b, b) for b in range(256) if b & 0x3F in flag_bytes)
    if class_bytes is not None:
        class_bytes = IntegerSet.of((b & 0xFE, b | 1) for b in class_bytes.members())
    if class_bytes == IntegerSet.range(0, 255):
        class_bytes = None
    for match in (
        Match(protocol=TCP, tcp_flags=flags),
        Match(traffic_class=class_bytes),
        Match(ttl=times),
    ):
        found = [entry.matches[0] for entry in read(write(device(permit(match))), "w").lists[0].entries]
        for field in ("tcp_flags", "traffic_class", "ttl"):
            wanted = getattr(match, field)
            parts = [getattr(part, field) for part in found]
            if wanted is None:
                assert parts == [None] * len(parts)
            else:
                union = IntegerSet.of(pair for part in parts for pair in part.intervals)
                assert union == wanted


def test_layer4_matches_of_other_dialects_keep_their_carriers():
    match = layer4(Match(protocol=IntegerSet.values(6, 17), source_port=IntegerSet.values(53)))
    with pytest.raises(CannotSay, match="cannot say"):
        write(device(permit(match)))
    assert body(write(device(permit(match._replace(noninitial=None))))) == [
        "10 permit tcp any eq 53 any",
        "20 permit udp any eq 53 any",
    ]


def test_an_entry_that_matches_nothing_does_not_open_the_list():
    nothing = permit(Match(protocol=TCP, tcp_flags=IntegerSet(())))
    assert body(write(device(nothing))) == ["10 deny ip any any"]
    assert body(write(device(nothing, kind=ListKind.EXTENDED, family=Family.IPV6))) == ["sequence 10 deny ipv6 any any"]


def test_numbers_stay_where_they_can():
    assert body(write(device(permit(sequence=7), permit(Match(protocol=TCP), sequence=9)))) == [
        "7 permit ip any any",
        "9 permit tcp any any",
    ]
    assert body(write(device(permit(sequence=9), permit(Match(protocol=TCP), sequence=7)))) == [
        "10 permit ip any any",
        "20 permit tcp any any",
    ]


REFUSED = [
    (Match(protocol=IntegerSet.values(33), source_port=IntegerSet.values(1)), Family.IPV4, "ports of protocol 33"),
    (Match(source_port=IntegerSet.values(1)), Family.IPV4, "ports of protocol"),
    (Match(protocol=IntegerSet.values(1), icmp_code=IntegerSet.values(1)), Family.IPV4, "an ICMP code"),
    (Match(protocol=IntegerSet.values(58), icmp_type=IntegerSet.values(1)), Family.IPV4, "protocol 58"),
    (Match(protocol=TCP, tcp_flags=IntegerSet.values(0x40)), Family.IPV4, "ECE and CWR"),
    (Match(traffic_class=IntegerSet.values(1)), Family.IPV4, "lowest bit"),
    (Match(traffic_class=IntegerSet.values(0, 1)), Family.IPV6, "ECN"),
    (Match(ttl=IntegerSet.values(1)), Family.IPV6, "hop limit"),
    (Match(week_minute=IntegerSet.values(1)), Family.IPV4, "time-range"),
    (Match(noninitial=True), Family.IPV4, "fragments or interfaces"),
    (Match(family=Family.IPV6), Family.IPV4, "address family"),
    (Match(protocol=IntegerSet.values(44)), Family.IPV6, "extension header"),
    (
        Match(source=AddressSet.wildcard(Wildcard.of(0, 0x5555_5555_5555 << 32, 128))),
        Family.IPV6,
        "prefixes only",
    ),
]


@pytest.mark.parametrize(("match", "family", "part"), REFUSED)
def test_refused(match, family, part):
    with pytest.raises(CannotSay) as caught:
        write(device(permit(match, sequence=30), family=family))
    (refusal,) = caught.value.refusals
    assert part in f"{refusal.what}: {refusal.why}"
    assert "list L, entry 30" in refusal.what


def test_refused_names_and_clauses():
    cases = [
        device(permit(), name="two words"),
        device(permit(), name="101", kind=ListKind.STANDARD),
        device(permit(), name="0101"),
        device(permit(unmodelled=(Clause("reflect X"),))),
        device(permit(Match(protocol=TCP)), kind=ListKind.STANDARD),
        device(permit(), interfaces=("eth0",)),
        device(permit(), time_ranges=(TimeRange("T", IntegerSet(())),)),
        device(permit(), time_ranges=(TimeRange("T", None, IntegerSet.of([(1, 2), (5, 6)])),)),
        device(permit(time_range="two words")),
        device(permit(fragments=True, layer4_named=True)),
        device(permit(layer4_named=True)),
    ]
    for case in cases:
        with pytest.raises(CannotSay) as caught:
            write(case)
        assert len(caught.value.refusals) == 1
        assert caught.value.refusals[0].span == NOWHERE


def test_all_refusals_are_collected():
    with pytest.raises(CannotSay) as caught:
        write(device(permit(Match(ttl=IntegerSet.values(1))), permit(Match(noninitial=False)), family=Family.IPV6))
    assert len(caught.value.refusals) == 2


def test_an_odd_wildcard_stays_one_line():
    wild = AddressSet.wildcard(Wildcard.of(0xAC100000, 0x0000FFF8))
    assert body(write(device(permit(Match(source=wild))))) == ["10 permit ip 172.16.0.0 0.0.255.248 any"]
    assert body(write(device(permit(Match(source=wild)), kind=ListKind.STANDARD))) == [
        "10 permit 172.16.0.0 0.0.255.248"
    ]


def test_a_list_name_may_occur_in_both_families():
    both = Device(
        "",
        tuple(AccessList("N", family, ListKind.EXTENDED, (permit(sequence=10),)) for family in Family),
    )
    assert {found.family for found in read(write(both), "w").lists} == set(Family)
