"""Fragments: cut, mixed, lost, doubled and overlapping, and what becomes of the whole."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.fields import Family
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.fragments import Reassembler, fragment
from compiler.simulator.frame import Datagram
from compiler.simulator.wire import decode, encode, header_length
from tests.compiler.simulator.datagrams import datagrams, said

scapy = pytest.importorskip("scapy.all")


def long_datagram(family=Family.IPV4, size=4000, **fields):
    datagram = Datagram(family, 0x0A000001, 0x0A000002, 17, size, 1024, 53)
    datagram.identification = 77
    datagram.data = random.Random(5).randbytes(size - header_length(datagram) - 8)
    for name, value in fields.items():
        setattr(datagram, name, value)
    return datagram


def reassemble(parts, reassembler=None):
    """Each whole datagram that comes out."""
    reassembler = reassembler or Reassembler(Engine())
    return [whole for part in parts if (whole := reassembler.add(part)) is not None]


# -- cutting ---------------------------------------------------------------------------


@given(
    datagrams(protocols=(1, 6, 17, 47, 132), most=3000, atomic=False),
    st.integers(120, 1600),
    st.randoms(use_true_random=False),
)
def test_parts_in_any_order_make_the_whole_again(datagram, mtu, shuffle):
    datagram.dont_fragment = False
    octets = encode(datagram)
    parts = fragment(datagram, mtu)
    for part in parts:
        assert part.size <= mtu
        assert part.number == datagram.number
        assert said(decode(encode(part))) == said(part)
        assert encode(decode(encode(part))) == encode(part)
    shuffle.shuffle(parts)
    (whole,) = reassemble(parts)
    assert encode(whole) == octets


def test_ipv4_fragments_are_what_scapy_cuts():
    datagram = long_datagram()
    ours = [encode(part) for part in fragment(datagram, 1500)]
    theirs = [bytes(part) for part in scapy.fragment(scapy.IP(encode(datagram)), fragsize=1480)]
    assert ours == theirs


def test_ipv6_fragments_are_read_by_scapy_and_put_together():
    datagram = long_datagram(Family.IPV6)
    parts = [scapy.IPv6(encode(part)) for part in fragment(datagram, 1280)]
    assert [part[scapy.IPv6ExtHdrFragment].offset * 8 for part in parts] == [0, 1232, 2464, 3696]
    assert bytes(scapy.defragment6(parts)[scapy.UDP]) == encode(datagram)[40:]


def test_fragments_are_cut_again():
    datagram = long_datagram()
    parts = [small for part in fragment(datagram, 1500) for small in fragment(part, 576)]
    assert all(part.size <= 576 for part in parts)
    assert [part.more_fragments for part in parts] == [True] * (len(parts) - 1) + [False]
    (whole,) = reassemble(parts)
    assert encode(whole) == encode(datagram)


def test_only_options_with_the_copied_flag_go_into_every_fragment():
    router_alert, timestamp = b"\x94\x04\x00\x00", b"\x44\x08\x05\x00" + bytes(4)
    datagram = long_datagram(options=timestamp + router_alert, size=4012, data=bytes(3972))
    first, *others = fragment(datagram, 1500)
    assert first.options == timestamp + router_alert
    assert {part.options for part in others} == {router_alert}


def test_layer_4_is_in_the_first_fragment_only():
    first, second, *_ = fragment(long_datagram(), 1500)
    assert (first.source_port, first.destination_port) == (1024, 53)
    assert (second.source_port, second.destination_port) == (0, 0)
    assert second.packet().noninitial
    assert not first.packet().noninitial


def test_what_may_not_be_cut_says_so():
    with pytest.raises(ValueError, match="must not be fragmented"):
        fragment(long_datagram(dont_fragment=True), 1500)
    with pytest.raises(ValueError, match="only its source"):
        fragment(fragment(long_datagram(Family.IPV6), 1500)[0], 1280)
    with pytest.raises(ValueError, match="MTU of 27"):
        fragment(long_datagram(), 27)
    small = long_datagram(size=100)
    assert fragment(small, 100) == [small]


# -- putting together ------------------------------------------------------------------------


def test_whole_datagrams_pass():
    datagram = long_datagram()
    assert Reassembler(Engine()).add(datagram) is datagram


def test_a_duplicate_is_ignored_whatever_it_says():
    first, second, third = fragment(long_datagram(), 1500)
    inside = second.copy()
    inside.fragment = bytes(len(second.fragment) - 16)
    reassembler = Reassembler(Engine())
    (whole,) = reassemble([first, second, inside, second.copy(), third], reassembler)
    assert encode(whole) == encode(long_datagram())
    assert reassembler.drops == {"duplicate": 2}


@pytest.mark.parametrize("family", list(Family))
def test_an_overlap_throws_away_all_that_has_come(family):
    first, second, third, *rest = fragment(long_datagram(family), 1280)
    overlapping = second.copy()
    overlapping.fragment_offset -= 8
    reassembler = Reassembler(Engine())
    assert reassemble([first, overlapping, second], reassembler) == []
    assert reassembler.drops == {"overlap": 1}
    # The second one began a new pile: only with all the others does it make a whole.
    (whole,) = reassemble([first, third, *rest], reassembler)
    assert whole.data == long_datagram(family).data
    assert reassembler.waiting == 0


def test_a_contradiction_about_the_end_throws_away_all_that_has_come():
    first, second, third = fragment(long_datagram(), 1500)
    early_end = second.copy()
    early_end.more_fragments = False
    reassembler = Reassembler(Engine())
    assert reassemble([first, third, early_end], reassembler) == []
    assert reassembler.drops == {"contradictory end": 1}
    beyond = third.copy()
    beyond.more_fragments, beyond.fragment_offset, beyond.fragment = True, third.fragment_offset + 2000, bytes(8)
    reassembler = Reassembler(Engine())
    assert reassemble([third, beyond], reassembler) == []
    assert reassembler.drops == {"contradictory end": 1}


def test_more_than_a_datagram_can_hold_is_refused():
    first = fragment(long_datagram(), 1500)[0]
    death = first.copy()
    death.fragment_offset, death.more_fragments, death.fragment = 65_528, False, bytes(1000)
    reassembler = Reassembler(Engine())
    assert reassemble([first, death], reassembler) == []
    assert reassembler.drops == {"malformed": 1}


def test_piles_are_told_apart():
    one, other = long_datagram(), long_datagram(identification=78)
    parts = [part for pair in zip(fragment(one, 1500), fragment(other, 1500), strict=True) for part in pair]
    assert [whole.identification for whole in reassemble(parts)] == [77, 78]
    assert reassemble([fragment(one, 1500)[0], *fragment(other, 1500)[1:]]) == []


def test_damage_inside_is_found_by_layer_4():
    parts = fragment(long_datagram(), 1500)
    parts[1].fragment = bytes(len(parts[1].fragment))
    reassembler = Reassembler(Engine())
    assert reassemble(parts, reassembler) == []
    assert reassembler.drops == {"malformed": 1}


@pytest.mark.parametrize(("family", "seconds"), [(Family.IPV4, 30), (Family.IPV6, 60)])
def test_time_runs_from_the_first_to_come(family, seconds):
    engine, given_up = Engine(), []
    reassembler = Reassembler(engine, timed_out=given_up.append)
    first, second, *_ = fragment(long_datagram(family), 1280)
    reassembler.add(first)
    engine.run(20 * SECOND)
    reassembler.add(second)
    engine.run(seconds * SECOND - 1)
    assert given_up == []
    engine.run(seconds * SECOND)
    assert given_up == [first]
    assert (reassembler.timeouts, reassembler.waiting) == (1, 0)


def test_without_the_first_fragment_there_is_nothing_to_report():
    engine, given_up = Engine(), []
    Reassembler(engine, 5 * SECOND, timed_out=given_up.append).add(fragment(long_datagram(), 1500)[1])
    engine.run()
    assert (engine.now, given_up) == (5 * SECOND, [None])


def test_memory_has_a_limit_that_time_frees():
    engine = Engine()
    reassembler = Reassembler(engine, memory=10_000)
    for identification in range(20):
        reassembler.add(fragment(long_datagram(identification=identification), 1500)[0])
    assert reassembler.waiting <= 10_000 + 1480
    assert reassembler.drops["no memory"] > 0
    engine.run()
    (whole,) = reassemble(fragment(long_datagram(), 1500), reassembler)
    assert whole.data == long_datagram().data


def test_congestion_met_by_a_part_was_met_by_the_whole():
    parts = fragment(long_datagram(traffic_class=0xB9), 1500)
    parts[1].traffic_class |= 3
    (whole,) = reassemble(parts)
    assert whole.traffic_class == 0xBB
    parts = fragment(long_datagram(traffic_class=0xB8), 1500)
    parts[1].traffic_class |= 3
    assert reassemble(parts) == []


def test_the_largest_part_is_remembered_for_who_cuts_again():
    reassembler = Reassembler(Engine())
    reassemble(fragment(long_datagram(), 1004), reassembler)
    assert reassembler.largest == 1004
