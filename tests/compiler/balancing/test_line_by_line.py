"""Kernel and simulator choose the same line for every connection, of random intents under random traffic.

What comes out of each port, octet for octet, with the packet's mark in its
DSCP; and the table of connections with their marks. The kernel's hash of
multipath routes is seeded, so that ECMP is compared like all other methods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from tests.compiler.balancing.intents import simple
from tests.compiler.balancing.kernel_uplinks import KernelUplinks, why_not
from tests.compiler.balancing.line_by_line import Compared, compare, compare_random, written_of
from tests.compiler.balancing.written_router import Step
from tests.compiler.simulator.router.octets import tcp

_METHODS = ("nth", "pcc", "ecmp", "failover", "address_list")


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelUplinks]:
    reason = why_not()
    if reason:
        pytest.skip(f"no kernel router: {reason}")
    with KernelUplinks() as one:
        yield one


def check(compared: Compared) -> Compared:
    if compared.difference:
        pytest.fail(compared.difference)
    return compared


@pytest.mark.parametrize("part", range(2))
def test_random_intents(kernel, part):
    done = [check(compare_random(kernel, f"short {part} {number}", 120)) for number in range(5)]
    lines = sum((one.outputs for one in done), Counter())
    assert lines["ISP1"] > 50
    assert lines["ISP2"] > 20
    assert lines["LAN"] > 30
    assert sum(one.marked for one in done) > 100


@pytest.mark.long
@pytest.mark.parametrize("part", range(8))
def test_a_thousand_random_intents(kernel, part):
    """1,000 intents, 200 steps each."""
    for number in range(part, 1000, 8):
        check(compare_random(kernel, f"long {number}", 200))


def openings(seed: str, count: int, port_from: int = 1024) -> list[Step]:
    """Connections of many clients to many servers; one SYN in ten is sent again."""
    chance, steps = Random(seed), []
    for number in range(count):
        client, server = 2 + chance.randrange(250), chance.randrange(1 << 24)
        port = port_from + number % 60000
        source, target = f"192.168.3.{client}", f"198.{18 + (server >> 16) % 2}.{server >> 8 & 255}.{server & 255}"
        octets = tcp(source, port, target, chance.choice((80, 443, 25)), "S", number)
        steps.append(Step("packet", "LAN", octets))
        if chance.random() < 0.1:
            steps.append(steps[-1])
    return steps


_MIXES = {2: ((1, 1), (3, 2)), 3: ((1, 1, 1), (1, 2, 4)), 4: ((1,) * 4, (5, 1, 1, 3)), 5: ((1,) * 5, (4, 1, 2, 1, 3))}


@pytest.mark.parametrize("method", ["nth", "pcc", "ecmp"])
@pytest.mark.parametrize("count", [pytest.param(200), pytest.param(4200, marks=pytest.mark.long)])
@pytest.mark.parametrize("uplinks", _MIXES)
def test_every_connection_of_many(kernel, method, count, uplinks):
    """4,200 connections for each of 24 combinations in the long run: 100,800."""
    for weights in _MIXES[uplinks] if count > 200 else _MIXES[uplinks][1:]:
        fields = "fields: src-address-and-port\n" if method == "pcc" else ""
        written = written_of(simple(weights, method, fields))
        done = check(compare(kernel, written, openings(f"{method} {weights}", count)))
        assert done.connections == done.marked == count
        lines = [done.outputs[f"ISP{number}"] for number in range(1, len(weights) + 1)]
        assert sum(lines) == done.steps
        for had, weight in zip(lines, weights, strict=True):
            share = weight / sum(weights)
            assert abs(had - done.steps * share) < 5 * (done.steps * share * (1 - share)) ** 0.5


def ftp(line: int) -> list[Step]:
    """A session of a client of its own by that line: a file fetched actively, another passively."""
    client, own, server, port = f"192.168.3.{6 + line}", f"10.{line}.0.2", "198.51.100.9", f"ISP{line}"

    def out(flags: str, sequence: int, data: bytes = b"") -> Step:
        return Step("packet", "LAN", tcp(client, 2000, server, 21, flags, sequence, 5001, data))

    def back(flags: str, sequence: int, acknowledgement: int, data: bytes = b"") -> Step:
        return Step("packet", port, tcp(server, 21, own, 2000, flags, sequence, acknowledgement, data))

    told = f"PORT 192,168,3,{6 + line},17,112\r\n".encode()
    said = f"PORT 10,{line},0,2,17,112\r\n".encode()
    hello, user = b"220 ready\r\n", b"USER x\r\n"  # a helper reads from the second line on
    passive = b"229 Entering Extended Passive Mode (|||40001|)\r\n"
    heard = 1001 + len(user)
    return [
        Step("packet", "LAN", tcp(client, 2000, server, 21, "S", 1000)),
        back("SA", 5000, 1001),
        out("A", 1001),
        back("PA", 5001, 1001, hello),
        out("PA", 1001, user),
        out("PA", heard, told),
        back("A", 5001 + len(hello), heard + len(said)),
        Step("packet", port, tcp(server, 20, own, 4464, "S", 7000)),
        Step("packet", "LAN", tcp(client, 4464, server, 20, "SA", 8000, 7001)),
        Step("packet", port, tcp(server, 20, own, 4464, "A", 7001, 8001)),
        out("PA", heard + len(told), b"EPSV\r\n"),
        back("PA", 5001 + len(hello), heard + len(said) + 6, passive),
        Step("packet", "LAN", tcp(client, 2001, server, 40001, "S", 9000)),
        Step("packet", "LAN", tcp(client, 2001, server, 40001, "S", 9000)),
    ]


def test_data_follows_its_control(kernel):
    """The turn would give each data connection another line than its session's."""
    written = written_of(simple((1, 1, 1)))
    steps = [step for line in (1, 2, 3) for step in ftp(line)]
    done = check(compare(kernel, written, steps))
    # Of a session: SYN, ACK, USER, PORT, the answer to the server's SYN, EPSV, and the passive SYN twice.
    assert done.outputs == {"LAN": 18, "ISP1": 8, "ISP2": 8, "ISP3": 8}
    assert done.connections == done.marked == 9


_WORDS = {
    "pcc": "fields: both-addresses-and-ports\n",
    "address_list": "members: {line1: 192.168.3.0/26, line2: 192.168.3.64/26}\notherwise: line3\n",
}


@pytest.mark.parametrize(
    ("method", "failback"), [*((method, "gentle") for method in _METHODS), ("nth", "immediate"), ("pcc", "immediate")]
)
def test_a_line_dies_and_comes_back(kernel, method, failback):
    """A cable pulled and plugged; routes away and there again; what began before, meanwhile and after."""
    written = written_of(simple((1, 1, 2), method, f"{_WORDS.get(method, '')}failback: {failback}\n"))
    phases = [openings(f"{method} {phase}", 24, 1024 + 100 * phase) for phase in range(5)]
    steps: list[Step] = []
    for number, phase in enumerate(phases):
        steps += phase
        steps += [step for earlier in phases[:number] for step in earlier[::4]]
        steps.append((_PULLED, _PLUGGED, _AWAY, _THERE, Step("load"))[number])
    done = check(compare(kernel, written, steps))
    assert done.connections > 100


_PULLED, _PLUGGED = Step("link", "ISP1", is_up=False), Step("link", "ISP1")
_AWAY, _THERE = Step("routes", gone=frozenset({"ISP1"})), Step("routes")
