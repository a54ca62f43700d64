"""A network model, built in the simulator, into which single packets are sent and followed cable by cable."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from compiler.errors import UsageError
from compiler.policy.network import Interface
from compiler.policy.packet import Packet
from compiler.simulator.crafting import datagram_of
from compiler.simulator.engine import MILLISECOND, SECOND, Engine
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import Port
from compiler.simulator.router.device import Router
from compiler.simulator.router.transit import Transit
from compiler.simulator.switch import Switch
from compiler.simulator.tracing import Tracer
from compiler.testing.dynamic.answers import answer_to
from compiler.testing.dynamic.ends import OUTSIDE, Correspondent, Gateway, Outside
from compiler.testing.dynamic.telling import TellingTracer
from compiler.testing.networks.model import HostEnd, NetworkModel, PortName, RouterEnd
from compiler.testing.networks.rings import ring_of
from compiler.testing.recording import recorder

__all__ = ["Crossing", "Journey", "NetworkWorld"]

_STEP = 20 * MILLISECOND
_PATIENCE = 4 * SECOND
"""How long a packet may be under way: longer than ARP asks in vain (3 s)."""


class Crossing(NamedTuple):
    """A packet on a cable, from one port to the next. ``source`` is its source address there."""

    cable: str
    leaves: PortName
    enters: PortName
    source: int


@dataclass
class Journey:
    """What has become of a packet so far. ``arrived`` is the port of the end that has it, ``heard`` as it came."""

    sent: Packet
    number: int
    serial: int = 0
    """Its place among all that were sent."""
    crossings: list[Crossing] = field(default_factory=list)
    arrived: PortName | None = None
    heard: Datagram | None = None
    answer: Journey | None = None
    """What answered it, where the world answers by itself."""
    taken: PortName | None = None
    """The port by which it came to a router that took it for itself."""
    refused: bool = False
    """It came to a host that has no such address."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be learnt from it."""
        return self.arrived is not None or self.taken is not None or self.refused or self.loops

    @property
    def loops(self) -> bool:
        """Whether it came to a node by a port where it was before."""
        entered = [one.enters for one in self.crossings]
        return len(set(entered)) < len(entered)

    def crosses(self, line: str) -> bool:
        """Whether it went over a cable, out or in by a port (``node:port``), or through a node of that name."""
        names = {one.cable for one in self.crossings}
        for one in self.crossings:
            names |= {str(one.leaves), str(one.enters), one.leaves.node, one.enters.node}
        return line in names


class NetworkWorld:
    """The nodes and cables of a model. ``dead`` names nodes and cables that do not work from the beginning."""

    def __init__(
        self, model: NetworkModel, dead: frozenset[str] = frozenset(), *, seed: str = "1", tracing: bool = False
    ) -> None:
        self.model = model
        self.engine = Engine()
        self.hosts: dict[str, Correspondent] = {}
        self.routers: dict[str, Router] = {}
        self.switches: dict[str, Switch] = {}
        self.outsides: dict[PortName, Outside] = {}
        self.links: dict[str, Link] = {}
        self.tracer = self._tracer(tracing)
        self._seed = seed
        self._journeys: dict[int, Journey] = {}
        self._answered: set[int] = set()
        self._dead: set[str] = set()
        self._taken = {end for cable in model.cables for end in cable.ends}
        self._refuse_rings(dead)
        self._build()
        for name in sorted(dead):
            self.set_up(name, False)
        self._watch()

    # -- driving -------------------------------------------------------------------------------

    def send(self, place: str | PortName, packet: Packet) -> Journey:
        """Have a host, or the network beyond a port, send the packet, and follow it until it is somewhere or lost."""
        return self._awaited(self.begin(place, packet))

    def begin(self, place: str | PortName, packet: Packet, *, answered: bool = False) -> Journey:
        """The same, without waiting; ``answered`` at once where it arrives. KeyError for an end that there is not."""
        if answered:
            self._answered.add(len(self._journeys) + 1)
        return self._begin(place, packet, datagram_of(packet, len(self._journeys) + 1))

    def answer(self, journey: Journey) -> Journey:
        """Have whoever got the packet answer it, as a server would, and follow the answer. It has arrived."""
        return self._awaited(self.begin_answer(journey))

    def begin_answer(self, journey: Journey) -> Journey:
        """The same, without waiting."""
        assert journey.arrived is not None
        assert journey.heard is not None
        heard = journey.heard
        said = answer_to(heard.packet())
        datagram = datagram_of(said, len(self._journeys) + 1)
        datagram.acknowledgement = heard.sequence + 1 & 0xFFFFFFFF
        datagram.identifier, datagram.rest = heard.identifier, heard.rest
        place = journey.arrived if journey.arrived in self.outsides else journey.arrived.node
        return self._begin(place, said, datagram)

    def _begin(self, place: str | PortName, packet: Packet, datagram: Datagram) -> Journey:
        sender = self.outsides[place] if isinstance(place, PortName) else self.hosts[place]
        journey = self._journeys[datagram.number] = Journey(packet, datagram.number, len(self._journeys) + 1)
        if self.tracer is not None:
            self.tracer.follow(datagram.number)
        sender.send_raw(datagram)
        return journey

    def _awaited(self, journey: Journey) -> Journey:
        end = self.engine.now + _PATIENCE
        while self.engine.now < end and not journey.is_over:
            self.engine.run(min(self.engine.now + _STEP, end))
        return journey

    def run(self, duration: int) -> None:
        """Let time pass, in nanoseconds."""
        self.engine.run(self.engine.now + duration)

    # -- faults --------------------------------------------------------------------------------

    def set_up(self, name: str, is_up: bool) -> None:
        """A node or cable, or the line of a port without a cable (``node:port``), dies or is well again."""
        (self._dead.discard if is_up else self._dead.add)(name)
        if is_up:
            self._refuse_rings(self._dead)
        node = self.hosts.get(name) or self.routers.get(name) or self.switches.get(name)
        if node is not None:
            if is_up:
                node.start()
            else:
                node.shut()
        for cable in self.model.cables:
            if name == cable.name or any(end.node == name for end in cable.ends):
                gone = cable.name in self._dead or any(end.node in self._dead for end in cable.ends)
                self.links[cable.name].set_up(not gone)
        for port in self.outsides:
            if name in (str(port), port.node):
                self.links[str(port)].set_up(str(port) not in self._dead and port.node not in self._dead)

    def set_silent(self, name: str, is_silent: bool) -> None:
        """A cable, or the line of a port without one, passes nothing either way, and both its ends see a carrier.

        KeyError when there is no such cable.
        """
        link = self.links[name]
        link.set_up(not is_silent, backward=False)
        link.set_up(not is_silent, forward=False)

    def _refuse_rings(self, dead: Collection[str]) -> None:
        """UsageError where switches would hand a broadcast round for ever."""
        ring = ring_of(self.model, dead)
        if ring is not None:
            raise UsageError(f"{ring}, and the simulator's switches know no spanning tree: have one of the cables dead")

    # -- building ------------------------------------------------------------------------------

    def _build(self) -> None:
        for name in self.model.switches:
            self.switches[name] = Switch(self.engine, name)
        for host in self.model.hosts:
            self.hosts[host.name] = self._host(host)
        for router in self.model.routers:
            self.routers[router.name] = self._router(router)
        for cable in self.model.cables:
            wire = Wire(cable.rate, cable.delay)
            self._link(cable.name, (self._port(cable.ends[0]), self._port(cable.ends[1])), wire)
        for port, addresses in self.model.addresses().items():
            if port.node in self.routers and port not in self._taken:
                own = frozenset((one.family, one.address) for one in addresses)
                inner = self.routers[port.node].ports[port.port]
                beyond = Outside(self.engine, str(port), own, inner, self._heard)
                self.outsides[port] = beyond
                self._link(str(port), (inner, beyond.port), Wire())

    def _tracer(self, keeps: bool) -> Tracer | None:
        """None where nobody wants to know what packets meet."""
        watcher = recorder()
        if watcher is not None and watcher.follows_packets:
            policies = {router.name: router.policy for router in self.model.routers if router.policy is not None}
            return TellingTracer(self.engine, policies, watcher, keeps=keeps)
        return Tracer(self.engine) if keeps else None

    def _host(self, end: HostEnd) -> Correspondent:
        host = Correspondent(self.engine, end.name, self._seed, self._heard)
        host.add_interface(end.port, end.addresses)
        for family, gateway in end.gateways:
            host.set_gateway(family, gateway)
        return host

    def _router(self, end: RouterEnd) -> Router:
        known = {one.name for one in end.network.interfaces}
        cabled = [port.port for port in sorted(self._taken) if port.node == end.name]
        more = tuple(Interface(name) for name in cabled if name not in known)
        network = replace(end.network, interfaces=(*end.network.interfaces, *more))
        router = Gateway(self.engine, end.name, network, end.policy, seed=self._seed, clock=self.model.clock)
        router.taken = self._taken_by
        for interface in network.interfaces:
            if interface.addresses or interface.name in cabled:
                router.add_port(interface.name)
        if self.tracer is not None:
            router.trace(self.tracer)
        return router

    def _watch(self) -> None:
        """What probes the lines of balanced Linux routers."""
        from compiler.rehearsal.watcher import Watcher

        for end in self.model.routers:
            if end.watch is not None and end.name not in self._dead:
                Watcher(self.engine, self.routers[end.name], *end.watch)

    def _port(self, name: PortName) -> Port:
        if name.node in self.switches:
            return self.switches[name.node].add_port(name.port)
        if name.node in self.hosts:
            return self.hosts[name.node].interfaces[name.port].port
        return self.routers[name.node].ports[name.port]

    def _link(self, name: str, ends: tuple[Port, Port], wire: Wire) -> None:
        link = self.links[name] = Link(self.engine, name, ends, (wire, wire), self._seed)
        link.forward.tap(self._tap(name, ends[0], ends[1]))
        link.backward.tap(self._tap(name, ends[1], ends[0]))

    # -- following -----------------------------------------------------------------------------

    def _tap(self, cable: str, leaves: Port, enters: Port) -> Callable[[int, Frame], None]:
        ends = self._named(leaves), self._named(enters)

        def passed(_: int, frame: Frame) -> None:
            if isinstance(frame, Datagram):
                journey = self._journeys.get(frame.number)
                # A switch that does not know the way yet floods: only the copy that reaches its address counts.
                if journey is not None and (
                    enters.link_address == frame.link_destination or isinstance(enters.node, Switch)
                ):
                    journey.crossings.append(Crossing(cable, *ends, frame.source))

        return passed

    @staticmethod
    def _named(port: Port) -> PortName:
        if port.name == OUTSIDE:
            return PortName(port.node.name, OUTSIDE)
        return PortName(port.node.name, port.name)

    def _heard(self, name: str, port: Port, datagram: Datagram) -> bool:
        journey = self._journeys.get(datagram.number)
        if journey is None or journey.arrived is not None:
            return journey is not None
        end = next((one for one in self.outsides if str(one) == name), None)
        if end is None and (datagram.family, datagram.destination) not in self.hosts[name].sockets.addresses():
            journey.refused = True
            return True
        journey.arrived = end if end is not None else PortName(name, port.name)
        journey.heard = datagram.copy()
        if journey.serial in self._answered:
            self.engine.after(0, self._say, journey)
        return True

    def _taken_by(self, name: str, transit: Transit) -> bool:
        journey = self._journeys.get(transit.datagram.number)
        if journey is None or journey.arrived is not None:
            return False
        journey.taken = journey.taken or PortName(name, transit.ingress)
        return True

    def _say(self, journey: Journey) -> None:
        journey.answer = self.begin_answer(journey)
