"""Flows fill a slow line and share it."""

from __future__ import annotations

from random import Random
from typing import Literal

import pytest

from compiler.simulator.engine import MILLISECOND, SECOND, Engine
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.link import Link, Wire
from compiler.simulator.sockets import Endpoint, Stream
from tests.compiler.simulator.hosts.network import SERVER, V4, Log, host

RATE = 3_000_000
FRAMES, OCTETS = (100, None), (None, 65_536)
Queue = tuple[int | None, int | None]


class Meter(Log):
    """Counts octets after a moment."""

    def __init__(self, engine: Engine, start: int = 0) -> None:
        super().__init__(engine)
        self.start = start

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        if self.engine.now >= self.start:
            self.octets += octets


def flows(
    starts: list[int], seconds: int, delay: int, queue: Queue, parameters: TcpParameters, warm: int = 0
) -> list[float]:
    """Goodput in bits a second of flows over one line, from ``warm`` seconds on."""
    engine = Engine()
    client, server = (host(engine, name, parameters) for name in ("client", "server"))
    wire = Wire(rate=RATE, delay=delay * MILLISECOND, queue=queue[0], queue_octets=queue[1])
    Link(engine, "line", (client.interfaces["eth0"].port, server.interfaces["eth0"].port), (wire, wire), "seed")
    meters: list[Meter] = []

    def accept(_: Stream) -> Meter:
        meters.append(Meter(engine, warm * SECOND))
        return meters[-1]

    server.sockets.listen(80, accept)
    for start in starts:
        sender = Log(engine, connected=lambda stream: stream.send_zeros(10**9))
        engine.at(start, lambda _, sender=sender: client.sockets.connect(Endpoint(V4, SERVER, 80), sender))
    engine.run(seconds * SECOND)
    return [meter.octets * 8 / (seconds - warm) for meter in meters]


def jain(shares: list[float]) -> float:
    """Jain's fairness index: 1 when all are equal."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def jittered(seed: int, seconds: int, delay: int, queue: Queue, parameters: TcpParameters) -> list[float]:
    random = Random(seed)
    return flows([random.randrange(SECOND) for _ in range(2)], seconds, delay, queue, parameters)


@pytest.mark.parametrize("congestion", ["cubic", "reno"])
@pytest.mark.parametrize("timestamps", [True, False])
@pytest.mark.parametrize("queue", [FRAMES, OCTETS])
@pytest.mark.parametrize("delay", [0, 10, 50])
def test_one_flow_fills_the_line(
    delay: int, queue: Queue, timestamps: bool, congestion: Literal["cubic", "reno"]
) -> None:
    parameters = TcpParameters(congestion=congestion, timestamps=timestamps)
    (goodput,) = flows([0], 12, delay, queue, parameters, warm=2)
    # What is left of the rate behind headers of Ethernet, IP and TCP; a hole at either end shifts a window.
    payload = 1448 if timestamps else 1460
    assert goodput == pytest.approx(RATE * payload / 1514, rel=0.05)


def test_two_flows_share_it() -> None:
    shares = jittered(1, 40, 10, FRAMES, TcpParameters())
    assert jain(shares) > 0.97
    assert sum(shares) > 2.8e6


@pytest.mark.long
@pytest.mark.parametrize("queue", [FRAMES, OCTETS])
@pytest.mark.parametrize("delay", [0, 10, 50])
def test_they_share_it_fairly_for_two_minutes(delay: int, queue: Queue) -> None:
    runs = [jittered(seed, 120, delay, queue, TcpParameters()) for seed in range(10)]
    # With 100 ms of delay and 400 ms of queue the flows meet losses too rarely to be even in two minutes.
    assert sum(map(jain, runs)) / len(runs) >= (0.99 if delay < 50 else 0.98)
    assert all(2.82e6 < sum(shares) < 2.91e6 for shares in runs)


@pytest.mark.long
@pytest.mark.parametrize("queue", [FRAMES, OCTETS])
@pytest.mark.parametrize("delay", [0, 10, 50])
@pytest.mark.parametrize("timestamps", [True, False])
def test_goodput_over_two_minutes(delay: int, queue: Queue, timestamps: bool) -> None:
    (goodput,) = flows([0], 120, delay, queue, TcpParameters(timestamps=timestamps))
    assert 2.85e6 <= goodput <= 2.91e6
