"""A hundred hosts, ten access routers, one core: each packet crosses four links."""

from __future__ import annotations

from random import Random

from compiler.fields import Family
from compiler.policy.network import Interface, InterfaceAddress, Network, NextHop, Prefix, Route
from compiler.simulator.engine import Engine
from compiler.simulator.forwarding.description import Attachment, Cable, Description, describe, label
from compiler.simulator.forwarding.network import ForwardingNetwork
from compiler.simulator.forwarding.values import Flow, Traffic
from compiler.simulator.frame import ETHERNET, Datagram, Frame
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import Port, link_address
from compiler.simulator.router.device import Router
from compiler.simulator.traffic.arrivals import ending, poisson
from compiler.simulator.traffic.distributions import fixed
from compiler.simulator.traffic.sender import Sender

GROUPS, HOSTS = 10, 10
IPV4 = Family.IPV4
ACCESS, TRUNK = Wire(100_000_000, 10_000, None), Wire(1_000_000_000, 100_000, None)
OCTETS = 1000
RATE = 5000
"""Packets a second from each host."""
SOURCE = 203 << 24 | 113 << 8 | 1


def host_address(host: int) -> int:
    """10.group.place.1, behind a router at .2."""
    return 10 << 24 | (host // HOSTS) << 16 | (host % HOSTS) << 8 | 1


def _network(name: str, interfaces: list[Interface], routes: list[Route]) -> Network:
    return Network("campus", "linux", name, interfaces=tuple(interfaces), routes=tuple(routes))


def description() -> Description:
    """Hosts on their access router, access routers on the core."""
    routers: dict[str, Network] = {}
    hosts: dict[str, Network] = {}
    cables: list[Cable] = []
    core_interfaces, core_routes = [], []
    default = Prefix(IPV4, 0, 0)
    for group in range(GROUPS):
        trunk = 172 << 24 | 16 << 16 | group << 8
        access = f"access{group}"
        interfaces = [Interface("up", (InterfaceAddress(IPV4, trunk | 2, 24),))]
        for place in range(HOSTS):
            number = group * HOSTS + place
            own, gateway = host_address(number), host_address(number) + 1
            interfaces.append(Interface(f"e{place}", (InterfaceAddress(IPV4, gateway, 24),)))
            hosts[f"host{number}"] = _network(
                f"host{number}",
                [Interface("e0", (InterfaceAddress(IPV4, own, 24),))],
                [Route(default, (NextHop(gateway),))],
            )
            ends = Attachment(f"host{number}", "e0"), Attachment(access, f"e{place}")
            cables.append(Cable(f"line{number}", ends, (ACCESS, ACCESS)))
        routers[access] = _network(access, interfaces, [Route(default, (NextHop(trunk | 1),))])
        core_interfaces.append(Interface(f"t{group}", (InterfaceAddress(IPV4, trunk | 1, 24),)))
        core_routes.append(Route(Prefix(IPV4, 10 << 24 | group << 16, 16), (NextHop(trunk | 2),)))
        ends = Attachment(access, "up"), Attachment("core", f"t{group}")
        cables.append(Cable(f"trunk{group}", ends, (TRUNK, TRUNK)))
    routers["core"] = _network("core", core_interfaces, core_routes)
    return Description(routers, hosts, frozenset(), tuple(cables))


def partner(host: int) -> int:
    """Whom a host sends to: one in the next group."""
    return (host + HOSTS) % (GROUPS * HOSTS)


class _Host:
    """Counts what arrives."""

    def __init__(self, campus: Campus, number: int) -> None:
        self.name = f"host{number}"
        self.campus = campus
        self.port = Port(self, "e0", link_address(self.name, "e0"))

    def receive(self, _port: Port, frame: Frame) -> None:
        self.campus.arrived += 1
        if self.campus.arrivals is not None:
            self.campus.arrivals.append((self.campus.engine.now, frame.sequence))  # type: ignore[attr-defined]

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """Of no interest."""


class Campus:
    """The campus in the event engine; traffic is made as late as possible."""

    def __init__(self, *, keep: bool = False) -> None:
        self.engine = Engine()
        self.arrived = 0
        self.most_events = 0
        self.sent: list[tuple[int, int]] = []
        """Moment and host of each packet, if kept."""
        self.arrivals: list[tuple[int, int]] | None = [] if keep else None
        described = description()
        self.hosts = [_Host(self, number) for number in range(GROUPS * HOSTS)]
        ports = {Attachment(host.name, "e0"): host.port for host in self.hosts}
        far = {one: other for cable in described.cables for one, other in (cable.ends, cable.ends[::-1])}
        addresses = {end: address for (_, address), end in described.owners.items()}
        for name, network in described.routers.items():
            router = Router(self.engine, name, network)
            for interface in network.interfaces:
                end = Attachment(name, interface.name)
                neighbour = far[end]
                static = {(IPV4, addresses[neighbour]): link_address(*neighbour)}
                ports[end] = router.add_port(interface.name, static)
        self.gateways = [link_address(*far[Attachment(host.name, "e0")]) for host in self.hosts]
        for cable in described.cables:
            Link(self.engine, cable.name, (ports[cable.ends[0]], ports[cable.ends[1]]), cable.wires, "1")

    def run(self, packets: int, seed: int = 1) -> None:
        """Every host sends its share by a Poisson process of its own."""
        for number in range(len(self.hosts)):
            arrivals = poisson(Random(f"{seed}/{number}"), RATE, fixed(number))
            share = packets // len(self.hosts)
            Sender(self.engine, ending(arrivals, count=share), self._send)
        self.engine.run()

    def _send(self, number: int) -> None:
        engine = self.engine
        self.most_events = max(self.most_events, len(engine.heap))
        datagram = Datagram(IPV4, SOURCE, host_address(partner(number)), 17, OCTETS - ETHERNET, 1000, 2000)
        datagram.link_destination = self.gateways[number]
        if self.arrivals is not None:
            datagram.sequence = len(self.sent)
            self.sent.append((engine.now, number))
        self.hosts[number].port.send(datagram)


def compiled() -> ForwardingNetwork:
    """The same for the compiled path."""
    return describe(description(), [(IPV4, host_address(number)) for number in range(GROUPS * HOSTS)])


def flows() -> list[Flow]:
    """One from each host."""
    return [Flow(f"host{number}", label(IPV4, host_address(partner(number)))) for number in range(GROUPS * HOSTS)]


def traffic(packets: int, seed: int = 1) -> Traffic:
    """So many packets, by one Poisson process, the host drawn for each."""
    import numpy as np

    random = np.random.default_rng(seed)
    moments = np.cumsum(random.exponential(1e9 / (RATE * GROUPS * HOSTS), packets)).astype(np.int64)
    return Traffic(moments, OCTETS - ETHERNET, flows(), random.integers(0, GROUPS * HOSTS, packets, np.int32))


def as_traffic(sent: list[tuple[int, int]]) -> Traffic:
    """The very packets that a campus has sent."""
    import numpy as np

    columns = np.array(sent, np.int64)
    return Traffic(columns[:, 0], OCTETS - ETHERNET, flows(), columns[:, 1])
