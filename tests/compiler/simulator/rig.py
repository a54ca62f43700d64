"""One router with a tester at each port: send a packet in, look at what comes out where."""

from __future__ import annotations

from typing import NamedTuple

from compiler.dialects import read, read_network
from compiler.policy.network import Network
from compiler.policy.packet_text import format_packet, parse_packet
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import Port
from compiler.simulator.router.checks import CHECK_IDENTIFIER
from compiler.simulator.router.device import Router

__all__ = ["Heard", "Rig", "packet"]


class Heard(NamedTuple):
    """What came out, and by which of the router's interfaces."""

    interface: str
    datagram: Datagram

    @property
    def text(self) -> str:
        """``tcp 10.0.0.1:1 > 10.0.0.2:80 flags=syn``."""
        return format_packet(self.datagram.packet())


class _Tester:
    """Hears what comes out of one port; where the rig says so it answers the router's gateway checks."""

    def __init__(self, rig: Rig, name: str, number: int) -> None:
        self.rig = rig
        self.name = name
        self.port = Port(self, name, 0x020000000000 + number)
        self.heard: list[Heard] = []

    def receive(self, port: Port, frame: Frame) -> None:
        if not isinstance(frame, Datagram):
            return
        if frame.identifier == CHECK_IDENTIFIER and frame.icmp_type == 8:
            if self.name in self.rig.answering:
                self._answer(frame)
            return
        self.heard.append(Heard(self.name, frame))

    def _answer(self, request: Datagram) -> None:
        answer = request.copy()
        answer.source, answer.destination = request.destination, request.source
        answer.icmp_type = 0
        answer.link_destination = request.link_source
        self.port.send(answer)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        pass


class Rig:
    """A router made from a configuration (or from a network and a policy's text)."""

    def __init__(self, text: str, dialect: str, network: Network | None = None, **options: object) -> None:
        self.engine = Engine()
        self.answering: set[str] = set()
        """Interfaces behind which gateways answer the router's checks; the checks themselves are not heard."""
        network = network or read_network(text, f"router.{dialect}", dialect=dialect)
        policy = read(text, f"router.{dialect}", dialect=dialect, unmodelled="simulate")
        self.router = Router(self.engine, "router", network, policy, **options)
        self.testers = {
            interface.name: _Tester(self, interface.name, number) for number, interface in enumerate(network.interfaces)
        }
        self.links: dict[str, Link] = {}
        self._join()

    def _join(self) -> None:
        for name, tester in self.testers.items():
            port = self.router.add_port(name, {})
            # Every neighbour that the router asks for is the tester itself.
            self.router._neighbours[name]._resolved = _Anybody(tester.port.link_address)
            tester.port.direction = None
            self.links[name] = Link(self.engine, name, (port, tester.port), (Wire(delay=1000), Wire(delay=1000)), "1")

    def load(self, text: str, dialect: str) -> None:
        """Give the running router these rules in place of its own: they count anew, connections stay."""
        before = self.router
        policy = read(text, f"router.{dialect}", dialect=dialect, unmodelled="simulate")
        self.router = Router(self.engine, "router", before.network, policy, successor_of=before)
        for port in before.ports.values():
            port.is_shut = True
        self._join()

    def send(self, interface: str, sent: Datagram | str) -> list[Heard]:
        """Send into the router at one interface; what came out within a millisecond, in order of interfaces."""
        datagram = packet(sent) if isinstance(sent, str) else sent
        for tester in self.testers.values():
            tester.heard.clear()
        datagram.link_destination = self.router.ports[interface].link_address
        self.testers[interface].port.send(datagram)
        self.engine.run(self.engine.now + 1_000_000)
        return [heard for tester in self.testers.values() for heard in tester.heard]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.engine.run(self.engine.now + round(seconds * SECOND))


class _Anybody(dict[int, int]):
    """A table of neighbours in which everybody is the tester."""

    def __init__(self, link: int) -> None:
        super().__init__()
        self._link = link

    def get(self, _key, _default=None):
        return self._link


def packet(text: str) -> Datagram:
    """The datagram of a packet's text, with an empty payload."""
    from labs.raw_packets import datagram_of

    return datagram_of(parse_packet(text))
