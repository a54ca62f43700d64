"""What the tests of the analyses share: realistic lists, and lists over tiny alphabets."""

import random
from functools import cache

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import Family, flags_any
from compiler.integers import IntegerSet
from compiler.policy.match import Match, layer4

settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")

ESTABLISHED = flags_any(0x14)


def _wildcard(number: random.Random, spread: tuple[int, ...], odd: float) -> AddressSet | None:
    length = number.choice(spread)
    if length == 0:
        return None
    base = number.choice((0x0A000000, 0xAC100000, 0xC0A80000, 0xC6336400)) | number.getrandbits(20)
    mask = (1 << (32 - length)) - 1
    if number.random() < odd:
        mask |= number.choice((0x0000F800, 0x00FF0000, 0x00F000F8, 0x0000FE00))
    return AddressSet.wildcard(Wildcard.of(base, mask))


def _ports(number: random.Random) -> IntegerSet | None:
    kind = number.random()
    if kind < 0.25:
        return None
    if kind < 0.65:
        return IntegerSet.values(number.choice((21, 22, 25, 53, 80, 123, 443, 1521, 3306, 8080, 5060, 1433)))
    if kind < 0.75:
        return IntegerSet.range(1024, 65535)
    if kind < 0.8:
        return IntegerSet.values(number.randrange(65536)).complement(16)
    low = number.randrange(60000)
    return IntegerSet.range(low, low + number.randrange(1, 5000))


def make_realistic(count: int, seed: int = 2024, odd: float = 0.05) -> list[Match]:
    """``count`` different matches in the manner of ClassBench's access lists, with odd masks."""
    number = random.Random(seed)
    spread = (32,) * 10 + (30, 29, 28, 28, 27, 26, 26, 25) + (24,) * 6 + (23, 22, 21, 20, 16, 16)
    found: dict[Match, None] = {}
    while len(found) < count:
        source = _wildcard(number, (*spread, 0, 0), odd)
        destination = _wildcard(number, spread, odd)
        kind = number.random()
        if kind < 0.1:
            match = Match(source=source, destination=destination)
        elif kind < 0.17:
            match = layer4(
                Match(
                    source=source,
                    destination=destination,
                    icmp_type=IntegerSet.values(number.choice((0, 3, 8, 11))),
                    protocol=IntegerSet.values(1),
                )
            )
        else:
            protocol = 6 if kind < 0.75 else 17
            flags = ESTABLISHED if protocol == 6 and number.random() < 0.03 else None
            match = layer4(
                Match(
                    source=source,
                    destination=destination,
                    protocol=IntegerSet.values(protocol),
                    source_port=_ports(number) if number.random() < 0.1 else None,
                    destination_port=_ports(number),
                    tcp_flags=flags,
                )
            )
        found[match] = None
    return list(found)


@pytest.fixture(scope="session")
def realistic():
    """The generator of realistic matches: ``realistic(count, seed)``."""
    return make_realistic


def _address_sets(family: Family) -> st.SearchStrategy[AddressSet | None]:
    width = family.width
    top = (1 << width) - 1
    base = 0x0A000000 if family is Family.IPV4 else 0x20010DB8 << 96
    shifts = (0, 1, 2, 3, 8) if family is Family.IPV4 else (0, 1, 2, 63, 64, 66)
    bits = st.sets(st.sampled_from(shifts), max_size=4).map(lambda chosen: sum(1 << shift for shift in chosen))
    wildcards = st.builds(lambda value, mask: Wildcard.of(base | value, mask, width), bits, bits)
    ranges = st.builds(lambda one, other: (base | min(one, other), base | max(one, other)), bits, bits)
    sets = st.builds(
        lambda some, odd: AddressSet.of(width, some, odd),
        st.lists(ranges, max_size=2),
        st.lists(wildcards, max_size=2),
    ).filter(lambda addresses: not addresses.is_empty)
    return st.one_of(st.none(), sets, st.just(AddressSet.of(width, [(0, top >> 1)])))


def _integers(*ends: int) -> st.SearchStrategy[IntegerSet | None]:
    pair = st.tuples(st.sampled_from(ends), st.sampled_from(ends)).map(lambda two: (min(two), max(two)))
    return st.one_of(st.none(), st.lists(pair, min_size=1, max_size=2).map(IntegerSet.of))


def _build(source, destination, protocol, fields, traffic_class, ttl) -> Match | None:
    match = Match(source=source, destination=destination, protocol=protocol, traffic_class=traffic_class, ttl=ttl)
    if fields:
        match = layer4(match._replace(**fields))
    return match if match.protocol is None or match.protocol.intervals else None


@cache
def make_matches(family: Family) -> st.SearchStrategy[Match]:
    """Matches over a tiny alphabet, so that they overlap and cover each other often."""
    fields = st.one_of(
        st.just({}),
        st.fixed_dictionaries({"destination_port": _integers(0, 20, 21, 22, 65535)}),
        st.fixed_dictionaries({"source_port": _integers(0, 1, 65535), "destination_port": _integers(0, 21, 65535)}),
        st.just({"tcp_flags": ESTABLISHED}),
        st.fixed_dictionaries({"icmp_type": _integers(0, 8, 255)}),
    ).map(lambda chosen: {name: limits for name, limits in chosen.items() if limits is not None})
    return st.builds(
        _build,
        _address_sets(family),
        _address_sets(family),
        st.sampled_from(
            (None, IntegerSet.values(6), IntegerSet.values(17), IntegerSet.values(6, 17), IntegerSet.range(1, 50))
        ),
        fields,
        st.sampled_from((None, None, IntegerSet.values(46), IntegerSet.range(0, 127))),
        st.sampled_from((None, None, IntegerSet.range(0, 1))),
    ).filter(lambda match: match is not None)


@pytest.fixture(scope="session")
def tiny_matches():
    """``tiny_matches(family)`` is a Hypothesis strategy of matches that meet often."""
    return make_matches
