"""One intent, three targets: RouterOS 6, RouterOS 7 and Linux choose the same line, packet by packet.

By turn, list, order and exception they must agree on every packet. By hash
they need not: there each gives every line the same part of the hashes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from compiler.balancing.ip_batch import read_batch
from compiler.balancing.plan import Plan, make_plan, port_of
from compiler.balancing.reading import read_balance
from compiler.fields import ICMP, TCP, Family
from compiler.simulator.frame import Datagram
from compiler.simulator.wire import decode, encode
from tests.compiler.balancing.line_traffic import LineTraffic
from tests.compiler.balancing.many_connections import MIXES, intent, texts
from tests.compiler.balancing.random_intents import random_plan
from tests.compiler.balancing.written_router import Written
from tests.compiler.simulator.rig import Heard, Rig

WORLDS = ("linux", "routeros7", "routeros6")
DETERMINED = ("nth", "failover", "address_list")
_SYN = 0x02
_HELPED = 21
"""Who listens for FTP, and from which packet on, differs."""
_WITHOUT_PORTS = 47


class Three:
    """The three routers, which hear and suffer the same."""

    def __init__(self, plan: Plan, worlds: tuple[str, ...] = WORLDS) -> None:
        self.plan = plan
        self.rigs = {}
        for world in worlds:
            text, network = texts(plan, world)
            rig = self.rigs[world] = Rig(text, "nftables" if world == "linux" else "routeros", network)
            rig.answering = {name for name in rig.testers if name.startswith("ISP")}
        self.silent: frozenset[str] = frozenset()
        self.wait(1)

    def wait(self, seconds: float) -> None:
        for rig in self.rigs.values():
            rig.wait(seconds)

    def send(self, port: str, datagram: Datagram) -> dict[str, list[Heard]]:
        return {world: rig.send(port, datagram.copy()) for world, rig in self.rigs.items()}

    def silence(self, silent: frozenset[str]) -> None:
        """Nobody answers behind these lines, and everybody has noticed: RouterOS by itself, Linux by its watcher."""
        self.silent = silent
        for world, rig in self.rigs.items():
            rig.answering = {name for name in rig.testers if name.startswith("ISP")} - silent
            if world == "linux":
                network = read_batch(Written(self.plan).batch(silent), "router.ip")
                rig.router.reroute(replace(network, interfaces=rig.router.network.interfaces))
        self.wait(32)


def same(heard: dict[str, list[Heard]], about: str) -> list[Heard]:
    told = {world: [(one.interface, encoded(one)) for one in outputs] for world, outputs in heard.items()}
    first = told["linux"]
    assert all(other == first for other in told.values()), f"{about}\n{told}"
    return heard["linux"]


def encoded(heard: Heard) -> bytes:
    """As octets, without the identification, which routers choose for what they say themselves."""
    octets = encode(heard.datagram)
    return octets[:4] + octets[6:10] + octets[12:]


def play(seed: str, count: int, changes: int) -> Counter[str]:
    """Random packets under a random intent; lines die and come back ``changes`` times."""
    text, plan = random_plan(seed, DETERMINED)
    three, chance = Three(plan), Random(f"{seed}/packets")
    traffic = LineTraffic(chance, plan)
    lines = [port_of(one) for one in plan.balance.uplinks]
    # What has no mark follows RouterOS's routes to these; Linux has such routes for the router's own packets only.
    pinned = {host.host for host in plan.hosts}
    has_direct = any(not one.uplink for one in plan.balance.exceptions)
    used: Counter[str] = Counter()
    for phase in range(changes + 1):
        if phase:
            dead = frozenset(chance.sample(lines, chance.randint(0, len(lines) - 1)))
            three.silence(dead)
            for seen in (traffic._came, traffic._sent):
                for ends in seen.values():
                    # What began before is another matter: Linux forgets a masqueraded connection that comes to
                    # another line, RouterOS when a cable is pulled. GRE would meet its old self.
                    ends.clear()
        for _ in range(count):
            side, datagram = traffic.opening_or_later()
            if _HELPED in (datagram.source_port, datagram.destination_port) or side in three.silent:
                continue
            if phase and datagram.protocol == _WITHOUT_PORTS:
                continue
            opens = datagram.protocol != TCP or datagram.tcp_flags == _SYN
            if datagram.destination in pinned and (phase or has_direct or not opens):
                continue
            about = f"{seed}\n{text}\nsilent: {sorted(three.silent)}\n{side}: {datagram.packet()}"
            for one in same(three.send(side, datagram), about):
                used[one.interface] += 1
                traffic.heard(one.interface, encode(one.datagram))
            traffic.sent(side, datagram)
    return used


@pytest.mark.parametrize("number", range(6))
def test_three_targets_choose_one_line(number):
    used = play(f"three {number}", 60, 1)
    assert sum(used.values()) > 30


@pytest.mark.long
@pytest.mark.parametrize("part", range(8))
def test_three_targets_choose_one_line_always(part):
    """400 intents, 4 phases of 60 packets each."""
    used: Counter[str] = Counter()
    for number in range(part, 400, 8):
        used += play(f"many three {number}", 60, 3)
    assert min(used[f"ISP{line}"] for line in (1, 2, 3, 4, 5)) > 50


@pytest.mark.parametrize("weights", MIXES[:6], ids=str)
def test_equal_cost_lines_have_equal_parts(weights):
    """Each of many pairs of addresses has its line; each line has its part, in all that know weights of routes."""
    worlds = tuple(world for world in WORLDS if world != "routeros7" or len(set(weights)) == 1)
    three = Three(make_plan(read_balance(intent(weights, "ecmp"), "ecmp.yaml")), worlds)
    counts: dict[str, Counter[str]] = {world: Counter() for world in worlds}
    total = 300
    for number in range(total):
        first = Datagram(Family.IPV4, 0xAC100002 + number, 0xC6120000 + 7 * number, TCP, 40, 1024 + number, 80, 2)
        for world, (heard,) in three.send("LAN", first).items():
            counts[world][heard.interface] += 1
    for found in counts.values():
        for line, weight in enumerate(weights, 1):
            share = weight / sum(weights)
            assert abs(found[f"ISP{line}"] - total * share) < 4.5 * (total * share * (1 - share)) ** 0.5


def test_messages_go_by_the_line_of_what_they_are_about():
    """An ICMP error from inside leaves by its connection's line in all three."""
    three = Three(make_plan(read_balance(intent((2, 1), "nth"), "nth.yaml")))
    for number in range(9):
        first = Datagram(Family.IPV4, 0xAC100002, 0xC6120009, 17, 28, 2000 + number, 53)
        (out,) = same(three.send("LAN", first), "first")
        back = Datagram(Family.IPV4, 0xC6120009, out.datagram.source, 17, 28, 53, out.datagram.source_port)
        (inward,) = same(three.send(out.interface, back), "answer")
        made = Datagram(Family.IPV4, 0xAC100002, 0xC6120009, ICMP, 56, icmp_type=3, icmp_code=3)
        made.data = encode(inward.datagram)[:28]
        (error,) = same(three.send("LAN", decode(encode(made))), "error")
        assert error.interface == out.interface
