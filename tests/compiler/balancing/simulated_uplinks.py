"""A compiled Linux router in the simulator, with a tester at each port: octets in, octets out."""

from __future__ import annotations

from dataclasses import replace

from compiler.balancing.ip_batch import read_batch
from compiler.dialects import read
from compiler.fields import Family
from compiler.policy.network import Interface, Network
from compiler.simulator.engine import Engine
from compiler.simulator.frame import BROADCAST, Frame
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import Port
from compiler.simulator.router.device import Router
from compiler.simulator.sockets import Endpoint
from compiler.simulator.wire import decode, encode
from tests.compiler.balancing.written_router import Known, Step, Written
from tests.compiler.simulator.rig import _Anybody
from tests.compiler.simulator.twin import CountingRandom

__all__ = ["SimulatedUplinks"]

_PAUSE = 20_000
"""Nanoseconds of virtual time between packets: about what they take in the kernel."""


class _Tester:
    def __init__(self, name: str, number: int) -> None:
        self.heard: list[bytes] = []
        self.port = Port(self, name, 0x020000000000 + number)

    def receive(self, port: Port, frame: Frame) -> None:
        self.heard.append(encode(frame))

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        pass


class SimulatedUplinks:
    """The router that the written texts make."""

    def __init__(self, written: Written) -> None:
        self.engine = Engine()
        self._written = written
        network = self._network(written, frozenset())
        policy = read(written.rules, "written.nft", dialect="nftables", unmodelled="simulate")
        self.router = Router(self.engine, "router", network, policy)
        self.dice = CountingRandom.instead_of(self.router.memory.random)
        self._udp: dict[int, object] = {}
        self._join()

    @staticmethod
    def _network(written: Written, gone: frozenset[str]) -> Network:
        network = read_batch(written.batch(gone), "written.ip")
        known = {interface.name for interface in network.interfaces}
        more = tuple(Interface(name) for name in written.ports if name not in known)
        return replace(
            network,
            interfaces=(*network.interfaces, *more),
            multipath_policy=written.policy,
            multipath_seed=written.seed,
        )

    def _join(self) -> None:
        self.testers = {name: _Tester(name, number) for number, name in enumerate(self._written.ports, 1)}
        self.links: dict[str, Link] = {}
        for name, tester in self.testers.items():
            port = self.router.add_port(name, {})
            self.router._neighbours[name]._resolved = _Anybody(tester.port.link_address)
            self.links[name] = Link(self.engine, name, (port, tester.port), (Wire(delay=1000), Wire(delay=1000)), "1")

    def take(self, step: Step) -> dict[str, list[bytes]]:
        """Let one thing happen; what came out, by port."""
        for tester in self.testers.values():
            tester.heard = []
        getattr(self, f"_{step.kind}")(step)
        self.engine.run(self.engine.now + _PAUSE)
        return {name: tester.heard for name, tester in self.testers.items()}

    def _packet(self, step: Step) -> None:
        datagram = decode(step.octets)
        to_all = step.to_all
        datagram.link_destination = BROADCAST if to_all else self.router.ports[step.port].link_address
        self.testers[step.port].port.send(datagram)

    def _link(self, step: Step) -> None:
        self.links[step.port].set_up(step.is_up)

    def _routes(self, step: Step) -> None:
        self.router.reroute(self._network(self._written, step.gone))

    def _load(self, step: Step) -> None:
        """The rules once more: their counters begin anew, connections stay."""
        before = self.router
        policy = read(self._written.rules, "written.nft", dialect="nftables", unmodelled="simulate")
        up = {name: port.carrier for name, port in before.ports.items()}
        self.router = Router(self.engine, "router", before.network, policy, successor_of=before)
        for port in before.ports.values():
            port.is_shut = True
        self._join()
        self._udp = {number: self.router.stack.udp(number, _Deaf()) for number in self._udp}
        for name, is_up in up.items():
            if not is_up:
                self.links[name].set_up(False)

    def _udp_own(self, step: Step) -> None:
        socket = self._udp.get(step.number)
        if socket is None:
            socket = self._udp[step.number] = self.router.stack.udp(step.number, _Deaf())
        socket.send(Endpoint(Family.IPV4, step.address, step.to_port), b"own", 3)

    def _echo_own(self, step: Step) -> None:
        self.router.stack.echo(
            Family.IPV4, step.address, lambda _: None, octets=56, identifier=step.number, sequence=step.to_port
        )

    def connections(self) -> set[Known]:
        """The table of connections."""
        return {
            Known(one.original.protocol, _tuple(one.original), _tuple(one.reply), int(one.mark))
            for one in self.router.memory.connections.all()
        }


def _tuple(one: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one[2:])


class _Deaf:
    """A UDP port whose owner does not care."""

    def received(self, *_: object) -> None:
        pass

    def failed(self, *_: object) -> None:
        pass
