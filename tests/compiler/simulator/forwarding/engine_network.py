"""The witness: the same description made of the event engine's own parts, and the same traffic sent through it."""

from heapq import heappush
from types import SimpleNamespace
from typing import NamedTuple

from compiler.fields import Family
from compiler.simulator.engine import Engine
from compiler.simulator.forwarding.values import LinkCounts, Outcome
from compiler.simulator.frame import Datagram
from compiler.simulator.link import Link
from compiler.simulator.node import Port, link_address
from compiler.simulator.router.device import Router
from compiler.simulator.router.routes import Asked, Routes
from compiler.simulator.switch import Switch

IPV4 = Family.IPV4
ICMP, TIME_EXCEEDED = 1, 11
"""Packets are ICMP errors: no router answers those with another one (RFC 1122, 3.2.2)."""
_REASONS = {"queue full": Outcome.QUEUE_FULL, "lost on the link": Outcome.LOST_ON_THE_LINK}


class Ended(NamedTuple):
    """As the rows of Arrivals."""

    moment: int
    outcome: Outcome
    drop_link: str
    hops: int


class EndHost:
    """Sends by its routes; counts what is for it, and drops what is not."""

    def __init__(self, witness, name, network, links):
        self.name = name
        self.witness = witness
        self.network = network
        self.links = links
        self.ports = {}
        self.routes = Routes(network, lambda name: name in self.ports)
        self.addresses = {one.address for interface in network.interfaces for one in interface.addresses}

    def add_port(self, name):
        self.ports[name] = Port(self, name, link_address(self.name, name))
        return self.ports[name]

    def carrier_changed(self, port, is_up):
        pass

    def originate(self, datagram):
        way = self.routes.find(Asked(IPV4, 0, datagram.destination))
        if datagram.destination in self.addresses:
            self.witness.end(datagram, Outcome.DELIVERED)
            return
        link = self.links(self.name, way.interface).get((IPV4, way.next_hop))
        if way.interface == "" or link is None:
            self.witness.end(datagram, Outcome.NO_ROUTE)
            return
        datagram.link_destination = link
        self.ports[way.interface].send(datagram)

    def receive(self, port, datagram):
        if datagram.link_destination == port.link_address:
            mine = datagram.destination in self.addresses
            self.witness.end(datagram, Outcome.DELIVERED if mine else Outcome.NO_ROUTE)


class Witness:
    """A network of engine, links, routers, switches and end hosts."""

    def __init__(self, description):
        self.engine = Engine()
        self.description = description
        self.ended = {}
        self.order = []
        self.came_by = {}
        self.hops = {}
        self.directions = {}
        self.nodes = {}
        ports = {}
        for name, network in description.routers.items():
            self.nodes[name] = self._router(name, network)
        for name, network in description.hosts.items():
            self.nodes[name] = EndHost(self, name, network, self._neighbours)
        for name in description.switches:
            self.nodes[name] = Switch(self.engine, name, ageing_time=1 << 62)
        for cable in description.cables:
            for end in cable.ends:
                node = self.nodes[end.node]
                static = (self._neighbours(*end),) if isinstance(node, Router) else ()
                ports[end] = node.add_port(end.interface, *static)
                self._count_hops(ports[end])
        for cable in description.cables:
            ends = ports[cable.ends[0]], ports[cable.ends[1]]
            link = Link(self.engine, cable.name, ends, cable.wires, description.seed)
            for way, direction in (("forward", link.forward), ("backward", link.backward)):
                name = f"{cable.name}/{way}"
                self.directions[name] = direction
                direction.on_drop = lambda frame, reason, name=name: self.end(frame, _REASONS[reason], name)
                self._note_way(direction, name)
        self._teach_switches(ports)

    def _router(self, name, network):
        router = Router(self.engine, name, network)

        def count(datagram, reason, _span=None):
            self.end(datagram, Outcome.TTL_EXCEEDED if "TTL" in reason else Outcome.NO_ROUTE)

        router.journal.lost = count
        router.stack = SimpleNamespace(deliver=lambda datagram: self.end(datagram, Outcome.DELIVERED))
        return router

    def _count_hops(self, port):
        receive = port.receive

        def counted(frame):
            if frame.link_destination == port.link_address or isinstance(port.node, Switch):
                self.hops[frame.identification, frame.sequence] += 1
            receive(frame)

        port.receive = counted

    def _note_way(self, direction, name):
        arrive = direction._arrive

        def noted(frame):
            self.came_by[frame.identification, frame.sequence] = name
            arrive(frame)

        direction._arrive = noted
        direction._choose()

    def _segment(self, node, interface):
        """All ends that share a segment with this one: by fixed point, not by the way that is tested."""
        seen = {(node, interface)}
        while True:
            more = set(seen)
            for cable in self.description.cables:
                if any(tuple(end) in seen for end in cable.ends):
                    more |= {tuple(end) for end in cable.ends}
            bridged = {end[0] for end in more if end[0] in self.description.switches}
            more |= {tuple(end) for one in self.description.cables for end in one.ends if end.node in bridged}
            if more == seen:
                return seen
            seen = more

    def _neighbours(self, node, interface):
        there = self._segment(node, interface) - {(node, interface)}
        return {who: link_address(*end) for who, end in self.description.owners.items() if tuple(end) in there}

    def _teach_switches(self, ports):
        """Let each switch see one frame from each end of its segment, then empty the links."""
        for (node, interface), port in ports.items():
            if not isinstance(port.node, Switch):
                self._teach(link_address(node, interface), node, interface, set())

    def _teach(self, address, node, interface, seen):
        for cable in self.description.cables:
            for here, there in (cable.ends, cable.ends[::-1]):
                if tuple(here) == (node, interface) and there.node in self.description.switches:
                    switch = self.nodes[there.node]
                    if there.node in seen:
                        continue
                    switch._learn(address, switch.ports[there.interface])
                    for name in switch.ports:
                        if name != there.interface:
                            self._teach(address, there.node, name, seen | {there.node})

    def end(self, datagram, outcome, link=None):
        number = datagram.identification, datagram.sequence
        if outcome is Outcome.DELIVERED:
            link = ""
        elif link is None:
            link = self.came_by.get(number, "")
        self.ended[number] = Ended(self.engine.now, outcome, link, self.hops[number])
        self.order.append(number)

    def run(self, packets):
        """Packets are (moment, octets, node, destination, ttl). Sends go before all else of their moment."""
        heap = self.engine.heap
        for number in range(len(packets)):
            self.hops[0, number] = 0

        def send(number):
            _, octets, node, destination, ttl = packets[number]
            datagram = Datagram(IPV4, 203 << 24 | 1, destination, ICMP, octets, icmp_type=TIME_EXCEEDED, ttl=ttl)
            datagram.sequence = number
            if number + 1 < len(packets):
                heappush(heap, (packets[number + 1][0], -1, send, number + 1))
            self.nodes[node].originate(datagram)

        if packets:
            heappush(heap, (packets[0][0], -1, send, 0))
        self.engine.run()
        return [self.ended[0, number] for number in range(len(packets))]

    def counts(self):
        return {
            name: LinkCounts(one.frames, one.octets, one.drops_queue, one.drops_loss)
            for name, one in self.directions.items()
        }
