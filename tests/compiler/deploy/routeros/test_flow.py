"""A deploy changes how packets flow, and a rollback by the device alone changes it back."""

from __future__ import annotations

from compiler.addresses import format_address
from compiler.fields import Family
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import Port
from compiler.simulator.router.checks import CHECK_IDENTIFIER
from labs.virtual_routeros.clocks import EngineClock
from labs.virtual_routeros.device import Description, Device
from labs.virtual_routeros.node import VirtualRouter
from labs.virtual_routeros.server import Server
from tests.compiler.balancing.intents import simple
from tests.compiler.deploy.routeros.devices import deploy
from tests.compiler.simulator.rig import packet

_HOSTS = {"LAN": "192.168.3.9", "ISP1": "10.1.0.1", "ISP2": "10.2.0.1"}
_OLD = simple((1, 1), "failover")
_NEW = simple((1, 1), "failover", "exceptions: [{to: 203.0.113.0/24, via: line2}]\n")


class _End:
    """A gateway or a client: answers gateway checks, keeps the rest."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.port = Port(self, name, 0x020000000000 + number)
        self.heard: list[Datagram] = []

    def receive(self, port: Port, frame: Frame) -> None:
        if not isinstance(frame, Datagram):
            return
        if frame.identifier != CHECK_IDENTIFIER:
            self.heard.append(frame)
            return
        answer = frame.copy()
        answer.source, answer.destination, answer.icmp_type = frame.destination, frame.source, 0
        answer.link_destination = frame.link_source
        self.port.send(answer)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        pass


class _World:
    def __init__(self) -> None:
        self.engine = Engine()
        description = Description("7.18.2", tuple(_HOSTS), {"admin": "secret"})
        self.device = Device(description, EngineClock(self.engine, 1_767_225_600 * SECOND))
        self.ends = {name: _End(name, number) for number, name in enumerate(_HOSTS)}
        known = {
            name: {(Family.IPV4, int.from_bytes(bytes(map(int, host.split("."))))): self.ends[name].port.link_address}
            for name, host in _HOSTS.items()
        }
        self.node = VirtualRouter(self.engine, "router", self.device, static=known)
        for name, end in self.ends.items():
            Link(self.engine, name, (self.node.ports[name], end.port), (Wire(delay=1000), Wire(delay=1000)), "1")
        self._sent = 1024

    def run(self, seconds: int) -> None:
        self.engine.run(self.engine.now + seconds * SECOND)

    def way(self) -> list[tuple[str, str]]:
        """Where the first packet of a new connection comes out, and with which source."""
        self._sent += 1
        for end in self.ends.values():
            end.heard.clear()
        datagram = packet(f"tcp 192.168.3.9:{self._sent} > 203.0.113.7:80 flags=syn")
        datagram.link_destination = self.node.ports["LAN"].link_address
        self.ends["LAN"].port.send(datagram)
        self.run(1)
        return [(name, format_address(one.source, 32)) for name, end in self.ends.items() for one in end.heard]


def test_packets_follow_the_deploy_and_its_rollback() -> None:
    world = _World()
    with Server(world.device) as server:
        first = deploy(server, _OLD)
        first.apply(60)
        first.confirm()
        world.run(2)
        assert world.way() == [("ISP1", "10.1.0.2")]
        deploy(server, _NEW).apply(60)
        world.run(2)
        assert world.way() == [("ISP2", "10.2.0.2")]
        world.run(61)
        assert world.way() == [("ISP1", "10.1.0.2")], "nobody confirmed"
        second = deploy(server, _NEW)
        second.apply(60)
        second.confirm()
        world.run(61)
        assert world.way() == [("ISP2", "10.2.0.2")], "confirmed, so it stays"
    assert world.node.faults == ()
