"""The ends of a network under test: hosts, and what lies beyond ports without a cable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from compiler.fields import ICMP, ICMPV6, Family
from compiler.simulator.engine import Engine
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.hosts.host import Host
from compiler.simulator.neighbours import Neighbours
from compiler.simulator.node import Port, link_address
from compiler.simulator.router.device import Router
from compiler.simulator.router.transit import Transit

__all__ = ["OUTSIDE", "Correspondent", "Gateway", "Heard", "Outside"]

OUTSIDE = "outside"
"""The port of a network beyond."""

Heard = Callable[[str, Port, Datagram], bool]
"""Told of the node's name, its port and a datagram that has come to it; whether somebody takes it."""

_ECHO = {ICMP: (8, 0), ICMPV6: (128, 129)}


class Correspondent(Host):
    """A host. What somebody follows is taken from it before its own stack says anything to it."""

    __slots__ = ("_taken",)

    def __init__(self, engine: Engine, name: str, seed: str, taken: Heard) -> None:
        super().__init__(engine, name, seed)
        self._taken = taken

    def receive(self, port: Port, frame: Frame) -> None:
        """A frame has arrived."""
        own = frame.link_destination == port.link_address
        if own and isinstance(frame, Datagram) and self._taken(self.name, port, frame):
            return
        super().receive(port, frame)


class Gateway(Router):
    """A router. What somebody follows is taken from it where it is for the router itself."""

    taken: Callable[[str, Transit], bool] | None = None

    def hand_up(self, transit: Transit) -> None:
        """A datagram for its own stack."""
        if self.taken is None or not self.taken(self.name, transit):
            super().hand_up(transit)


class _Everybody(Iterable[tuple[Family, int]]):
    """All addresses but some: who lives beyond a port is not known, so that somebody answers for each."""

    def __init__(self, others: frozenset[tuple[Family, int]]) -> None:
        self._others = others

    def __contains__(self, one: object) -> bool:
        return one not in self._others

    def __iter__(self) -> Iterator[tuple[Family, int]]:
        return iter(())


class Outside:
    """The network beyond a port that nobody drew a cable to: it has every address, and answers echo requests."""

    def __init__(
        self, engine: Engine, name: str, own: frozenset[tuple[Family, int]], beyond: Port, taken: Heard
    ) -> None:
        self.name = name
        self.port = Port(self, OUTSIDE, link_address(name, OUTSIDE))
        self._beyond = beyond
        self._taken = taken
        everybody = _Everybody(own)
        self._neighbours = Neighbours(engine, self.port, lambda: everybody)

    def receive(self, port: Port, frame: Frame) -> None:
        """A frame has arrived."""
        if self._neighbours.receive(frame) or not isinstance(frame, Datagram):
            return
        if frame.link_destination != port.link_address or self._taken(self.name, port, frame):
            return
        request, reply = _ECHO.get(frame.protocol, (None, 0))
        if frame.icmp_type == request:
            said = frame.copy()
            said.source, said.destination, said.icmp_type, said.ttl = frame.destination, frame.source, reply, 64
            self.send_raw(said)

    def send_raw(self, datagram: Datagram) -> None:
        """Send a datagram to the router at the port."""
        datagram.link_destination = self._beyond.link_address
        self.port.send(datagram)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """Nobody minds."""
