"""Follows the packets of one traffic through a simulated lab."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.addresses import format_address
from compiler.errors import UsageError
from compiler.policy.packet_text import format_packet
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.hosts.host import Host
from compiler.simulator.tracing import Tracer
from labs.building import SimulatedLab
from labs.requests import addresses_of
from labs.topology import Traffic

__all__ = ["follow"]


def follow(world: SimulatedLab, traffics: Sequence[str]) -> Tracer:
    """A tracer of all that the clients of these traffics send to their servers, and of what is sent back.

    UsageError when the lab has no such traffic.
    """
    known = {one.name: one for one in world.lab.traffic}
    for name in traffics:
        if name not in known:
            names = ", ".join(known) or "none"
            raise UsageError(f"{world.lab.source or world.lab.name}: no traffic {name!r}; there is {names}")
    tracer = Tracer(world.engine)
    for router in world.routers.values():
        router.trace(tracer)
    for one in traffics:
        following = _Following(world, known[one], tracer)
        for name, node in world.nodes.items():
            if isinstance(node, Host):
                following.listen(name, node)
    return tracer


class _Following:
    """Which datagrams belong to the traffic: what its client sends to its server, and what answers that."""

    def __init__(self, world: SimulatedLab, traffic: Traffic, tracer: Tracer) -> None:
        self._tracer = tracer
        self._traffic = traffic
        client, server = world.lab.node(traffic.client), world.lab.node(traffic.server)
        self._servers = {address for _, address in addresses_of(server)} if server is not None else set()
        self._clients = {address for _, address in addresses_of(client)} if client is not None else set()
        self._awaited: set[tuple[int, int, int, int]] = set()
        """Source, port, destination, port of the answers to what has arrived, translations and all."""

    def listen(self, name: str, host: Host) -> None:
        """Hear what the host sends and what reaches it."""

        def sent(_time: int, frame: Frame) -> None:
            if isinstance(frame, Datagram) and self._belongs(frame):
                self._tracer.follow(frame.number)
                self._tracer.note(name, frame.number, "send", format_packet(frame.packet()))

        def heard(_time: int, datagram: Datagram) -> None:
            if self._tracer.follows(datagram.number):
                ends = datagram.destination, datagram.destination_port, datagram.source, datagram.source_port
                self._awaited.add(ends)
                self._tracer.note(name, datagram.number, "arrive", format_packet(datagram.packet()))

        host.on_datagram(heard)
        for interface in host.interfaces.values():
            if interface.port.direction is not None:
                interface.port.direction.tap(sent)

    def _belongs(self, datagram: Datagram) -> bool:
        source, destination = datagram.source, datagram.destination
        if (source, datagram.source_port, destination, datagram.destination_port) in self._awaited:
            return True
        written = format_address(destination, datagram.family.width)
        named = destination in self._servers or written == self._traffic.server
        return source in self._clients and named and self._traffic.port in (0, datagram.destination_port)
