"""The simulator's twin of ``KernelRouter``: the same addresses, the same two sides, the same calls.

Packets are layer-3 octets in, layer-3 octets out, so that what both worlds
send can be compared octet for octet.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import SupportsBytes

from compiler.addresses import parse_address
from compiler.dialects import read
from compiler.fields import Family
from compiler.policy.network import Interface, InterfaceAddress, Network, NextHop, Prefix, Route, RoutingRule
from compiler.policy.ruleset import Ruleset
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import Frame
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import Port
from compiler.simulator.router.device import Router
from compiler.simulator.wire import decode, encode
from tests.compiler.dialects.nftables.kernel import _NEXT_HOP, _OWN, INTERFACES

__all__ = ["CountingRandom", "SimulatedRouter"]

_OTHER = {"west": "east", "east": "west"}
_LINK = {"west": 0x020000000001, "east": 0x020000000002}


class _Tester:
    """A node that keeps what it hears."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[bytes] = []
        self.port = Port(self, name, _LINK[name])

    def receive(self, port: Port, frame: Frame) -> None:
        self.heard.append(encode(frame))

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        pass


def network() -> Network:
    """The routes of ``KernelRouter``: what comes in on one side goes out on the other."""
    interfaces, routes, rules = [], [], []
    for number, (side, name) in enumerate(INTERFACES.items(), 101):
        addresses = []
        for written in _OWN[side]:
            address, _, length = written.partition("/")
            value, width = parse_address(address)
            addresses.append(InterfaceAddress(Family.IPV4 if width == 32 else Family.IPV6, value, int(length)))
        interfaces.append(Interface(name, tuple(addresses)))
        other = _OTHER[side]
        for family, hop in zip(Family, _NEXT_HOP[other], strict=True):
            routes.append(
                Route(Prefix(family, 0, 0), (NextHop(parse_address(hop)[0], INTERFACES[other]),), str(number))
            )
            rules.append(RoutingRule(family, 10000 + number, str(number), ingress=name))
    for family, hop in zip(Family, _NEXT_HOP["west"], strict=True):
        routes.append(Route(Prefix(family, 0, 0), (NextHop(parse_address(hop)[0], "west0"),)))
    return Network("twin", "nftables", "twin", interfaces=tuple(interfaces), routes=tuple(routes), rules=tuple(rules))


class CountingRandom(Random):
    """A source of chance that tells how often it was asked."""

    draws = 0

    @classmethod
    def instead_of(cls, source: Random) -> CountingRandom:
        """Make the source itself count from now on."""
        source.__class__ = cls
        assert isinstance(source, CountingRandom)
        return source

    def random(self) -> float:
        self.draws += 1
        return super().random()

    def getrandbits(self, k: int, /) -> int:
        self.draws += 1
        return super().getrandbits(k)


class SimulatedRouter:
    """One router between two testers, on wires that take a microsecond."""

    def __init__(self, ruleset_text: str | Ruleset = "", *, seed: str = "1") -> None:
        self.engine = Engine()
        self.pause = 1_000_000
        """Nanoseconds between packets. The kernel's are some 10,000 apart: where time counts, so should these be."""
        policy = ruleset_text
        if isinstance(policy, str):
            policy = read(policy, "twin.nft", dialect="nftables", unmodelled="simulate")
        self.router = Router(self.engine, "twin", network(), policy, seed=seed)
        self.dice = CountingRandom.instead_of(self.router.memory.random)
        self.testers = {side: _Tester(side) for side in INTERFACES}
        for side, name in INTERFACES.items():
            static = {
                (family, parse_address(hop)[0]): _LINK[side]
                for family, hop in zip(Family, _NEXT_HOP[side], strict=True)
            }
            port = self.router.add_port(name, static)
            Link(self.engine, side, (port, self.testers[side].port), (Wire(delay=1000), Wire(delay=1000)), seed)

    def forwarded(self, packets: Sequence[bytes | SupportsBytes], ingress: str) -> list[bytes | None]:
        """For each packet its octets as it came out at the other side, or None."""
        return [east for _, east in self.exchange(packets, ingress)]

    def exchange(
        self, packets: Sequence[bytes | SupportsBytes], ingress: str
    ) -> list[tuple[bytes | None, bytes | None]]:
        """For each packet what came back on its own side, and what came out at the other."""
        results: list[tuple[bytes | None, bytes | None]] = []
        for packet in packets:
            heard = self.send(ingress, bytes(packet))
            near, far = heard[ingress], heard[_OTHER[ingress]]
            results.append((near[0] if near else None, far[0] if far else None))
        return results

    def play(self, packets: Sequence[tuple[str, bytes]]) -> list[dict[str, list[bytes]]]:
        """Send packets, each with the side that it enters by: what each led to, by side."""
        return [self.send(side, packet) for side, packet in packets]

    def send(self, side: str, packet: bytes) -> dict[str, list[bytes]]:
        """Send one packet and wait a little: what came out by each side."""
        for tester in self.testers.values():
            tester.heard = []
        datagram = decode(packet)
        datagram.link_destination = self.router.ports[INTERFACES[side]].link_address
        self.testers[side].port.send(datagram)
        self.engine.run(self.engine.now + self.pause)
        return {where: tester.heard for where, tester in self.testers.items()}

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.engine.run(self.engine.now + round(seconds * SECOND))
