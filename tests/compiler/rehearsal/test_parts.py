"""The parts of a rehearsal: bounds, gateways that die, the watcher, tables."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.fields import TCP, Family
from compiler.policy.network import InterfaceAddress
from compiler.rehearsal.flows import ipv4
from compiler.rehearsal.gateway import Gateway, Health
from compiler.rehearsal.intent_scene import intent_scene
from compiler.rehearsal.options import WayToFail
from compiler.rehearsal.packets import SYN, datagram, segment
from compiler.rehearsal.report import table
from compiler.rehearsal.result import jain
from compiler.rehearsal.scene import Line
from compiler.rehearsal.streams import BEAT_PORT, Beat, serve_beats
from compiler.rehearsal.watcher import Watcher
from compiler.rehearsal.wishes import CHANCE, between, wish_of
from compiler.rehearsal.world import World, client_addresses, server_addresses
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.link import Link, Wire
from compiler.simulator.neighbour_messages import arp_message
from compiler.simulator.node import Port
from compiler.simulator.sockets import Endpoint
from tests.compiler.balancing.intents import FULL, plan_of, simple

OWN, MODEM = 0xC0A801FC, 0xC0A80101


@given(total=st.integers(1, 60), part=st.fractions(min_value="0.05", max_value="0.95", max_denominator=20))
def test_bounds_are_those_of_the_binomial(total, part):
    low, high = between(total, part)

    def likely(count: int) -> Fraction:
        return comb(total, count) * part**count * (1 - part) ** (total - count)

    outside = sum(likely(count) for count in range(total + 1) if not low <= count <= high)
    assert outside <= CHANCE
    assert sum(likely(count) for count in range(low + 1)) > CHANCE / 2 * 0.999
    assert sum(likely(count) for count in range(high, total + 1)) > CHANCE / 2 * 0.999


@given(st.lists(st.integers(0, 10**6).map(Fraction), min_size=1, max_size=8))
def test_jain_lies_between_one_nth_and_one(amounts):
    assert Fraction(1, len(amounts)) <= jain(amounts) <= 1
    assert jain([Fraction(3)] * len(amounts)) == 1


def test_the_first_that_takes_a_connection_decides():
    plan = plan_of(FULL)

    def wish(source: str, destination: str, port: int = 5000, protocol: int = TCP):
        from compiler.addresses import parse_address

        return wish_of(plan, ipv4(protocol, parse_address(source)[0], parse_address(destination)[0], 1024, port))

    assert wish("192.168.3.9", "192.168.4.9").name == "local"
    assert wish("192.168.3.9", "10.1.2.3").name == "local"
    assert wish("192.168.3.9", "203.0.113.5", 443)[:2] == ("exception 1", "speedy2")
    assert not wish("192.168.3.201", "198.51.100.9").is_marked
    assert wish("192.168.4.9", "198.51.100.9", 443)[:2] == ("exception 3", "fibre")
    assert wish("192.168.3.9", "202.134.0.155", 53, 17)[:2] == ("name servers of speedy1", "speedy1")
    assert wish("192.168.3.9", "198.51.100.9", 443).traffic.name == "web"
    assert wish("192.168.3.9", "198.51.100.9", 25)[:2] == ("class mail", "speedy2")
    assert wish("192.168.3.70", "100.64.0.1")[:2] == ("class staff, fibre", "fibre")
    assert wish("192.168.3.9", "100.64.0.1")[:2] == ("class staff, others", "speedy2")
    assert wish("192.168.4.9", "100.64.0.1").traffic.name == "rest"


class _End:
    """Keeps what it hears."""

    name = "end"

    def __init__(self) -> None:
        self.port = Port(self, "end", 0x020000000001)
        self.heard: list = []

    def receive(self, port, frame):
        self.heard.append(frame)

    def carrier_changed(self, port, is_up):
        pass


class _Modem:
    """A gateway between two ends."""

    def __init__(self, **more) -> None:
        self.engine = Engine()
        self.gateway = Gateway(Line("isp", "W", (InterfaceAddress(Family.IPV4, OWN, 24),), (MODEM,), **more))
        self.router, self.core = _End(), _End()
        self.gateway.know(self.router.port.link_address)
        wires = Wire(), Wire()
        Link(self.engine, "inner", (self.router.port, self.gateway.inner), wires, "1")
        Link(self.engine, "outer", (self.gateway.outer, self.core.port), wires, "1")

    def say(self, frame):
        """What both sides hear of it."""
        self.router.heard, self.core.heard = [], []
        frame.link_destination = frame.link_destination or self.gateway.inner.link_address
        self.router.port.send(frame)
        self.engine.run()
        return self.router.heard, self.core.heard

    def asks(self, target: int) -> bool:
        """Whether somebody has the address."""
        return bool(self.say(arp_message(1, OWN, target, 0xFFFFFFFFFFFF, is_reply=False))[0])


def ping(destination: int, source: int = OWN):
    return datagram(1, (source, 1), (destination, 0), 56)


def test_a_gateway_answers_for_itself_and_passes_on_the_rest():
    modem = _Modem()
    assert modem.asks(MODEM)
    assert not modem.asks(OWN), "nobody is behind an address of the router's own"
    assert not modem.asks(MODEM + 5)
    (answer,), _ = modem.say(ping(MODEM))
    assert (answer.source, answer.destination, answer.icmp_type) == (MODEM, OWN, 0)
    _, (passed,) = modem.say(segment((OWN, 1000), (0x97650001, 80), SYN, (1, 0)))
    assert passed.ttl == 63
    assert _Modem(answers_for_all=True).asks(0x97650001)


def test_a_gateway_lets_no_foreign_source_out():
    modem = _Modem()
    assert modem.say(ping(0x97650001, 0xC0A802FE)) == ([], [])
    assert modem.gateway.refused == 1


@pytest.mark.parametrize(("health", "itself"), [(Health.SILENT, False), (Health.CUT_OFF, True)])
def test_a_dead_gateway(health, itself):
    modem = _Modem()
    modem.gateway.health = health
    assert modem.asks(MODEM) == itself
    assert bool(modem.say(ping(MODEM))[0]) == itself
    assert modem.say(ping(0x97650001)) == ([], [])


def watched(way: WayToFail, more: str = "probes: 9.9.9.9, "):
    """Two lines under a watcher, the first of which dies at 10 s and is mended at 20 s."""
    scene = intent_scene(simple((1, 1)).replace("weight: 1}", more + "weight: 1}", 1), "isps.yaml", "linux")
    world = World(scene, "1", client_addresses(scene, 8), 4)
    addresses = server_addresses(scene, world.random, 4)
    serve_beats(world.add_server(addresses))
    watcher = Watcher(world.engine, world.router, scene.plan)
    beats = [
        Beat(world.engine, host, Endpoint(Family.IPV4, address, BEAT_PORT), SECOND)
        for host, address in zip(world.hosts, addresses, strict=True)
    ]
    for number, beat in enumerate(beats):
        world.engine.at(SECOND + number, beat.begin)
    world.engine.run(10 * SECOND)
    assert watcher.turns == []
    assert all(beat.answered_at > 9 * SECOND for beat in beats)
    world.break_("line1", way)
    world.engine.run(20 * SECOND)
    return world, watcher, beats


@pytest.mark.parametrize(("way", "most"), [(WayToFail.LINK, 0.06), (WayToFail.GATEWAY, 4.1), (WayToFail.ISP, 4.1)])
def test_the_watcher_moves_routes_and_forgets_connections(way, most):
    world, watcher, beats = watched(way)
    ((moment, turn),) = watcher.turns
    assert (turn.uplink, turn.alive) == ("line1", False)
    assert 10 <= moment / SECOND <= 10 + most
    assert watcher.health.used == ("line2",)
    left = {one.reply.destination for one in world.router.memory.connections.all() if one.original.protocol == TCP}
    assert left == {0x0A020002}
    assert [beat.was_reset for beat in beats] == [True, False, True, False]
    world.mend("line1", way)
    world.engine.run(30 * SECOND)
    assert [turn.alive for _, turn in watcher.turns] == [False, True]
    assert watcher.health.used == ("line1", "line2")


def test_a_watcher_that_is_stopped_does_nothing():
    world, watcher, _ = watched(WayToFail.GATEWAY)
    watcher.stop()
    world.mend("line1", WayToFail.GATEWAY)
    world.engine.run(30 * SECOND)
    assert len(watcher.turns) == 1


def test_without_probes_the_watcher_asks_the_gateway_only():
    _, watcher, _ = watched(WayToFail.ISP, "")
    assert watcher.turns == []


def test_tables_have_straight_columns():
    assert list(table(("a", "count"), [("x", 5), ("long", 10)])) == ["  a     count", "  x         5", "  long     10"]


def test_clients_are_spread_and_never_the_router_itself():
    scene = intent_scene(FULL, "isps.yaml", "routeros7")
    for count in (1, 3, 40, 500):
        found = client_addresses(scene, count)
        for inside, addresses in found.items():
            assert len(set(addresses)) == len(addresses) >= 1
            assert inside.own not in addresses
            assert all(inside.prefix.contains(address) for address in addresses)
            assert not {0xC0A8030A, 0xC0A8030B} & set(addresses) or inside.interface != "LAN"
