"""What the router under test does, seen at its own journal: which mark, which way, which address, and why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from compiler.fields import Family
from compiler.policy.network import Network
from compiler.rehearsal.flows import Flow
from compiler.rehearsal.scene import Scene
from compiler.simulator.engine import Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import Connection, Tuple
from compiler.simulator.router.journal import Journal
from compiler.simulator.router.transit import Transit
from compiler.simulator.tracing import Tracer
from compiler.source import NOWHERE, Span

__all__ = ["Observer"]


class Observer(Journal):
    """A journal that looks at every packet as it is sent or lost.

    ``flows`` are those of the workload by their first packet's tuple. It costs
    a little for each packet, so traces of rules are not made.
    """

    def __init__(self, engine: Engine, scene: Scene) -> None:
        super().__init__("router")
        self.tracer = Tracer(engine, most=0)  # without one nothing is noted; this one keeps nothing
        self.flows: dict[Tuple, Flow] = {}
        self.octets: Counter[str] = Counter()
        """Octets of IP that left by an uplink, or came from it, for connections of the workload."""
        self.astray: set[Tuple] = set()
        """Connections that left by a line with an address that the line does not own."""
        self.on_sent: Callable[[Transit], None] | None = None
        self._lines = {line.interface: line for line in scene.lines}
        self._own_gateways = _own_gateways(scene.network)
        self._sent: dict[int, tuple[Flow, str, int]] = {}
        """By datagram: whose it is, and the interface and neighbour that it was handed to."""

    def noted(self, transit: Transit, station: str, text: str, span: Span = NOWHERE) -> None:
        """Something happened to a packet: only where it leaves, and whether it was taken for the router's own."""
        if station == "send":
            self._leaves(transit)
        elif station == "deliver" and transit.connection is not None:
            flow = self.flows.get(transit.connection.original)
            if flow is not None and not transit.is_reply:
                _add(flow.reasons, "delivered to the router itself")

    def dropped(self, transit: Transit, reason: str, rule: object | None = None, span: Span = NOWHERE) -> None:
        """A packet ends inside."""
        place = getattr(rule, "span", span)
        self.drops[(reason, place)] += 1
        flow = None if transit.connection is None else self.flows.get(transit.connection.original)
        if flow is not None and not transit.is_related:  # an error about it is not it
            whose = "the answer: " if transit.is_reply else ""
            _add(flow.reasons, f"{whose}{_told(reason, transit, place)}")

    def lost(self, datagram: Datagram, reason: str, span: Span = NOWHERE) -> None:
        """A datagram ends on its way out: its neighbour does not answer."""
        self.drops[(reason, span)] += 1
        sent = self._sent.get(datagram.number)
        if sent is not None:
            flow, interface, neighbour = sent
            if neighbour in self._own_gateways:
                reason = "the gateway is the router's own address"
            elif reason == "neighbour does not answer":
                reason = "the gateway does not answer"
            _add(flow.reasons, f"{reason} ({interface})")

    def translated(self, transit: Transit, before: object, after: object) -> None:
        """Of no account: what leaves is looked at."""

    def _leaves(self, transit: Transit) -> None:
        datagram, connection = transit.datagram, transit.connection
        line = self._lines.get(transit.egress)
        flow = None if connection is None else self.flows.get(connection.original)
        if flow is None or connection is None or transit.is_related:
            if self.on_sent is not None:
                self.on_sent(transit)
            return
        if line is not None and not line.owns(datagram.source):
            self.astray.add(connection.original)
        if line is not None:
            self._outward(flow, transit, connection, owns=line.owns(datagram.source))
        elif transit.ingress in self._lines:
            self._count(flow, transit.ingress, datagram.size)
        if self.on_sent is not None:
            self.on_sent(transit)

    def _outward(self, flow: Flow, transit: Transit, connection: Connection, *, owns: bool) -> None:
        datagram, interface = transit.datagram, transit.egress
        _add(flow.marks, connection.mark)
        _add(flow.uplinks, interface)
        _add(flow.sources, datagram.source)
        flow.astray = flow.astray or not owns
        self._count(flow, interface, datagram.size)
        assert transit.way is not None
        self._sent[datagram.number] = flow, interface, transit.way.next_hop

    def _count(self, flow: Flow, interface: str, octets: int) -> None:
        self.octets[interface] += octets
        flow.octets[interface] = flow.octets.get(interface, 0) + octets


def _add(seen: list[Any], item: object) -> None:
    if item not in seen:
        seen.append(item)


def _told(reason: str, transit: Transit, place: Span) -> str:
    where = f" (line {place.line})" if place.line else ""
    if reason == "no route" and transit.routing_mark:
        return f"no route for the mark {transit.routing_mark}"
    return f"{reason}{where}"


def _own_gateways(network: Network) -> frozenset[int]:
    own = {one.address for port in network.interfaces for one in port.addresses if one.family is Family.IPV4}
    return frozenset(
        hop.address for route in network.routes for hop in route.next_hops if hop.address in own and hop.address
    )
