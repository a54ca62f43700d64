"""What is written is read back as the same device; pasting twice changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.dialects.ios.reader import read
from compiler.dialects.ios.writer import write
from compiler.fields import Family, flags_all, flags_any
from compiler.integers import IntegerSet, bit_pattern
from compiler.policy.access_list import (
    AccessList,
    Action,
    Binding,
    Device,
    Direction,
    Entry,
    ListKind,
    NetworkGroup,
    Remark,
    ServiceGroup,
    TimeRange,
)
from compiler.policy.match import Match
from compiler.source import NOWHERE

CORPUS = Path(__file__).parents[3] / "corpus" / "ios"
READABLE = [
    path.name for path in sorted(CORPUS.glob("*.*")) if path.name not in ("README.md", "ntc-show-access-list-1.txt")
]


def bare(device):
    """The device without places, hit counts, and what a written file does not repeat."""

    def plain(node, **more):
        return replace(node, span=NOWHERE, **more)

    lists = tuple(
        plain(
            found,
            lines=tuple(plain(line, hits=None) if isinstance(line, Entry) else plain(line) for line in found.lines),
        )
        for found in device.lists
    )
    return replace(
        device,
        source="",
        lists=lists,
        bindings=tuple(sorted((plain(binding) for binding in device.bindings), key=repr)),
        network_groups=tuple(plain(group) for group in device.network_groups),
        service_groups=tuple(plain(group) for group in device.service_groups),
        time_ranges=tuple(plain(found) for found in device.time_ranges),
        uses=(),
        features=(),
        skipped_lines=0,
        lines=(),
    )


def without_remarks(device):
    """Remarks have no number that would keep a second paste from adding them again."""
    plain = bare(device)
    return replace(plain, lists=tuple(replace(found, lines=found.entries) for found in plain.lists))


@pytest.mark.parametrize("name", READABLE)
def test_corpus(name):
    device = read((CORPUS / name).read_text(encoding="utf-8"), name)
    text = write(device, ("made for a test", "", "second line"))
    again = read(text, name)
    assert bare(again) == bare(device)
    assert write(again, ("made for a test", "", "second line")) == text
    assert without_remarks(read(text + text, name)) == without_remarks(device)


ports = st.one_of(
    st.none(),
    st.sets(st.integers(0, 65535), min_size=1, max_size=10).map(lambda found: IntegerSet.values(*found)),
    st.sets(st.integers(0, 65535), min_size=1, max_size=10).map(lambda found: IntegerSet.values(*found).complement(16)),
    st.tuples(st.integers(0, 65535), st.integers(0, 65535))
    .filter(lambda pair: pair[0] <= pair[1] and pair != (0, 65535))
    .map(lambda pair: IntegerSet.range(*pair)),
)


def places(width):
    words = st.integers(0, (1 << width) - 1)
    if width == 32:
        wilds = st.builds(Wildcard.of, words, st.one_of(words, st.integers(0, 32).map(lambda n: (1 << n) - 1)))
    else:
        wilds = st.builds(lambda value, length: Wildcard.prefix(value, length, 128), words, st.integers(1, 128))
    sets = wilds.map(AddressSet.wildcard).filter(lambda found: not found.is_any)
    return st.one_of(st.none(), sets)


bits = st.integers(1, 63)
flag_sets = st.one_of(
    st.none(),
    st.builds(flags_any, bits),
    st.builds(lambda wanted, other: flags_all(wanted & ~other, other), bits, bits),
    st.builds(lambda wanted, other: flags_any(wanted & ~other, other), bits, bits),
)
classes4 = st.one_of(
    st.none(),
    st.integers(0, 63).map(lambda code: bit_pattern(code << 2, 0xFC, 8)),
    st.integers(0, 7).map(lambda value: bit_pattern(value << 5, 0xE0, 8)),
    st.integers(0, 15).map(lambda value: bit_pattern(value << 1, 0x1E, 8)),
    st.tuples(st.integers(0, 7), st.integers(0, 15)).map(lambda p: bit_pattern(p[0] << 5 | p[1] << 1, 0xFE, 8)),
)
classes6 = st.one_of(st.none(), st.integers(0, 63).map(lambda code: bit_pattern(code << 2, 0xFC, 8)))


@st.composite
def matches(draw, family):
    width = family.width
    match = Match(
        source=draw(places(width)),
        destination=draw(places(width)),
        traffic_class=draw(classes4 if family is Family.IPV4 else classes6),
    )
    if family is Family.IPV4:
        match = match._replace(
            ttl=draw(st.one_of(st.none(), st.integers(1, 254).map(lambda n: IntegerSet.range(0, n))))
        )
    kind = draw(st.sampled_from(["ip", "number", "tcp", "udp", "icmp"]))
    if kind == "ip":
        return match
    if kind == "number":
        return match._replace(protocol=IntegerSet.values(draw(st.sampled_from([2, 41, 47, 50, 88, 89, 103, 255]))))
    if kind == "icmp":
        types = draw(st.one_of(st.none(), st.integers(0, 255)))
        code = draw(st.one_of(st.none(), st.integers(0, 255))) if types is not None else None
        return match._replace(
            protocol=IntegerSet.values(1 if family is Family.IPV4 else 58),
            icmp_type=None if types is None else IntegerSet.values(types),
            icmp_code=None if code is None else IntegerSet.values(code),
        )
    match = match._replace(source_port=draw(ports), destination_port=draw(ports))
    if kind == "udp":
        return match._replace(protocol=IntegerSet.values(17))
    return match._replace(protocol=IntegerSet.values(6), tcp_flags=draw(flag_sets))


@st.composite
def entries(draw, family, ranges):
    match = draw(matches(family))
    named = match.looks_at_layer4
    fragments = not named and draw(st.booleans())
    if not named and not fragments and match.protocol in (IntegerSet.values(6), IntegerSet.values(17)):
        named = draw(st.booleans())
    return Entry(
        draw(st.sampled_from(list(Action))),
        (match,),
        fragments=fragments,
        log=draw(st.sampled_from(["", "log", "log-input"])),
        time_range=draw(st.sampled_from(["", *ranges])),
        layer4_named=named,
    )


remarks = st.builds(Remark, st.text("abc XYZ!#-^", min_size=1, max_size=30).map(str.strip))


@st.composite
def lists(draw, name, family, ranges):
    sequence = 0
    lines, seen = [], set()
    for line in draw(st.lists(st.one_of(entries(family, ranges), remarks), min_size=1, max_size=8)):
        if isinstance(line, Remark):
            lines.append(line)
        elif line not in seen:
            seen.add(line)
            sequence += draw(st.integers(1, 50))
            lines.append(replace(line, sequence=sequence))
    return AccessList(name, family, ListKind.EXTENDED, tuple(lines))


@st.composite
def time_ranges(draw, name):
    week = IntegerSet.of(
        draw(st.lists(st.tuples(st.integers(0, 10079), st.integers(0, 3000)).map(lambda p: (p[0], min(sum(p), 10079)))))
    )
    low = draw(st.integers(13_000_000, 30_000_000))
    dates = draw(st.sampled_from([None, IntegerSet.range(low, low + 5_000), IntegerSet.range(low, (1 << 32) - 1)]))
    whole = week in (IntegerSet(()), IntegerSet.range(0, 10079))
    return TimeRange(name, None if whole else week, dates)


@st.composite
def devices(draw):
    ranges = [draw(time_ranges(f"T{number}")) for number in range(draw(st.integers(0, 2)))]
    names = [found.name for found in ranges]
    found = [
        draw(lists("101", Family.IPV4, names)),
        draw(lists("V4", Family.IPV4, names)),
        draw(lists("V6", Family.IPV6, names)),
    ]
    bindings = (
        Binding("GigabitEthernet0/1", Direction.IN, Family.IPV4, "101"),
        Binding("GigabitEthernet0/1", Direction.OUT, Family.IPV6, "V6"),
        Binding("Vlan10", draw(st.sampled_from(list(Direction))), Family.IPV4, "V4"),
    )
    return Device(
        "",
        tuple(found),
        bindings,
        time_ranges=tuple(ranges),
        interfaces=("Loopback0", "GigabitEthernet0/1", "Vlan10"),
        hostname="r1",
    )


@settings(max_examples=150, deadline=None)
@given(devices())
def test_read_of_write_is_the_device(device):
    text = write(device)
    again = read(text, "w")
    assert bare(again) == bare(device)
    assert write(again) == text
    assert without_remarks(read(text + text, "w")) == without_remarks(device)


networks = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)).map(
        lambda p: AddressSet.of(32, [(min(p), max(p))])
    ),
    st.builds(
        lambda value, length: AddressSet.wildcard(Wildcard.prefix(value, length)),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    ),
)
intervals = st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(lambda p: IntegerSet.range(min(p), max(p)))
some_ports = st.one_of(st.none(), intervals.filter(lambda found: found.size() < 65536))
services = st.one_of(
    st.just(Match()),
    st.builds(lambda number: Match(protocol=IntegerSet.values(number)), st.integers(1, 255)),
    st.builds(
        lambda kind: Match(protocol=IntegerSet.values(1), icmp_type=IntegerSet.values(kind)), st.integers(0, 255)
    ),
    st.builds(
        lambda protocol, source, destination: Match(
            protocol=IntegerSet.values(*protocol), source_port=source, destination_port=destination
        ),
        st.sampled_from([(6,), (17,), (6, 17)]),
        some_ports,
        some_ports,
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(networks, min_size=1, max_size=5, unique=True), st.lists(services, min_size=1, max_size=5, unique=True))
def test_groups(members, offered):
    inner = NetworkGroup("INNER", AddressSet.of(32, members[0].ranges), (members[0],), "what it is for")
    whole = AddressSet.of(32, [pair for member in members for pair in member.ranges])
    outer = NetworkGroup("OUTER", whole, ("INNER", *members[1:]))
    group = ServiceGroup("S", tuple(offered), tuple(offered))
    source = None if whole.is_any else whole
    matches = tuple(match._replace(source=source) for match in offered)
    entry = Entry(Action.PERMIT, matches, 10, source_group="OUTER", service_group="S")
    lists = (AccessList("L", Family.IPV4, ListKind.EXTENDED, (entry,)),)
    device = Device("", lists, network_groups=(inner, outer), service_groups=(group,))
    text = write(device)
    assert "10 permit object-group S object-group OUTER any" in text
    assert bare(read(text, "w")) == bare(device)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6, unique=True))
def test_standard_lists(addresses):
    entries = tuple(
        Entry(Action.PERMIT, (Match(source=AddressSet.of(32, [(value, value)])),), 10 * number)
        for number, value in enumerate(addresses, 1)
    )
    device = Device("", (AccessList("10", Family.IPV4, ListKind.STANDARD, entries),))
    assert bare(read(write(device), "w")) == bare(device)


def test_words_of_old_releases_are_read_and_written_as_numbers():
    device = read("ip access-list extended OLD\n permit igrp any any\nobject-group service S\n igrp\n", "old.cfg")
    assert device.lists[0].entries[0].matches[0].protocol == IntegerSet.values(9)
    text = write(device)
    assert "permit 9 any any" in text
    assert "igrp" not in text
