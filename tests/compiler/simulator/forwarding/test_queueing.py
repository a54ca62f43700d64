"""Queueing theory holds: M/D/1 by the compiled path, and the engine says the same of the same arrivals."""

import numpy as np
import pytest

from compiler.simulator.forwarding.network import ForwardingNetwork
from compiler.simulator.forwarding.values import Flow, ForwardingLink, ForwardingNode, Hop, NodeKind, Traffic
from compiler.simulator.link import Wire
from compiler.simulator.machine_code import has_numba
from tests.benchmarks.chains import (
    LINKS,
    mean_delay,
    ours,
    ours_filtering,
    plain_heapq,
    poisson,
    simpy_callbacks,
    simpy_processes,
    theory,
)

RATE, OCTETS = 10_000_000, 1000
SENDING = OCTETS * 8 * 10**9 / RATE
LOADS = (0.3, 0.5, 0.8, 0.9)


def mean_wait(load, packets, seed):
    """In units of a packet's own time on the wire. Theory: load / (2 (1 - load)) (Pollaczek and Khinchine)."""
    link = ForwardingLink("line", "a", "b", Wire(RATE, 1000, None))
    nodes = [ForwardingNode("a", NodeKind.HOST), ForwardingNode("b", NodeKind.HOST)]
    network = ForwardingNetwork(nodes, [link], {("a", "b"): Hop("line")})
    gaps = np.random.default_rng(seed).exponential(SENDING / load, packets)
    moments = np.cumsum(gaps, out=gaps).astype(np.int64)
    arrivals = network.run(Traffic(moments, OCTETS - 14, [Flow("a", "b")]))
    assert arrivals.events == 2 * packets
    delay = (arrivals.ended - moments).mean()
    return (delay - SENDING - 1000) / SENDING


def theory_of(load):
    return load / (2 * (1 - load))


@pytest.mark.skipif(not has_numba(), reason="a million packets want the compiled loop")
@pytest.mark.parametrize(("load", "tolerance"), [(0.3, 0.01), (0.5, 0.015), (0.8, 0.05)])
def test_mean_wait(load, tolerance):
    """Over a million packets. Waits of neighbours are alike, so the mean strays by more than independent ones would:
    by about sqrt(4 / packets) / (1 - load) of itself, a fourth of the tolerance."""
    assert mean_wait(load, 1_000_000, 1) == pytest.approx(theory_of(load), rel=tolerance)


@pytest.mark.long
@pytest.mark.skipif(not has_numba(), reason="ten million packets want the compiled loop")
@pytest.mark.parametrize("load", LOADS)
def test_mean_wait_of_ten_million(load):
    assert mean_wait(load, 10_000_000, 2) == pytest.approx(theory_of(load), rel=0.02)


@pytest.mark.skipif(not has_numba(), reason="many packets want the compiled loop")
@pytest.mark.parametrize("packets", [5_000, pytest.param(300_000, marks=pytest.mark.long)])
def test_engine_agrees_exactly(packets):
    """Three links: the sum of all moments of arrival is the same to the nanosecond."""
    moments = poisson(packets, seed=3)
    names = ["source", "r0", "r1", "target"]
    links = [ForwardingLink(f"l{n}", names[n], names[n + 1], Wire(RATE, 1_000_000, None)) for n in range(LINKS)]
    nodes = [ForwardingNode(name) for name in names]
    network = ForwardingNetwork(nodes, links, {(link.source, "target"): Hop(link.name) for link in links})
    arrivals = network.run(Traffic(np.array(moments), OCTETS - 14, [Flow("source", "target")]))
    assert ours(moments).mean == mean_delay(packets, int(arrivals.ended.sum()), moments)
    assert ours(moments, queue=packets).mean == mean_delay(packets, int(arrivals.ended.sum()), moments)


@pytest.mark.parametrize("engine", [ours_filtering, plain_heapq, simpy_callbacks, simpy_processes])
def test_peers_agree_exactly(engine):
    """What the benchmark compares does the same work; lists, tracking and translations take no virtual time."""
    moments = poisson(400, seed=4)
    assert engine(moments).mean == ours(moments).mean


def test_theory_of_three_links():
    """Seven milliseconds: 3 x (0.8 + 1) ms, and 1.6 ms of waiting at the first link only."""
    assert theory() == pytest.approx(7.0)
