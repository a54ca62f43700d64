"""A router: ports, neighbours, routes, its own stack, and the pipeline of its kind.

The order is Linux's (net/ipv4/ip_input.c, ip_forward.c, ip_output.c): arrive,
route, then deliver, or check TTL and MTU, pass and leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from compiler.fields import ICMPV6, UDP, UDPLITE, Family
from compiler.policy.access_list import Device
from compiler.policy.network import CheckGateway, InterfaceAddress, Network
from compiler.policy.packet import Path
from compiler.policy.ruleset import Ruleset
from compiler.policy.stateful import AddressKind
from compiler.simulator.engine import Engine
from compiler.simulator.fragments import Reassembler
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.hosts.headers import is_group
from compiler.simulator.hosts.stack import Stack
from compiler.simulator.neighbours import Neighbours
from compiler.simulator.node import Port, link_address
from compiler.simulator.router.checks import GatewayChecks
from compiler.simulator.router.cisco import CiscoPipeline
from compiler.simulator.router.complaints import Complaints
from compiler.simulator.router.finding import Finding
from compiler.simulator.router.journal import Journal
from compiler.simulator.router.leaving import ETHERNET, Leaving
from compiler.simulator.router.memory import Memory
from compiler.simulator.router.netfilter import Netfilter
from compiler.simulator.router.pipeline import ChainPipeline, Pipeline
from compiler.simulator.router.plain import PlainWays
from compiler.simulator.router.plausible import Plausibility
from compiler.simulator.router.routes import Routes
from compiler.simulator.router.transit import Transit
from compiler.simulator.router.ways import NO_ROUTE, Asked, Way
from compiler.simulator.tracing import Tracer
from compiler.source import Span

__all__ = ["Router"]

_LOOPBACK = "lo"
_ALL_NODES = 0xE0000001
_IGMP = 2


class Router:
    """A node that forwards. ``policy`` decides and translates, ``network`` says where to.

    ``static`` gives the link addresses of neighbours where ARP is declared
    absent. ``clock`` is the device's time at the start, minutes since 1970.
    A router that is configured anew while it runs is the ``successor_of`` what
    it was: connections, filled sets and what is known of gateways stay.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        network: Network,
        policy: Ruleset | Device | None = None,
        *,
        seed: str = "1",
        clock: int = 0,
        successor_of: Router | None = None,
    ) -> None:
        self.engine = engine
        self.name = name
        self.network = network
        self.ports: dict[str, Port] = {}
        self.journal = Journal(name)
        self._interfaces = {interface.name: interface for interface in network.interfaces}
        self._is_enabled = {interface.name: interface.enabled for interface in network.interfaces}
        self._mtu = {interface.name: interface.mtu for interface in network.interfaces}
        self._neighbours: dict[str, Neighbours] = {}
        self._leaving = Leaving(self._neighbours, self._mtu)
        self._reassembler = Reassembler(engine)
        self._plain = PlainWays()
        self._delivered: Transit | None = None
        """What the router's own stack is just hearing: its ICMP errors belong to that one's connection."""
        self._is_shut = False
        self.checks = GatewayChecks(engine, network, self._send_check, self._gateway_changed)
        self.routes = Routes(network, self._works, self._answers)
        self._plausibility = Plausibility(self.routes)
        no_mark: int | str = "" if network.dialect == "routeros" else 0
        self.memory = Memory(engine, self.routes, no_mark=no_mark, seed=f"{seed}/{name}", clock=clock)
        if successor_of is not None:
            self.memory.take_over(successor_of.memory)
            self.checks.take_over(successor_of.checks)
            self.journal.drops = successor_of.journal.drops
        self._finding = Finding(network, self.routes, self.memory)
        self._addresses: tuple[tuple[Family, int], ...] = tuple(
            (one.family, one.address) for interface in network.interfaces for one in interface.addresses
        )
        self.stack = Stack(
            engine,
            name,
            seed,
            self.originate,
            self.routes.is_local,
            self._source_for,
            lambda: self._addresses,
            self.routes.is_broadcast,
            self._mtu_for,
        )
        dialect = policy.dialect if isinstance(policy, Ruleset) else ""
        self.complaints = Complaints(engine, network, self.memory, dialect, self.originate, self._source_for)
        self.pipeline: Pipeline | None = self._pipeline(policy)
        self.checks.start(self.routes)

    def _pipeline(self, policy: Ruleset | Device | None) -> Pipeline | None:
        if isinstance(policy, Ruleset):
            netfilter = Netfilter(policy, self.network, self.memory, self)
            return ChainPipeline(netfilter, flushes_without_carrier=policy.dialect == "routeros")
        if isinstance(policy, Device) or self.network.dialect == "ios":
            return CiscoPipeline(policy, self.network, self.memory, self)
        return None

    # -- ports ----------------------------------------------------------------------------

    def add_port(self, name: str, static: Mapping[tuple[Family, int], int] | None = None) -> Port:
        """A port for the interface of that name."""
        port = Port(self, name, link_address(self.name, name))
        self.ports[name] = port
        own = [(one.family, one.address) for one in self._addresses_of(name)]
        neighbours = Neighbours(self.engine, port, lambda: own, static=static, router=True)
        neighbours.failed = self._neighbour_failed
        self._neighbours[name] = neighbours
        if self.pipeline is None:
            port.receive = self._plain.receiver(port)
        return port

    def _addresses_of(self, name: str) -> Iterable[InterfaceAddress]:
        interface = self._interfaces.get(name)
        return interface.addresses if interface else ()

    def mtu(self, interface: str) -> int:
        """The MTU of an interface, in octets of IP."""
        return self._leaving.mtu(interface)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """A cable was plugged or pulled."""
        self._changed()
        if not is_up:
            self._neighbours[port.name].flush()
            if self.pipeline is not None:
                self.pipeline.interface_gone(port.name, carrier_only=True)

    def shut(self) -> None:
        """Power off: nothing is sent or received, connections are forgotten."""
        self._is_shut = True
        for port in self.ports.values():
            port.is_shut = True
        for connection in self.memory.connections.all():
            self.memory.connections.remove(connection)
        self._changed()

    def start(self) -> None:
        """Power on again."""
        self._is_shut = False
        for port in self.ports.values():
            port.is_shut = False
        self._changed()

    def reroute(self, network: Network) -> None:
        """Have the routes, tables and routing rules of ``network`` from now on, as when a watcher changes them.

        Interfaces, rules of the firewall, their counters and connections stay.
        """
        self.network = replace(self.network, routes=network.routes, tables=network.tables, rules=network.rules)
        before = self.checks
        self.checks = GatewayChecks(self.engine, self.network, self._send_check, self._gateway_changed)
        self.checks.take_over(before)
        self.routes.learn(self.network)
        self._changed()
        self.checks.start(self.routes)

    def _answers(self, check: CheckGateway, interface: str, gateway: int) -> bool:
        return self.checks.answers(check, interface, gateway)

    def _works(self, name: str) -> bool:
        port, interface = self.ports.get(name), self._interfaces.get(name)
        if interface is not None and not interface.enabled:
            return False
        return port is not None and port.carrier

    def _changed(self) -> None:
        self._plain.clear()
        self.routes.changed()

    def _gateway_changed(self, interface: str, gateway: int, answers: bool) -> None:
        self._changed()

    # -- arrival -------------------------------------------------------------------------------

    def receive(self, port: Port, frame: Frame) -> None:
        """A frame came in at a port."""
        if (
            type(frame) is not Datagram
            or frame.link_destination != port.link_address
            or frame.protocol == ICMPV6
            or not port.carrier
            or not self._is_enabled.get(port.name, True)
        ):
            neighbours = self._neighbours[port.name]
            if neighbours.receive(frame) or not neighbours.accepts(frame) or not isinstance(frame, Datagram):
                return
            if not self._works(port.name):
                return
        transit = Transit(frame, port.name, Path.FORWARD)
        transit.mark = self.memory.no_mark
        if self.journal.tracer is not None:
            self.journal.noted(transit, "receive", f"on {port.name}")
        self._arrived(transit, to_group=bool(frame.link_destination >> 40 & 1))

    def _arrived(self, transit: Transit, *, to_group: bool = False) -> None:
        if self.pipeline is not None and not self.pipeline.arrives(transit):
            return
        datagram = transit.datagram
        if transit.ingress != _LOOPBACK and self._plausibility.refuses(datagram):
            self.journal.dropped(transit, "impossible source or destination")
            return
        way = transit.way
        if way is None:
            way = self.routes.found(datagram.family, datagram.destination) or self._finding.way(transit)
            transit.way = way
        if self.journal.tracer is not None:
            self.journal.noted(transit, "route", way.why)
        if way.kind in (AddressKind.LOCAL, AddressKind.BROADCAST):
            self._deliver(transit)
        elif is_group(datagram.family, datagram.destination):
            self._heard_by_group(transit)
        elif way.kind is AddressKind.UNICAST and not to_group:
            self._forward(transit, way)
        else:
            self._unroutable(transit, way)

    # -- for the router itself -------------------------------------------------------------------

    def _deliver(self, transit: Transit) -> None:
        """IPv4 is put together before the input hook (ip_local_deliver), IPv6 behind it."""
        transit.path = Path.INPUT
        if transit.datagram.family is Family.IPV4 and not self._is_whole(transit):
            return
        if self.pipeline is not None and not self.pipeline.delivers(transit):
            return
        if not self._is_whole(transit):
            return
        if self.journal.tracer is not None:
            self.journal.noted(transit, "deliver", "to the router itself")
        if self.checks.heard(transit.datagram, transit.ingress):
            return
        self.hand_up(transit)

    def hand_up(self, transit: Transit) -> None:
        """To its own stack."""
        self._delivered = transit
        self.stack.deliver(transit.datagram)
        self._delivered = None

    def _heard_by_group(self, transit: Transit) -> None:
        """Of IPv4's groups a router is in that of all nodes only (ip_check_mc_rcu); the rest ends at the route."""
        datagram = transit.datagram
        if datagram.family is Family.IPV4 and datagram.destination != _ALL_NODES and datagram.protocol != _IGMP:
            self.journal.dropped(transit, "not a member of the group")
            return
        self._deliver(transit)

    def _is_whole(self, transit: Transit) -> bool:
        if transit.datagram.is_fragment:
            whole = self._reassembler.add(transit.datagram)
            if whole is None:
                return False
            transit.datagram = whole
        return True

    # -- through the router ------------------------------------------------------------------------

    def _forward(self, transit: Transit, way: Way) -> None:
        datagram = transit.datagram
        if datagram.ttl <= 1:
            self.journal.dropped(transit, "TTL exceeded")
            self.complaints.complain(transit, (11, 0), (3, 0))
            return
        transit.egress = way.interface
        if datagram.size > self._mtu.get(way.interface, ETHERNET) and self._leaving.is_too_big(transit):
            self.journal.dropped(transit, "larger than the MTU")
            self.complaints.complain(transit, (3, 4), (2, 0), self.mtu(way.interface))
            return
        datagram.ttl -= 1
        if self.pipeline is None:
            self._remember(datagram, way)
        elif not self.pipeline.passes(transit) or not self.pipeline.leaves(transit):
            return
        self._leaving.transmit(transit, self.journal)

    def _remember(self, datagram: Datagram, way: Way) -> None:
        """Let the next datagram to this destination go the plain way, if nothing can tell the two apart."""
        neighbours = self._neighbours[way.interface]
        if self._is_shut or datagram.family is not Family.IPV4 or not neighbours.is_static:
            return
        if self.journal.tracer is not None or self.routes.has_multipath or self.network.rules:
            return
        link = neighbours.link(datagram.family, way.next_hop)
        if link is not None:
            self._plain.remember(datagram, self.mtu(way.interface), link, self.ports[way.interface])

    def _unroutable(self, transit: Transit, way: Way) -> None:
        self.journal.dropped(transit, "no route" if way is NO_ROUTE else f"route says {way.kind.value}")
        self.complaints.unroutable(transit, way)

    def _neighbour_failed(self, datagram: Datagram) -> None:
        self.journal.lost(datagram, "neighbour does not answer")
        self.complaints.unanswered(datagram)

    # -- from the router -------------------------------------------------------------------------------

    def originate(self, datagram: Datagram, way: Way | None = None, about: Transit | None = None) -> None:
        """Send a datagram of the router's own; ``way`` where it must not be routed.

        What is sent ``about`` another packet belongs to that one's connection (nf_ct_attach).
        """
        if self._is_shut:
            return
        transit = Transit(datagram, "", Path.OUTPUT)
        if datagram.quoted is not None:
            self.journal.answered(datagram.quoted, datagram)
        transit.mark = self.memory.no_mark
        if about is None and datagram.quoted is not None and datagram.quoted.protocol not in (UDP, UDPLITE):
            about = self._delivered  # UDP lets go of the connection before it complains (nf_reset_ct)
        if about is not None and about.connection is not None:
            transit.attach(about)
        transit.way = way if way is not None else self._finding.way(transit)
        if transit.way.kind not in (AddressKind.UNICAST, AddressKind.LOCAL, AddressKind.BROADCAST):
            self.journal.dropped(transit, "no route")
            return
        transit.egress = _LOOPBACK if transit.way.kind is AddressKind.LOCAL else transit.way.interface
        if self.pipeline is not None and not (self.pipeline.originates(transit) and self.pipeline.leaves(transit)):
            return
        if transit.way.kind is AddressKind.LOCAL:
            self.engine.after(0, self._looped, transit.datagram)
        else:
            self._leaving.transmit(transit, self.journal)

    def _looped(self, datagram: Datagram) -> None:
        transit = Transit(datagram, _LOOPBACK, Path.FORWARD)
        transit.mark = self.memory.no_mark
        self._arrived(transit)

    def _source_for(self, family: Family, destination: int) -> int | None:
        way = self._finding.unsent(family, destination)
        return way.source if way.kind in (AddressKind.UNICAST, AddressKind.LOCAL) else None

    def _mtu_for(self, family: Family, destination: int) -> int:
        way = self.routes.find(Asked(family, 0, destination))
        return self.mtu(way.interface)

    def _send_check(self, datagram: Datagram, interface: str, neighbour: int) -> None:
        """An echo request to a checked gateway, by the interface that it is checked on."""
        source = self.routes.address_towards(interface, datagram.family, neighbour)
        if source is not None and self._works(interface):
            datagram.source = source
            self.originate(datagram, Way(AddressKind.UNICAST, interface, neighbour, source, "gateway check"))

    def rule_counts(self) -> Iterator[tuple[Span, int]]:
        """The place of each rule, and how many packets have matched it."""
        if isinstance(self.pipeline, ChainPipeline):
            yield from self.pipeline.netfilter.chains.counts()
        elif isinstance(self.pipeline, CiscoPipeline):
            yield from self.pipeline.lists.counts()

    # -- what pipelines ask ---------------------------------------------------------------------------

    def rerouted(self, transit: Transit) -> bool:
        """Find the way of an output packet anew."""
        transit.way = self._finding.way(transit)
        if transit.way.kind not in (AddressKind.UNICAST, AddressKind.LOCAL):
            self.journal.dropped(transit, "no route")
            return False
        transit.egress = _LOOPBACK if transit.way.kind is AddressKind.LOCAL else transit.way.interface
        return True

    def reassembled(self, datagram: Datagram) -> Datagram | None:
        """The whole datagram once all its fragments are there."""
        return self._reassembler.add(datagram)

    def largest_fragment(self) -> int:
        """The size of the largest fragment of the datagram that was whole last."""
        return self._reassembler.largest

    def trace(self, tracer: Tracer) -> None:
        """Tell the tracer about each step of the datagrams that it follows, rule by rule."""
        self.journal.tracer = tracer
        self._plain.clear()
        if isinstance(self.pipeline, ChainPipeline):
            self.pipeline.netfilter.chains.notice = self.journal.met
