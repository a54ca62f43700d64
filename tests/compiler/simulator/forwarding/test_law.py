"""The law of the compiled path: the same arrivals, drops and order as the engine, packet for packet."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.fields import Family
from compiler.simulator.forwarding.description import describe, label
from compiler.simulator.forwarding.values import Flow, Outcome, Traffic
from compiler.simulator.machine_code import has_numba
from tests.compiler.simulator.forwarding.engine_network import Witness
from tests.compiler.simulator.forwarding.topologies import random_description, random_packets

WAYS = [False, pytest.param(True, marks=pytest.mark.skipif(not has_numba(), reason="numba is absent"))]
COLUMNS = ("ended", "outcome", "drop_link", "hops", "order")


def as_traffic(packets):
    flows = {(node, destination, ttl): None for _, _, node, destination, ttl in packets}
    numbers = {flow: number for number, flow in enumerate(flows)}
    return Traffic(
        np.array([packet[0] for packet in packets], np.int64),
        np.array([packet[1] for packet in packets], np.int64),
        [Flow(node, label(Family.IPV4, destination), ttl) for node, destination, ttl in flows],
        np.array([numbers[packet[2:]] for packet in packets], np.int64),
    )


def compiled_network(description, packets):
    return describe(description, [(Family.IPV4, packet[3]) for packet in packets])


def rows(network, arrivals):
    names = [link.name for link in network.links] + [""]
    return list(
        zip(
            arrivals.ended.tolist(),
            [Outcome(one) for one in arrivals.outcome.tolist()],
            [names[link] for link in arrivals.drop_link.tolist()],
            arrivals.hops.tolist(),
            strict=True,
        )
    )


@pytest.mark.parametrize("compiled", WAYS)
@given(st.integers(0, 1 << 32), st.integers(1, 120))
def test_same_as_engine(compiled, seed, count):
    random = Random(seed)
    description = random_description(random)
    packets = random_packets(random, description, count)
    network = compiled_network(description, packets)
    arrivals = network.run(as_traffic(packets), compiled=compiled)
    witness = Witness(description)
    assert rows(network, arrivals) == witness.run(packets)
    assert arrivals.order.tolist() == [number for _, number in witness.order]
    assert {name: counts for name, counts in arrivals.links.items() if any(counts)} == {
        name: counts for name, counts in witness.counts().items() if any(counts)
    }


@pytest.mark.skipif(not has_numba(), reason="numba is absent")
@settings(max_examples=20)
@given(st.integers(0, 1 << 32))
def test_compiled_and_not(seed):
    """More packets than there are slots at first, all under way at once."""
    random = Random(seed)
    description = random_description(random)
    packets = [(0, *packet[1:]) for packet in random_packets(random, description, 1500)]
    network = compiled_network(description, packets)
    traffic = as_traffic(packets)
    one, other = network.run(traffic, compiled=True), network.run(traffic, compiled=False)
    for column in COLUMNS:
        assert np.array_equal(getattr(one, column), getattr(other, column)), column
    assert one.links == other.links
    assert (one.events, one.most_under_way) == (other.events, other.most_under_way)


def test_random_networks_have_what_matters():
    """The law is worth something: all ends occur often, and so do equal moments."""
    seen = dict.fromkeys(Outcome, 0)
    ties = 0
    for seed in range(60):
        random = Random(seed)
        description = random_description(random)
        packets = random_packets(random, description, 60)
        arrivals = compiled_network(description, packets).run(as_traffic(packets), compiled=False)
        for outcome in arrivals.outcome.tolist():
            seen[Outcome(outcome)] += 1
        ended = arrivals.ended.tolist()
        ties += len(ended) - len(set(ended))
    assert min(seen.values()) > 60, seen
    assert ties > 300
