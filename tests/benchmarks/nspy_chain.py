"""The same work in ns.py. Run by an interpreter that has it: ``python nspy_chain.py MOMENTS LINKS``."""

import array
import sys
import time
from itertools import pairwise

import simpy
from ns.packet.dist_generator import DistPacketGenerator
from ns.port.port import Port
from ns.port.wire import Wire

RATE, DELAY, OCTETS = 10_000_000, 0.001, 1000.0


class Sink:
    """Sums moments of arrival; ns.py's own takes a packet's time from before its generator has waited."""

    def __init__(self, environment):
        self.environment = environment
        self.arrived, self.total = 0, 0.0

    def put(self, packet):
        self.arrived += 1
        self.total += self.environment.now


def main(path, links):
    moments = array.array("q")
    with open(path, "rb") as file:
        moments.frombytes(file.read())
    gaps = iter([(late - early) / 1e9 for early, late in pairwise([0, *moments])])
    environment = simpy.Environment()
    generator = DistPacketGenerator(
        environment, "source", lambda: next(gaps), lambda: OCTETS, size=OCTETS * len(moments)
    )
    before = generator
    for _ in range(links):
        port, wire = Port(environment, RATE), Wire(environment, lambda: DELAY)
        before.out, port.out = port, wire
        before = wire
    before.out = sink = Sink(environment)
    start = time.perf_counter()
    environment.run()
    seconds = time.perf_counter() - start
    assert sink.arrived == len(moments)
    print(seconds, (sink.total - sum(moments) / 1e9) / sink.arrived * 1e3)


main(sys.argv[1], int(sys.argv[2]))
