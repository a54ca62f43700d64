"""Sets of packets: the members of a field's set, counted one by one, and packets out of a set."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import TCP, UDP, Family, flags_any
from compiler.integers import IntegerSet
from compiler.policy.match import ANY, Match, layer4
from compiler.policy.packet import Packet, Path, matches
from compiler.semantics.machine import Context, Outcome, Stage, Step
from compiler.symbolic import space as spaces
from compiler.symbolic.evaluate import fate, passing
from compiler.symbolic.space import space
from compiler.symbolic.witness import random_packet, shortest_packet

FOUR = space(Family.IPV4)
CONTEXT = Context(Family.IPV4, Path.FORWARD, "a", "b", False)


def share(match: Match) -> float:
    """The share of all packets in a match, told by the sizes of its sets."""
    result = 1.0
    for name, (_, width) in FOUR.layout.items():
        value = getattr(match, name, None)
        if isinstance(value, IntegerSet):
            result *= value.size() / 2**width
        elif isinstance(value, AddressSet):
            result *= sum(high - low + 1 for low, high in value.runs()) / 2**width
    return result


def measure(found) -> float:
    """The share of all assignments in a set."""
    return found.sat_count_float(FOUR.size) / 2.0**FOUR.size


bits = st.sets(st.sampled_from((0, 1, 3, 4, 9, 31)), max_size=4).map(lambda chosen: sum(1 << bit for bit in chosen))
wildcards = st.builds(Wildcard.of, bits, bits)
intervals = st.tuples(bits, bits).map(lambda two: (min(two), max(two)))
address_sets = st.builds(
    lambda ranges, odd: AddressSet.of(32, ranges, odd),
    st.lists(intervals, max_size=3),
    st.lists(wildcards, max_size=2),
).filter(lambda one: not one.is_empty)
ports = st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 65535)), min_size=1, max_size=4).map(
    lambda pairs: IntegerSet.of((min(pair), max(pair)) for pair in pairs)
)


@given(address_sets)
def test_an_address_set_has_as_many_members_as_its_runs(addresses):
    found = FOUR.encode(Match(source=addresses))
    assert measure(found) == pytest.approx(share(Match(source=addresses)), rel=1e-9)


@given(ports)
def test_ranges_have_as_many_members_as_they_say(allowed):
    match = layer4(Match(protocol=IntegerSet.values(TCP), destination_port=allowed))
    assert measure(FOUR.encode(match)) == pytest.approx(share(match), rel=1e-9)


@given(ports, ports)
def test_union_and_intersection_are_those_of_the_integers(left, right):
    one, other = (FOUR.encode(Match(source_port=allowed)) for allowed in (left, right))
    both = left.intersection(right)
    assert (one | other) == FOUR.encode(Match(source_port=left.union(right)))
    assert (one & other) == (FOUR.encode(Match(source_port=both)) if both.intervals else FOUR.empty)
    rest = left.complement(16)
    assert ~one == (FOUR.encode(Match(source_port=rest)) if rest.intervals else FOUR.empty)


@given(wildcards, wildcards)
def test_a_wildcard_is_a_subset_exactly_when_its_set_is(left, right):
    one, other = (FOUR.encode(Match(source=AddressSet.wildcard(wildcard))) for wildcard in (left, right))
    assert left.issubset(right) == (not (one & ~other).satisfiable())


@given(wildcards)
def test_an_odd_wildcard_is_the_union_of_its_runs(wildcard):
    as_runs = AddressSet(32, IntegerSet.of(wildcard.runs()).intervals)
    assert FOUR.encode(Match(source=AddressSet(32, (), (wildcard,)))) == FOUR.encode(Match(source=as_runs))


def test_the_ttl_before_and_after_the_router_are_two_fields():
    match = Match(ttl=IntegerSet.values(9))
    before, after = FOUR.encode(match), FOUR.encode(match, decremented=True)
    assert before != after
    agree = FOUR.one_hop()
    assert (before & after & agree) == FOUR.empty
    lowered = FOUR.encode(Match(ttl=IntegerSet.values(10)))
    assert (lowered & agree) == (after & agree)
    assert (FOUR.encode(Match(ttl=IntegerSet.values(255)), decremented=True) & agree) == FOUR.empty


def test_an_address_of_the_other_family_is_no_packet():
    six = AddressSet.wildcard(Wildcard.of(1, 0, 128))
    assert FOUR.encode(Match(source=six)) == FOUR.empty


def test_a_set_of_ten_thousand_ranges_is_built_once_and_right():
    ranges = AddressSet.of(32, ((position * 7, position * 7 + 2) for position in range(10_000)))
    found = FOUR.encode(Match(destination=ranges))
    assert found is FOUR.encode(Match(destination=ranges))
    assert measure(found) == pytest.approx(30_000 / 2**32, rel=1e-9)


rules = st.builds(
    lambda source, protocol, allowed, flags: layer4(
        Match(
            source=source,
            protocol=IntegerSet.values(protocol),
            destination_port=allowed,
            tcp_flags=flags if protocol == TCP else None,
        )
    ),
    st.one_of(st.none(), address_sets),
    st.sampled_from((TCP, UDP)),
    st.one_of(st.none(), ports),
    st.sampled_from((None, flags_any(0x14))),
)


@given(rules, st.integers(0, 99))
def test_packets_out_of_a_set_are_members(match, seed):
    found = FOUR.encode(match)
    here = match._replace(noninitial=None)
    assert matches(here, shortest_packet(found, FOUR, CONTEXT))
    source = random.Random(seed)
    for _ in range(5):
        assert matches(here, random_packet(found, FOUR, CONTEXT, source))


def test_the_shortest_packet_is_plain_where_it_may_be():
    found = shortest_packet(FOUR.full, FOUR, CONTEXT)
    assert found == Packet(
        Family.IPV4, 0xC0000201, 0xC6336401, TCP, 1025, 80, 0x02, ingress="a", egress="b", path=Path.FORWARD
    )


def test_a_packet_of_an_icmp_set_is_icmp_and_has_no_ports():
    found = FOUR.encode(layer4(Match(icmp_type=IntegerSet.values(3))))
    packet = random_packet(found, FOUR, CONTEXT, random.Random(1))
    assert packet.protocol in (1, 58)
    assert (packet.icmp_type, packet.source_port, packet.destination_port, packet.tcp_flags) == (3, 0, 0, 0)


def test_a_packet_seen_with_a_lowered_ttl_had_one_more():
    found = FOUR.encode(Match(ttl=IntegerSet.values(9)), decremented=True)
    assert shortest_packet(found, FOUR, CONTEXT).ttl == 10


WEB = layer4(Match(protocol=IntegerSet.values(TCP), destination_port=IntegerSet.values(80)))
TCP_ALL = Match(protocol=IntegerSet.values(TCP))


def test_fate_cuts_a_set_in_three():
    steps = (Step(WEB, Outcome.PERMIT), Step(TCP_ALL, Outcome.DENY))
    found = fate(steps, FOUR.full, FOUR)
    web, tcp = FOUR.encode(WEB), FOUR.encode(TCP_ALL)
    assert found.permitted == web
    assert found.denied == (tcp & ~web)
    assert found.undecided == ~tcp


def test_a_return_in_a_body_comes_back_undecided():
    body = (Step(WEB, Outcome.RETURN), Step(ANY, Outcome.DENY))
    found = fate((Step(TCP_ALL, Outcome.CALL, body), Step(ANY, Outcome.PERMIT)), FOUR.full, FOUR)
    assert found.denied == (FOUR.encode(TCP_ALL) & ~FOUR.encode(WEB))
    assert found.permitted == ~found.denied
    assert found.undecided == FOUR.empty


@pytest.mark.parametrize("default", [True, False])
def test_what_no_step_decides_has_the_default(default):
    stage = Stage("x", (Step(WEB, Outcome.DENY),), default)
    expected = ~FOUR.encode(WEB) if default else FOUR.empty
    assert passing(stage, FOUR.full, FOUR) == expected


def test_two_threads_that_ask_first_get_one_space(monkeypatch):
    """Sets of two managers must never meet: oxidd ends the process when they do."""
    monkeypatch.setattr(spaces, "_SPACES", {})
    making = []

    class Slow(spaces.PacketSpace):
        def __init__(self, family):
            making.append(family)
            time.sleep(0.05)
            super().__init__(family)

    monkeypatch.setattr(spaces, "PacketSpace", Slow)
    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(spaces.space, [Family.IPV6] * 4))
    assert len(found) == len(making) == 1


def test_what_is_held_outlives_forgetting(monkeypatch):
    monkeypatch.setattr(spaces, "_SPACES", {})
    one = spaces.space(Family.IPV4)
    ports = Match(protocol=IntegerSet.values(6), destination_port=IntegerSet.values(*range(1, 400, 7)))
    held, before = one.encode(ports), one.nodes()
    one.encode(Match(source_port=IntegerSet.values(*range(1, 4000, 7))))
    spaces.forget_sets()
    assert spaces.space(Family.IPV4) is one
    assert one.nodes() <= before
    assert held == one.encode(ports)
    assert not (held & ~one.encode(ports)).satisfiable()
