"""The workload: many short connections of many clients to many servers, planned from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from compiler.fields import ICMP, TCP, UDP
from compiler.policy.balance import Selection
from compiler.policy.network import Prefix
from compiler.rehearsal.flows import Flow, ipv4
from compiler.rehearsal.scene import Inside, Scene
from compiler.simulator.engine import MILLISECOND, SECOND

__all__ = ["FORUM_PORT", "plan_flows", "spacing"]

FORUM_PORT = 443
_PORTS = (80, 443, 443, 443, 8080, 993, 22)
_ECHO_REQUEST = 0x0800
_LARGEST = 40_000
_OFTEN_UDP, _OFTEN_ICMP = 0.12, 0.03
_TO_FORUM, _TO_SELECTED = 0.15, 0.3
_LOAD = 0.5
"""The part of all lines' rates that the workload asks for."""
_LEAST_APART, _MOST_APART = MILLISECOND, SECOND


def plan_flows(
    scene: Scene, random: Random, clients: dict[Inside, list[int]], servers: list[int], count: int, repeated: float
) -> Iterator[tuple[Inside, Flow]]:
    """So many connections with the network that each begins in. The first server is the forum that all visit.

    Exactly ``round(count * repeated)`` of the TCP ones, if there are as many, ask twice.
    """
    selections = [rule.selection for rule in scene.plan.rules] if scene.plan is not None else []
    selections = [one for one in dict.fromkeys(selections) if not one.is_everything]
    places = [(inside, address) for inside, addresses in clients.items() for address in addresses]
    made = []
    taken: set[tuple[int, ...]] = set()
    for _ in range(count):
        chosen = random.choice(selections) if selections and random.random() < _TO_SELECTED else Selection()
        while True:
            inside, flow = _flow(random, chosen, places, servers)
            if flow.wanted not in taken:
                break
        taken.add(flow.wanted)
        made.append((inside, flow))
    able = [flow for _, flow in made if flow.wanted.protocol == TCP]
    for flow in random.sample(able, min(round(count * repeated), len(able))):
        flow.asks_twice = True
    return iter(made)


def spacing(scene: Scene, flows: list[Flow]) -> int:
    """Nanoseconds between two connections such that the lines are half full."""
    download = sum(line.download for line in scene.lines)
    upload = sum(line.upload for line in scene.lines)
    down = sum(flow.reply + 54 * (flow.reply // 1460 + 4) for flow in flows) * 8 * SECOND
    up = sum(flow.request + 54 * 5 for flow in flows) * 8 * SECOND
    return min(max(round(max(down / download, up / upload) / _LOAD / len(flows)), _LEAST_APART), _MOST_APART)


def _flow(
    random: Random, chosen: Selection, places: list[tuple[Inside, int]], servers: list[int]
) -> tuple[Inside, Flow]:
    inside, client = _place(random, chosen, places)
    draw = random.random()
    protocol = ICMP if draw < _OFTEN_ICMP else UDP if draw < _OFTEN_ICMP + _OFTEN_UDP else TCP
    if chosen.ports is not None:
        protocol = chosen.protocol or TCP
    elif chosen.protocol is not None:
        protocol = chosen.protocol
    server = servers[0] if random.random() < _TO_FORUM else random.choice(servers)
    if chosen.destinations:
        server = _within(random, random.choice(chosen.destinations))
    if protocol == ICMP:
        wanted = ipv4(ICMP, client, server, random.randrange(1, 65536), _ECHO_REQUEST)
        return inside, Flow(wanted, 56, 56)
    if protocol not in (TCP, UDP):
        protocol = TCP
    port = 53 if protocol == UDP else FORUM_PORT if server == servers[0] else random.choice(_PORTS)
    if chosen.ports is not None:
        low, high = random.choice(chosen.ports.intervals)
        port = random.randint(low, high)
    wanted = ipv4(protocol, client, server, random.randrange(32768, 61000), port)
    reply = 120 if protocol == UDP else min(int(1500 * random.paretovariate(1.2)), _LARGEST)
    return inside, Flow(wanted, 48 if protocol == UDP else random.randrange(200, 1200), reply)


def _place(random: Random, chosen: Selection, places: list[tuple[Inside, int]]) -> tuple[Inside, int]:
    if chosen.sources:
        fitting = [one for one in places if any(source.contains(one[1]) for source in chosen.sources)]
        if fitting:
            return random.choice(fitting)
    return random.choice(places)


def _within(random: Random, prefix: Prefix) -> int:
    room: int = 1 << (32 - prefix.length)
    return prefix.value + (random.randrange(1, room - 1) if room > 2 else 0)
