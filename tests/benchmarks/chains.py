"""One piece of work for all engines: packets through store-and-forward links in a row, at given moments.

Each function takes the moments (ns) and gives the seconds that the run took and
the mean delay in ms. Packets have 1,000 octets on the wire, links 10 Mbit/s and 1 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import count, cycle, pairwise
from typing import NamedTuple

import numpy as np

RATE, DELAY, OCTETS, LOAD, LINKS = 10_000_000, 1_000_000, 1000, 0.8, 3
SENDING = OCTETS * 8 * 10**9 // RATE
"""How long a packet is being sent on one link, in ns."""


class Measured(NamedTuple):
    """Seconds of the run, and mean delay in ms."""

    seconds: float
    mean: float


def poisson(packets: int, seed: int = 1) -> list[int]:
    """Moments of arrivals at 80 % load."""
    gaps = np.random.default_rng(seed).exponential(SENDING / LOAD, packets)
    return np.cumsum(gaps).astype(np.int64).tolist()


def theory(links: int = LINKS) -> float:
    """Mean delay in ms: M/D/1 at the first link; behind it equal packets never wait (speed.md's 7.000 ms)."""
    waiting = LOAD * SENDING / (2 * (1 - LOAD))
    return (links * (SENDING + DELAY) + waiting) / 1e6


def mean_delay(arrived: int, total: int, moments: Sequence[int]) -> float:
    """From the sum of all moments of arrival; none may be missing."""
    assert arrived == len(moments), f"{len(moments) - arrived} packets are missing"
    return (total - sum(moments)) / arrived / 1e6


# -- ours --------------------------------------------------------------------------------------

LISTS = """
table ip filter {{
  chain forward {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
{rules}
    udp dport 2000-3000 accept
  }}
}}
table ip nat {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "b" masquerade
  }}
}}
"""


def filter_text(rules: int = 100) -> str:
    """A list of so many rules before the one that lets the packets through, and masquerading."""
    lines = (f"    ip saddr 30.{n}.0.0/16 ip daddr 20.0.0.0/8 tcp dport {1000 + n} drop" for n in range(rules))
    return LISTS.format(rules="\n".join(lines))


def ours(moments: Sequence[int], *, links: int = LINKS, filters: bool = False, queue: int | None = None) -> Measured:
    """Engine, links and routers of this project, and Datagrams; ``filters``: list, conntrack, NAT in each."""
    from compiler.dialects import read
    from compiler.fields import Family
    from compiler.policy.network import Interface, InterfaceAddress, Network, NextHop, Prefix, Route
    from compiler.simulator.engine import Engine
    from compiler.simulator.frame import ETHERNET, Datagram, Frame
    from compiler.simulator.link import Link, Wire
    from compiler.simulator.node import Port, link_address
    from compiler.simulator.router.device import Router

    ipv4 = Family.IPV4
    engine = Engine()
    policy = read(filter_text(), "bench.nft", dialect="nftables", unmodelled="simulate") if filters else None
    got = total = 0

    class Ends:
        name = "ends"

        def receive(self, _port: Port, _frame: Frame) -> None:
            nonlocal got, total
            got += 1
            total += engine.now

        def carrier_changed(self, port: Port, is_up: bool) -> None:
            pass

    ends = Ends()
    source = Port(ends, "source", link_address("ends", "source"))
    target = Port(ends, "target", link_address("ends", "target"))
    leaving, entering = [source], []
    for number in range(links - 1):
        before, behind = (10 << 24 | one << 8 for one in (number, number + 1))
        interfaces = (
            Interface("a", (InterfaceAddress(ipv4, before | 2, 24),)),
            Interface("b", (InterfaceAddress(ipv4, behind | 1, 24),)),
        )
        routes = (Route(Prefix(ipv4, 20 << 24, 8), (NextHop(behind | 2, "b"),)),)
        router = Router(engine, f"r{number}", Network("bench", "linux", interfaces=interfaces, routes=routes), policy)
        following = link_address(f"r{number + 1}", "a") if number + 2 < links else target.link_address
        entering.append(router.add_port("a", static={}))
        leaving.append(router.add_port("b", static={(ipv4, behind | 2): following}))
    entering.append(target)
    wire = Wire(RATE, DELAY, queue)
    for number, pair in enumerate(zip(leaving, entering, strict=True)):
        Link(engine, f"l{number}", pair, (wire, wire), "1")
    first = entering[0].link_address
    due = iter(moments)
    flows = cycle(range(100 if filters else 1))
    heap, order = engine.heap, engine.order

    def send(_: object) -> None:
        flow = next(flows)
        datagram = Datagram(ipv4, 30 << 24 | flow, 20 << 24 | 1, 17, OCTETS - ETHERNET, 1024 + flow, 2000 + flow)
        datagram.link_destination = first
        source.send(datagram)
        following = next(due, None)
        if following is not None:
            heappush(heap, (following, order(), send, None))

    engine.at(next(due), send)
    start = time.perf_counter()
    engine.run()
    return Measured(time.perf_counter() - start, mean_delay(got, total, moments))


def ours_filtering(moments: Sequence[int]) -> Measured:
    """With a list of 100 rules, connection tracking and masquerading in each router."""
    return ours(moments, filters=True)


def ours_compiled(moments: Sequence[int], *, links: int = LINKS) -> Measured:
    """The compiled path."""
    from compiler.simulator.forwarding.network import ForwardingNetwork
    from compiler.simulator.forwarding.values import Flow, ForwardingLink, ForwardingNode, Hop, NodeKind, Traffic
    from compiler.simulator.frame import ETHERNET
    from compiler.simulator.link import Wire

    names = ["source", *(f"r{number}" for number in range(links - 1)), "target"]
    ends = {"source", "target"}
    nodes = [ForwardingNode(name, NodeKind.HOST if name in ends else NodeKind.ROUTER) for name in names]
    wire = Wire(RATE, DELAY, None)
    lines = [ForwardingLink(f"l{n}", names[n], names[n + 1], wire) for n in range(links)]
    network = ForwardingNetwork(nodes, lines, {(line.source, "target"): Hop(line.name) for line in lines})
    columns = np.array(moments, np.int64)
    network.run(Traffic(columns[:1], OCTETS - ETHERNET, [Flow("source", "target")]))  # compiled, or read from the cache
    start = time.perf_counter()
    arrivals = network.run(Traffic(columns, OCTETS - ETHERNET, [Flow("source", "target")]))
    seconds = time.perf_counter() - start
    return Measured(seconds, mean_delay(int((arrivals.time >= 0).sum()), int(arrivals.time.sum()), moments))


# -- peers ----------------------------------------------------------------------------------------


class _Packet:
    __slots__ = ("hops", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.hops = 0


def plain_heapq(moments: Sequence[int], *, links: int = LINKS) -> Measured:
    """A heap, a loop and nothing else: links are "busy until", packets are objects, one event a hop."""
    heap: list[tuple[int, int, _Packet | None]] = []
    order = count().__next__
    busy_until = [0] * links
    due = iter(moments)
    got = total = 0
    heappush(heap, (next(due), order(), None))
    start = time.perf_counter()
    while heap:
        now, _, packet = heappop(heap)
        if packet is None:
            packet = _Packet(OCTETS)
            following = next(due, None)
            if following is not None:
                heappush(heap, (following, order(), None))
        hop = packet.hops
        if hop == links:
            got += 1
            total += now
            continue
        packet.hops = hop + 1
        busy_until[hop] = end = max(busy_until[hop], now) + packet.size * 8 * 10**9 // RATE
        heappush(heap, (end + DELAY, order(), packet))
    return Measured(time.perf_counter() - start, mean_delay(got, total, moments))


def simpy_processes(moments: Sequence[int], *, links: int = LINKS) -> Measured:
    """Simpy as its documentation teaches it: a process a link, stores between, a process for each delay."""
    import simpy

    environment = simpy.Environment()
    stores = [simpy.Store(environment) for _ in range(links + 1)]
    got = total = 0

    def sender():
        for moment in moments:
            yield environment.timeout(moment - environment.now)
            stores[0].put(_Packet(OCTETS))

    def delayed(packet, outbox):
        yield environment.timeout(DELAY)
        outbox.put(packet)

    def link(inbox, outbox):
        while True:
            packet = yield inbox.get()
            yield environment.timeout(packet.size * 8 * 10**9 // RATE)
            environment.process(delayed(packet, outbox))

    def receiver():
        nonlocal got, total
        while True:
            yield stores[-1].get()
            got += 1
            total += environment.now

    environment.process(sender())
    for inbox, outbox in pairwise(stores):
        environment.process(link(inbox, outbox))
    environment.process(receiver())
    start = time.perf_counter()
    environment.run()
    return Measured(time.perf_counter() - start, mean_delay(got, total, moments))


def simpy_callbacks(moments: Sequence[int], *, links: int = LINKS) -> Measured:
    """Simpy's queue of events with bare callbacks: the least that it can be used for."""
    import simpy

    environment = simpy.Environment()
    busy_until = [0] * links
    due = iter(moments)
    got = total = 0

    def after(delay: int, packet: _Packet | None, callback: Callable[[simpy.Event], None]) -> None:
        environment.timeout(delay, packet).callbacks.append(callback)

    def arrive(event: simpy.Event) -> None:
        nonlocal got, total
        packet = event.value
        hop, now = packet.hops, environment.now
        if hop == links:
            got += 1
            total += now
            return
        packet.hops = hop + 1
        busy_until[hop] = end = max(busy_until[hop], now) + packet.size * 8 * 10**9 // RATE
        after(end + DELAY - now, packet, arrive)

    def send(event: simpy.Event) -> None:
        event._value = _Packet(OCTETS)
        arrive(event)
        following = next(due, None)
        if following is not None:
            after(following - environment.now, None, send)

    after(next(due), None, send)
    start = time.perf_counter()
    environment.run()
    return Measured(time.perf_counter() - start, mean_delay(got, total, moments))
