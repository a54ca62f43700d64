"""All engines find the same on many packets of realistic lists, and a list gets the engine that suits it."""

import random

import numpy as np
import pytest

from compiler.addresses import AddressSet, Wildcard
from compiler.errors import UsageError
from compiler.fields import TCP, UDP, Family, flags_any
from compiler.integers import IntegerSet
from compiler.policy.match import ANY, Match, layer4
from compiler.semantics.decision import decide
from compiler.semantics.machine import Outcome, Stage, Step
from compiler.simulator.classify.classifier import Classifier
from compiler.simulator.classify.drawing import Drawing
from compiler.simulator.classify.engines import make_engine
from compiler.simulator.classify.flattening import Half
from compiler.simulator.machine_code import has_numba

needs_numba = pytest.mark.skipif(not has_numba(), reason="numba is not installed")


def _side(number: random.Random, family: Family) -> AddressSet | None:
    kind, width = number.random(), family.width
    if kind < 0.1:
        return None
    base = (0x0A000000 if family is Family.IPV4 else 0x20010DB8 << 96) | number.getrandbits(width - 12)
    if kind < 0.15:
        several = [(base ^ number.getrandbits(9) << 3, 20) for _ in range(number.choice((2, 9, 80)))]
        return AddressSet.of(width, [(low, low + size) for low, size in several])
    mask = (1 << number.choice((0, 0, 4, 8, 12, 16, 20))) - 1
    if number.random() < 0.1:
        mask |= 0x00F000F8 << number.choice((0, width - 32))
    return AddressSet.wildcard(Wildcard.of(base, mask, width))


def _ports(number: random.Random) -> IntegerSet | None:
    kind = number.random()
    if kind < 0.25:
        return None
    if kind < 0.6:
        return IntegerSet.values(number.choice((22, 25, 53, 80, 443)))
    if kind < 0.7:
        return IntegerSet.values(*(number.randrange(65536) for _ in range(number.choice((1, 3, 40))))).complement(16)
    low = number.randrange(60000)
    return IntegerSet.range(low, low + number.randrange(1, 5000))


def make_list(count: int, family: Family, seed: int) -> Stage:
    """A list with prefixes, odd masks, groups of addresses, ranges and lists of ports, flags and ICMP types."""
    number = random.Random(seed)
    steps = []
    for _ in range(count):
        fields = {"protocol": IntegerSet.values(number.choice((TCP, TCP, UDP)))}
        if number.random() < 0.2:
            fields = {"protocol": IntegerSet.values(1), "icmp_type": IntegerSet.values(number.choice((0, 3, 8)))}
        else:
            fields |= {"destination_port": _ports(number)}
            if number.random() < 0.1:
                fields |= {"source_port": _ports(number)}
            if fields["protocol"].contains(TCP) and number.random() < 0.05:
                fields |= {"tcp_flags": flags_any(0x14)}
        match = layer4(Match(source=_side(number, family), destination=_side(number, family), **fields))
        steps.append(Step(match, number.choice((Outcome.PERMIT, Outcome.DENY))))
    return Stage("list", tuple(steps), False, "the end")


@pytest.mark.parametrize("count", [3, 90, 400])
def test_all_engines_agree_on_many_packets(count, family):
    stage = make_list(count, family, seed=count)
    packets = Drawing([stage], Half(family, False), seed=5).draw(60_000)
    engines = ("numpy", "auto", "cuts", "bits") if has_numba() else ("numpy",)
    found = {engine: Classifier([stage], family, engine=engine).classify(packets).decision for engine in engines}
    reference = found["numpy"]
    for engine, decision in found.items():
        assert np.array_equal(decision, reference), engine
    assert len(np.unique(reference)) > count / 3
    classifier = Classifier([stage], family, engine="numpy")
    for position in range(0, packets.size, packets.size // 250):
        assert classifier.decision(reference[position]) == decide([stage], packets.packet(position))


@needs_numba
def test_threads_change_nothing():
    stage = make_list(200, Family.IPV4, seed=1)
    packets = Drawing([stage], Half(Family.IPV4, False)).draw(50_001)
    classifier = Classifier([stage], Family.IPV4)
    one, three = classifier.classify(packets), classifier.classify(packets, workers=3)
    assert np.array_equal(one.decision, three.decision)
    assert np.array_equal(one.passes, three.passes)


@needs_numba
def test_the_engine_follows_from_the_list():
    few = [
        layer4(Match(protocol=IntegerSet.values(TCP), destination_port=IntegerSet.values(port))) for port in range(9)
    ]
    narrow = [Match(destination=AddressSet.wildcard(Wildcard.of(address << 8, 255))) for address in range(1, 900)]
    wide = [
        Match(traffic_class=IntegerSet.values(number % 256), ttl=IntegerSet.values(number // 256))
        for number in range(900)
    ]
    assert make_engine(few, Family.IPV4).name == "bits"
    assert make_engine(wide, Family.IPV4).name == "bits"
    engine = make_engine(narrow, Family.IPV4)
    assert engine.name == "cuts"
    assert "1 cut with 899 of 899 rules" in engine.why
    assert make_engine([ANY, *narrow], Family.IPV4).name == "none"


def test_without_numba_numpy_does_it(monkeypatch):
    monkeypatch.setenv("GERBANG_NUMBA", "0")
    rules = [Match(protocol=IntegerSet.values(TCP))]
    engine = make_engine(rules, Family.IPV4)
    assert (engine.name, engine.why) == ("numpy", "numba is not installed")
    with pytest.raises(UsageError, match="'cuts' needs numba"):
        make_engine(rules, Family.IPV4, "cuts")


def test_a_set_of_ten_thousand_ranges(engine, family):
    addresses = AddressSet.of(family.width, ((position * 7, position * 7 + 2) for position in range(10_000)))
    stage = Stage("list", (Step(Match(source=addresses, destination=addresses), Outcome.PERMIT),) * 2, False)
    packets = Drawing([stage], Half(family, False), share=0.5).draw(200)
    if family is Family.IPV4:
        near = packets.source[0] % np.uint32(70_010)
        packets = packets._replace(source=(near,), destination=(near[::-1].copy(),))
    passes = Classifier([stage], family, engine=engine).classify(packets).passes
    assert passes.tolist() == [decide([stage], packets.packet(position)).passes for position in range(packets.size)]
    assert 0 < passes.sum() < packets.size


def test_sets_of_thousands_of_odd_wildcards_are_refused(engine):
    odd = AddressSet(32, (), tuple(sorted(Wildcard.of(n << 9 | n, 0x0000F000 << n % 7) for n in range(100))))
    stage = Stage("list", (Step(Match(source=odd, destination=odd), Outcome.PERMIT), Step(ANY, Outcome.DENY)), False)
    with pytest.raises(UsageError, match="too wide"):
        Classifier([stage], Family.IPV4, engine=engine)


def test_fields_beyond_the_joint_symbol_and_dates(engine, family):
    number = random.Random(4)
    steps = []
    for _ in range(400):
        begin = number.randrange(1 << 31)
        match = Match(
            destination=AddressSet.wildcard(Wildcard.of(number.getrandbits(6) << 20, (1 << 20) - 1, family.width)),
            traffic_class=number.choice((None, IntegerSet.values(number.randrange(256)))),
            ttl=number.choice((None, IntegerSet.range(number.randrange(128), 255))),
            week_minute=number.choice((None, IntegerSet.range(number.randrange(5000), 10079))),
            date_minute=number.choice((None, IntegerSet.range(begin, begin + 3))),
        )
        steps.append(Step(match, number.choice((Outcome.PERMIT, Outcome.DENY))))
    stage = Stage("list", tuple(steps), False, "the end")
    packets = Drawing([stage], Half(family, False), seed=2).draw(1_500)
    classifier = Classifier([stage], family, engine=engine)
    expected = [decide([stage], packets.packet(position)) for position in range(packets.size)]
    assert [classifier.decision(one) for one in classifier.classify(packets).decision] == expected
    assert {decision.step.match.date_minute is None for decision in expected if decision.step} == {True, False}


@needs_numba
def test_each_kernel_is_compiled_once(family):
    from compiler.simulator.classify import kernels

    stage = make_list(300, family, seed=9)
    packets = Drawing([stage], Half(family, False)).draw(500)
    for column in packets[3:]:
        column.flags.writeable = False  # as arrays of a mapped file are
    for engine in ("cuts", "bits"):
        Classifier([stage], family, engine=engine).classify(packets)
        Classifier([stage], family, engine=engine).classify(packets.take(slice(None, None, 3)))
    for name in set(kernels.__all__) - {"compiled"}:
        assert len(getattr(kernels, name).signatures) <= 1, name
