"""A hundred hosts: what is held at once does not grow with the packets that are sent."""

import gc

import numpy as np
import pytest

from compiler.simulator.frame import Datagram
from compiler.simulator.machine_code import has_numba
from tests.benchmarks.campus import GROUPS, HOSTS, Campus, as_traffic, compiled, traffic


def datagrams_alive():
    gc.collect()
    return sum(type(one) is Datagram for one in gc.get_objects())


def test_engine_holds_what_is_under_way():
    """Ten times the packets: the longest heap grows by less than a third, and no packet stays when it is over."""
    before = datagrams_alive()
    few, many = Campus(), Campus()
    few.run(1_000)
    many.run(10_000)
    assert (few.arrived, many.arrived) == (1_000, 10_000)
    assert few.engine.heap == many.engine.heap == []
    assert many.most_events < 1.33 * few.most_events < 500
    assert datagrams_alive() == before


@pytest.mark.skipif(not has_numba(), reason="many packets want the compiled loop")
def test_compiled_path_holds_what_is_under_way():
    network = compiled()
    few, many = (network.run(traffic(packets)) for packets in (20_000, 200_000))
    assert many.packet_hops == 10 * few.packet_hops == 800_000
    assert many.events == 10 * few.events == 1_000_000
    assert many.most_under_way < 1.33 * few.most_under_way < 500


def test_same_packets_same_moments():
    """What the engine's campus sent, sent again by the compiled path: each packet arrives in the same nanosecond."""
    campus = Campus(keep=True)
    campus.run(3_000)
    arrivals = compiled().run(as_traffic(campus.sent))
    found = np.array(campus.arrivals)
    assert np.array_equal(arrivals.ended[found[:, 1]], found[:, 0])
    assert len(found) == len(arrivals.ended) == 3_000
    assert len({host for _, host in campus.sent}) == GROUPS * HOSTS
    assert arrivals.hops.tolist() == [4] * 3_000
