"""The written texts run in the simulated router: shares, stickiness, answers, port forwards, failover."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from compiler.balancing.ip_batch import read_batch, write_batch
from compiler.balancing.nftables import write_nftables
from compiler.balancing.routeros import write_routeros
from compiler.balancing.turns import bound
from tests.compiler.balancing.intents import FULL, plan_of, simple
from tests.compiler.simulator.rig import Rig

WORLDS = ("routeros6", "routeros7", "linux")
INSIDE = {0xC0A803, 0xC0A804, 0xC0A805}
COUNT = 10_000 if os.environ.get("GERBANG_LONG") else 300
OLD = pytest.param("routeros6", marks=pytest.mark.long)
"""Version 6 differs in routes, not in marks: there the long runs are enough."""
MIXES = [(1, 1), (1, 1, 1), (1, 2), (3, 1, 2), (1, 1, 1, 1), (5, 1, 1, 3), (1, 1, 1, 1, 1), (4, 1, 2, 1, 3)]


def rig_of(text: str, world: str) -> Rig:
    plan = plan_of(text)
    if world == "linux":
        rig = Rig(write_nftables(plan), "nftables", read_batch(write_batch(plan), "router.ip"))
    else:
        rig = Rig(write_routeros(plan, int(world[-1])), "routeros")
    rig.answering = {name for name in rig.testers if name.startswith("ISP")}
    return rig


def marks(rig: Rig) -> list:
    """Of the connections that were opened from inside: not of the router's own checks."""
    found = rig.router.memory.connections.all()
    return [connection.mark for connection in found if connection.original.source >> 8 in INSIDE]


def syn(number: int, client: str = "192.168.3.7", server: str = "198.51.100.9", port: int = 80) -> str:
    return f"tcp {client}:{1024 + number % 60000} > {server}:{port} flags=syn"


@pytest.mark.parametrize("weights", MIXES, ids=str)
@pytest.mark.parametrize("world", [OLD, "routeros7", "linux"])
def test_turns_are_exact_at_every_prefix(world, weights):
    """One in ten opens twice: the second SYN goes the way of the first, and counts nowhere."""
    rig, chance = rig_of(simple(weights), world), random.Random(4)
    total, had, left = sum(weights), [0] * len(weights), bound(len(weights))
    for number in range(COUNT):
        (heard,) = rig.send("LAN", syn(number))
        line = int(heard.interface[-1]) - 1
        assert heard.text.startswith(f"tcp 10.{line + 1}.0.2:")
        had[line] += 1
        for count, weight in zip(had, weights, strict=True):
            assert abs(count - (number + 1) * weight / total) <= left < 1
        if chance.random() < 0.1:
            (again,) = rig.send("LAN", syn(number))
            assert (again.interface, again.text) == (heard.interface, heard.text)
    assert len(marks(rig)) == COUNT
    assert all(marks(rig))
    assert len(set(marks(rig))) == len(weights)


@pytest.mark.parametrize("weights", MIXES[:4], ids=str)
@pytest.mark.parametrize("world", [OLD, "routeros7", "linux"])
def test_hashes_stick_and_share(world, weights):
    """Clients, not connections, are shared: each client has one line for life, and lines get their part of clients."""
    rig = rig_of(simple(weights, "pcc", "fields: src-address\n"), world)
    lines: dict[str, str] = {}
    clients = [f"192.168.{third}.{last}" for third in (3, 5) for last in range(1, 251) if (third, last) != (3, 1)]
    for turn in range(2):
        for number, client in enumerate(clients):
            (heard,) = rig.send("LAN", syn(number + 7 * turn, client, f"198.51.100.{1 + turn}", 80 + turn))
            assert lines.setdefault(client, heard.interface) == heard.interface
    counts = Counter(lines.values())
    for number, weight in enumerate(weights, 1):
        share = weight / sum(weights)
        spread = (len(clients) * share * (1 - share)) ** 0.5
        assert abs(counts[f"ISP{number}"] - len(clients) * share) < 5 * spread
    assert all(marks(rig))


@pytest.mark.parametrize("world", WORLDS)
def test_answers_leave_by_the_line_that_was_asked(world):
    rig = rig_of(simple((1, 1, 1), more="forwards: [{ports: 8080, to: 192.168.3.10:80}]\n"), world)
    for line in (1, 2, 3):
        peer = f"203.0.113.{line}"
        (inward,) = rig.send(f"ISP{line}", f"tcp {peer}:4000 > 10.{line}.0.2:8080 flags=syn")
        assert (inward.interface, inward.text) == ("LAN", f"tcp {peer}:4000 > 192.168.3.10:80 flags=syn ttl=63")
        (answer,) = rig.send("LAN", f"tcp 192.168.3.10:80 > {peer}:4000 flags=syn,ack")
        assert answer.interface == f"ISP{line}"
        assert answer.text.startswith(f"tcp 10.{line}.0.2:8080 > {peer}:4000")
        (own,) = rig.send(f"ISP{line}", f"icmp {peer} > 10.{line}.0.2 type=8")
        assert own.interface == f"ISP{line}"


@pytest.mark.parametrize("world", WORLDS)
def test_exceptions_and_local_traffic(world):
    rig = rig_of(FULL, world)
    assert {rig.send("LAN", syn(n, "192.168.3.9", "203.0.113.5", 5000))[0].interface for n in range(9)} == {"ISP2"}
    assert {rig.send("GUESTS", syn(n, "192.168.4.9", port=443))[0].interface for n in range(9)} == {"ISP3"}
    (local,) = rig.send("LAN", syn(1, server="192.168.4.20"))
    assert local.interface == "GUESTS"
    assert rig.send("LAN", "icmp 192.168.3.7 > 192.168.3.1 type=8")[0].interface == "LAN"
    (modem,) = rig.send("LAN", syn(2, server="192.168.2.2"))
    assert modem.interface == "ISP2"
    (name,) = rig.send("LAN", "udp 192.168.3.7:3000 > 202.134.0.155:53")
    assert name.interface == "ISP1"
    before = marks(rig).count(rig.router.memory.no_mark)
    assert before in (2, 3)  # Linux forgets the router's answered echo at once
    (direct,) = rig.send("LAN", syn(3, "192.168.3.201"))
    assert direct.interface == "ISP1"
    assert marks(rig).count(rig.router.memory.no_mark) == before + 1


@pytest.mark.parametrize("method", ["nth", "pcc", "ecmp", "failover"])
@pytest.mark.parametrize("world", ["routeros6", "routeros7"])
def test_a_silent_gateway_is_left_and_come_back_to(world, method):
    """check-gateway: every 10 s, two misses; then new connections leave by who is left, and stay there afterwards."""
    rig = rig_of(simple((1, 1), method), world)
    rig.wait(1)
    first = {rig.send("LAN", syn(n, f"192.168.3.{10 + n}"))[0].interface for n in range(40)}
    assert first == ({"ISP1"} if method == "failover" else {"ISP1", "ISP2"})
    rig.answering.discard("ISP1")
    rig.wait(31)
    moved = [rig.send("LAN", syn(100 + n, f"192.168.3.{10 + n}"))[0] for n in range(40)]
    assert {heard.interface for heard in moved} == {"ISP2"}
    assert {heard.text.split(":")[0] for heard in moved} == {"tcp 10.2.0.2"}
    rig.answering.add("ISP1")
    rig.wait(12)
    # New ones come back; those that began on the other line stay, for they have its address.
    assert "ISP1" in {rig.send("LAN", syn(200 + n, f"192.168.3.{10 + n}"))[0].interface for n in range(40)}
    for number in range(40):
        (heard,) = rig.send("LAN", syn(100 + number, f"192.168.3.{10 + number}"))
        assert heard.interface == "ISP2"
        assert heard.text.startswith("tcp 10.2.0.2:")


@pytest.mark.parametrize("world", ["routeros6", "routeros7"])
def test_established_connections_of_a_dead_line_are_reset_at_once(world):
    rig = rig_of(simple((1, 1)), world)
    rig.wait(1)
    (out,) = rig.send("LAN", syn(1))
    port = out.text.split(" > ")[0].split(":")[1]
    rig.send("ISP1", f"tcp 198.51.100.9:80 > 10.1.0.2:{port} flags=syn,ack")
    rig.send("LAN", "tcp 192.168.3.7:1025 > 198.51.100.9:80 flags=ack")
    rig.answering.discard("ISP1")
    rig.wait(31)
    (reset,) = rig.send("LAN", "tcp 192.168.3.7:1025 > 198.51.100.9:80 flags=ack,psh")
    assert reset.interface == "LAN"
    assert "rst" in reset.text


@pytest.mark.parametrize("world", ["routeros6", "routeros7"])
def test_an_isp_dead_behind_a_living_modem_is_found_by_its_probe(world):
    """The modem answers for itself all the time; the probe beyond it does not."""
    text = simple((1, 1), "failover").replace("weight: 1}", "probes: 9.9.9.9}", 1)
    rig = rig_of(text, world)
    rig.wait(1)
    assert rig.send("LAN", syn(1))[0].interface == "ISP1"
    rig.answering.discard("ISP1")
    rig.wait(31)
    assert rig.send("LAN", syn(2))[0].interface == "ISP2"


def test_a_strict_exception_goes_nowhere_else():
    text = simple((1, 1), more="exceptions: [{to: 203.0.113.5, via: line1, strict: yes}]\n")
    rig = rig_of(text, "routeros7")
    rig.wait(1)
    assert rig.send("LAN", syn(1, server="203.0.113.5"))[0].interface == "ISP1"
    rig.answering.discard("ISP1")
    rig.wait(31)
    assert all(heard.interface == "LAN" for heard in rig.send("LAN", syn(2, server="203.0.113.5")))
    assert rig.send("LAN", syn(3))[0].interface == "ISP2"
