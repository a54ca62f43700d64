"""Stages over tiny alphabets, and packets at the edges of their matches."""

from functools import cache

from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import TCP, UDP, Family, flags_any
from compiler.integers import IntegerSet
from compiler.policy.match import InterfaceSet, Match
from compiler.policy.packet import Packet
from compiler.semantics.machine import Outcome, Stage, Step

BASE = {Family.IPV4: 0x0A000000, Family.IPV6: 0x20010DB8 << 96}
SHIFTS = {Family.IPV4: (0, 1, 2, 3, 8, 17), Family.IPV6: (0, 1, 2, 63, 64, 66, 90)}
PORTS = (0, 1, 20, 21, 22, 255, 256, 1024, 65535)


@cache
def addresses(family: Family) -> st.SearchStrategy[int]:
    """Addresses that differ in a few bits."""
    bits = st.sets(st.sampled_from(SHIFTS[family]), max_size=4)
    return bits.map(lambda chosen: BASE[family] | sum(1 << shift for shift in chosen))


def _integers(*ends: int) -> st.SearchStrategy[IntegerSet]:
    pair = st.tuples(st.sampled_from(ends), st.sampled_from(ends)).map(lambda two: (min(two), max(two)))
    return st.lists(pair, max_size=3).map(IntegerSet.of)


@cache
def matches(family: Family) -> st.SearchStrategy[Match]:
    """Any match: odd masks, several ranges, empty sets, the other family, fragments, interfaces."""
    width, places = family.width, addresses(family)
    mask = st.sets(st.sampled_from((*SHIFTS[family], width - 1)), max_size=4).map(
        lambda bits: sum(1 << b for b in bits)
    )
    wildcards = st.builds(lambda value, ignored: Wildcard.of(value, ignored, width), places, mask)
    prefixes = st.builds(lambda value, length: Wildcard.prefix(value, length, width), places, st.integers(0, width))
    ranges = st.builds(lambda one, other: (min(one, other), max(one, other)), places, places)
    sets = st.builds(
        lambda some, odd: AddressSet.of(width, some, odd),
        st.lists(ranges, max_size=4),
        st.lists(st.one_of(wildcards, prefixes), max_size=3),
    )
    other = AddressSet.any(160 - width)
    side = st.one_of(sets, sets, sets, st.just(other))
    small = _integers(0, 1, 2, 127, 128, 255)
    fields = {
        "family": st.sampled_from(Family),
        "source": side,
        "destination": side,
        "protocol": st.sampled_from((IntegerSet.values(TCP), IntegerSet.values(UDP, 1))),
        "source_port": _integers(*PORTS),
        "destination_port": _integers(*PORTS),
        "tcp_flags": st.just(flags_any(0x14)),
        "icmp_type": small,
        "icmp_code": small,
        "traffic_class": small,
        "ttl": _integers(0, 1, 2, 64, 255),
        "week_minute": _integers(0, 600, 10079),
        "date_minute": _integers(0, 1 << 20, (1 << 32) - 1),
        "noninitial": st.booleans(),
        "ingress": st.sampled_from((InterfaceSet.only("eth1"), InterfaceSet(frozenset({"eth*"}), True))),
    }
    names = st.sets(st.sampled_from(("source", "destination", "destination_port", *fields)), max_size=3)
    chosen = names.flatmap(lambda some: st.fixed_dictionaries({name: fields[name] for name in sorted(some)}))
    return chosen.map(lambda given: Match(**given))


@cache
def steps(family: Family, depth: int = 2) -> st.SearchStrategy[tuple[Step, ...]]:
    """Steps with calls and returns inside."""
    outcomes = st.sampled_from((Outcome.PERMIT, Outcome.DENY, Outcome.RETURN))
    plain = st.tuples(matches(family), outcomes).map(lambda two: Step(*two))
    if depth:
        call = st.tuples(matches(family), steps(family, depth - 1)).map(lambda two: Step(two[0], Outcome.CALL, two[1]))
        plain = st.one_of(plain, plain, call)
    return st.lists(plain, max_size=5).map(tuple)


@cache
def stages(family: Family) -> st.SearchStrategy[list[Stage]]:
    """Some stages, of lists with calls."""
    parts = st.tuples(st.sampled_from(("x", "y")), steps(family), st.booleans(), st.just("end"), st.booleans())
    return st.lists(parts.map(lambda five: Stage(*five)), max_size=3)


@cache
def packets(family: Family) -> st.SearchStrategy[Packet]:
    """Packets at the edges of the matches."""
    byte = st.sampled_from((0, 1, 2, 3, 64, 127, 128, 255))
    fields = st.tuples(
        st.just(family),
        addresses(family),
        addresses(family),
        st.sampled_from((1, TCP, UDP, 47)),
        st.sampled_from(PORTS),
        st.sampled_from(PORTS),
        st.sampled_from((0, 2, 4, 16, 18)),
        byte,
        byte,
        byte,
        byte,
        st.sampled_from((0, 599, 600, 601, 10079)),
        st.sampled_from((0, (1 << 20) - 1, 1 << 20, (1 << 32) - 1)),
        st.booleans(),
        st.just("eth1"),
    )
    return fields.map(lambda values: Packet(*values))
