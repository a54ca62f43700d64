"""What the matchers of connections, marks, counters and rates mean, and what they refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.dialects.routeros.durations import duration, format_duration
from compiler.dialects.routeros.faults import MatcherFault
from compiler.dialects.routeros.stateful_matchers import CLASSIFIER_FIELDS, condition
from compiler.errors import Unmodelled
from compiler.integers import IntegerSet
from compiler.policy.packet import Packet
from compiler.policy.stateful import (
    AddressKind,
    Counter,
    HelperIs,
    LengthIn,
    Limit,
    LocalAddress,
    MarkNamed,
    NumberIn,
    RandomNumber,
    Register,
    State,
    StateIn,
    StatusIs,
)

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("connection-state", "new", StateIn(frozenset({State.NEW}))),
        ("connection-state", "established,related", StateIn(frozenset({State.ESTABLISHED, State.RELATED}))),
        ("connection-state", "!invalid", StateIn(frozenset(State) - {State.INVALID})),
        ("connection-nat-state", "dstnat", StatusIs(frozenset({"dnat"}))),
        ("connection-nat-state", "!srcnat,dstnat", StatusIs(frozenset({"snat", "dnat"}), True)),
        ("connection-mark", "no-mark", MarkNamed(Register.CONNECTION, "")),
        ("connection-mark", "!no-mark", MarkNamed(Register.CONNECTION, "", True)),
        ("packet-mark", "voice", MarkNamed(Register.PACKET, "voice")),
        ("routing-mark", "!to WAN1", MarkNamed(Register.ROUTING, "to WAN1", True)),
        ("connection-type", "!ftp", HelperIs("ftp", True)),
        ("dst-address-type", "!local", LocalAddress("destination", frozenset({AddressKind.LOCAL}), True)),
        (
            "src-address-type",
            "unicast,broadcast",
            LocalAddress("source", frozenset({AddressKind.UNICAST, AddressKind.BROADCAST})),
        ),
        ("packet-size", "0-100", LengthIn(IntegerSet.range(0, 100))),
        ("packet-size", "!1500", LengthIn(IntegerSet.values(1500).complement(16))),
        ("random", "30", NumberIn(RandomNumber(100), IntegerSet.range(0, 29))),
        ("nth", "2,1", NumberIn(Counter(2), IntegerSet.values(0))),
        ("nth", "3,3", NumberIn(Counter(3), IntegerSet.values(2))),
        ("nth", "1,1", NumberIn(Counter(1), IntegerSet.values(0))),
        ("limit", "10,5:packet", Limit(10, SECOND, 5)),
        ("limit", "10,5", Limit(10, SECOND, 5)),
        ("limit", "50/1m,10:packet", Limit(50, 60 * SECOND, 10)),
        ("limit", "!100/5s,20:packet", Limit(100, 5 * SECOND, 20, over=True)),
        ("limit", "1M,64k:bit", Limit(1_000_000, 8 * SECOND, 8000, octets=True)),
    ],
)
def test_meanings(name, text, expected):
    assert condition(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("connection-state", "establised", "did you mean established?"),
        ("connection-state", "!", "has no value"),
        ("connection-nat-state", "nat", "none of its values"),
        ("connection-type", "telnet", "unknown"),
        ("dst-address-type", "!locale", "did you mean local?"),
        ("nth", "1,1,0", "RouterOS 2.9"),
        ("nth", "2,1,0", "write nth=EVERY,PACKET"),
        ("nth", "2", "expected EVERY,PACKET"),
        ("nth", "2,0", "count from 1 to 2"),
        ("nth", "2,3", "3 never comes"),
        ("nth", "0,0", "from 1"),
        ("nth", "!2,1", "cannot be negated"),
        ("per-connection-classifier", "both-addresses_and-ports:2/0", "did you mean both-addresses-and-ports?"),
        ("per-connection-classifier", "both-addresses:2/2", "at most 1"),
        ("per-connection-classifier", "both-addresses:0/0", "from 1"),
        ("per-connection-classifier", "both-addresses", "FIELDS:DENOMINATOR/REMAINDER"),
        ("random", "100", "from 1 to 99"),
        ("limit", "10", "expected RATE"),
        ("limit", "0,5:packet", "a rate of nothing"),
        ("limit", "10/0s,5:packet", "expected RATE"),
        ("packet-size", "100-50", "runs backwards"),
        ("packet-size", "70000", "from 0 to 65535"),
    ],
)
def test_wrong_values(name, text, words):
    with pytest.raises(MatcherFault) as caught:
        condition(name, text)
    assert words in str(caught.value)
    assert caught.value.kind is not Unmodelled


def test_every_classifier_field_is_of_a_packet_and_in_the_order_of_the_key():
    order = ("source", "destination", "source_port", "destination_port")
    for fields in CLASSIFIER_FIELDS.values():
        assert set(fields) <= set(Packet._fields)
        assert list(fields) == sorted(fields, key=order.index)
    assert len(set(CLASSIFIER_FIELDS.values())) == 9


@given(st.sampled_from(sorted(CLASSIFIER_FIELDS)), st.integers(1, 64))
def test_classifier_lines_part_all_hashes(fields, denominator):
    found = [condition("per-connection-classifier", f"{fields}:{denominator}/{line}") for line in range(denominator)]
    for line, one in enumerate(found):
        assert one.number.fields == CLASSIFIER_FIELDS[fields]
        assert (one.number.modulus, one.number.per_connection) == (denominator, True)
        negated = condition("per-connection-classifier", f"!{fields}:{denominator}/{line}")
        assert negated.number == one.number
        for number in range(denominator):
            assert one.values.contains(number) == (number == line) != negated.values.contains(number)


@given(st.integers(1, 200), st.data())
def test_nth_takes_one_in_every(every, data):
    packet = data.draw(st.integers(1, every))
    found = condition("nth", f"{every},{packet}")
    drawn = [(number + found.number.offset) % found.number.modulus for number in range(3 * every)]
    assert [place for place, number in enumerate(drawn, 1) if found.values.contains(number)] == [
        packet,
        packet + every,
        packet + 2 * every,
    ]


@given(st.integers(0, 10**18))
def test_durations_come_back(nanoseconds):
    assert duration(format_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1d2h", 93600),
        ("1w", 604800),
        ("00:10:00", 600),
        ("1d02:00:05", 93605),
        ("5:30", 19800),
        ("90", 90),
        ("0s", 0),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("1w1d1h1m1s", 694861),
        ("00:00:01.5", 1.5),
    ],
)
def test_durations(text, seconds):
    assert duration(text) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "1x", "h", "1h2d", "00:61:00", "-1s", "1:2:3:4", "none", "1m2", "٣s"])
def test_no_durations(text):
    assert duration(text) is None
