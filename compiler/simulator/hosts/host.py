"""An end system: ports with addresses, a gateway, and everything above."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compiler.fields import ICMPV6, Family
from compiler.policy.network import InterfaceAddress
from compiler.simulator.engine import Engine
from compiler.simulator.fragments import Reassembler, fragment
from compiler.simulator.frame import GROUP, Datagram, Frame
from compiler.simulator.hosts.headers import is_group
from compiler.simulator.hosts.icmp import (
    FRAGMENTATION_NEEDED,
    PACKET_TOO_BIG,
    TIME_EXCEEDED,
    TIME_EXCEEDED_V6,
    UNREACHABLE,
    address_unreachable,
    error,
)
from compiler.simulator.hosts.interface import Interface
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.hosts.routes import HostRoutes
from compiler.simulator.hosts.stack import Stack
from compiler.simulator.neighbours import Neighbours
from compiler.simulator.node import Port, link_address

__all__ = ["Heard", "Host"]

Heard = Callable[[int, Datagram], object]
"""Called with the moment and a datagram that reached the host; copy what you keep."""


class Host:
    """A host or server. ``sockets`` is for its applications.

    It takes datagrams for any of its addresses at any of its ports (Linux's
    weak host model, RFC 1122 3.3.4.2) and forwards nothing.
    """

    __slots__ = ("_engine", "_heard", "_reassembler", "_routes", "drops", "interfaces", "is_shut", "name", "sockets")

    def __init__(
        self,
        engine: Engine,
        name: str,
        seed: str,
        parameters: TcpParameters = TcpParameters(),  # noqa: B008  # frozen
    ) -> None:
        self._engine = engine
        self.name = name
        self.interfaces: dict[str, Interface] = {}
        self._routes = HostRoutes()
        self._reassembler = Reassembler(engine, timed_out=self._incomplete)
        self._heard: tuple[Heard, ...] = ()
        self.drops: dict[str, int] = {}
        """Datagrams that went no further here, by reason."""
        self.is_shut = False
        self.sockets = Stack(
            engine,
            name,
            seed,
            self.send_raw,
            self._is_local,
            self._source_for,
            self._addresses,
            self._routes.is_broadcast,
            self._mtu_for,
            parameters,
        )

    # -- what it is made of ------------------------------------------------------

    def add_interface(
        self,
        name: str,
        addresses: tuple[InterfaceAddress, ...] = (),
        *,
        mtu: int = 1500,
        link: int | None = None,
        neighbours: Mapping[tuple[Family, int], int] | None = None,
    ) -> Port:
        """One more port. With ``neighbours`` there is no ARP and no discovery on it. ValueError for a name twice."""
        if name in self.interfaces:
            raise ValueError(f"{self.name} has an interface {name} already")
        port = Port(self, name, link_address(self.name, name) if link is None else link)
        interface = Interface(port, addresses, mtu)
        interface.neighbours = Neighbours(
            self._engine, port, lambda: interface.own, static=neighbours, failed=self._neighbour_failed
        )
        self.interfaces[name] = interface
        self._routes.set_interfaces(self.interfaces.values())
        return port

    def set_addresses(self, name: str, addresses: tuple[InterfaceAddress, ...]) -> None:
        """Other addresses at a port. KeyError when there is no such port."""
        interface = self.interfaces[name]
        interface.addresses = addresses
        interface.own = frozenset((one.family, one.address) for one in addresses)
        self._routes.set_interfaces(self.interfaces.values())

    def set_gateway(self, family: Family, address: int | None) -> None:
        """The default gateway of a family, or none."""
        self._routes.set_gateway(family, address)

    def on_datagram(self, heard: Heard) -> None:
        """Have all datagrams seen that reach the host, before anything answers them."""
        self._heard += (heard,)

    # -- sending -----------------------------------------------------------------

    def send_raw(self, datagram: Datagram) -> None:
        """Send a datagram as it is, whoever it says it is from; the host takes it for its own.

        One that its interface cannot take is cut, or, where that is forbidden,
        answered to the host itself as a router would answer it.
        """
        way = self._routes.way(datagram.family, datagram.destination)
        if way is None:
            self._drop("no route")
            return
        interface = way.interface
        if datagram.size <= interface.mtu:
            interface.neighbours.send(datagram, way.next_hop)
        else:
            self._send_large(datagram, interface, way.next_hop)

    def _send_large(self, datagram: Datagram, interface: Interface, next_hop: int) -> None:
        if datagram.dont_fragment:
            kind = (UNREACHABLE, FRAGMENTATION_NEEDED) if datagram.family is Family.IPV4 else (PACKET_TOO_BIG, 0)
            self._drop("too big")
            self._tell_self(error(datagram, datagram.source, *kind, interface.mtu))
            return
        try:
            pieces = fragment(datagram, interface.mtu)
        except ValueError:
            self._drop("too big")
            return
        for piece in pieces:
            interface.neighbours.send(piece, next_hop)

    def _neighbour_failed(self, datagram: Datagram) -> None:
        self._drop("no neighbour")
        self._tell_self(address_unreachable(datagram, datagram.source))

    def _tell_self(self, message: Datagram | None) -> None:
        if message is not None and self._is_local(message.family, message.destination):
            self._engine.after(0, self.sockets.deliver, message)

    # -- receiving ---------------------------------------------------------------

    def receive(self, port: Port, frame: Frame) -> None:
        """A frame has arrived."""
        if frame.link_destination != port.link_address and not frame.link_destination & GROUP:
            self._drop("another's frame")
            return
        if isinstance(frame, Datagram) and (frame.protocol != ICMPV6 or not self._discovers(port, frame)):
            self._deliver(frame)
        elif not isinstance(frame, Datagram):
            self._discovers(port, frame)

    def _discovers(self, port: Port, frame: Frame) -> bool:
        """Whether it was about neighbours, and is done with."""
        return self.interfaces[port.name].neighbours.receive(frame)

    def _deliver(self, datagram: Datagram) -> None:
        family, destination = datagram.family, datagram.destination
        key = destination if family is Family.IPV4 else ~destination
        if key not in self._routes.keys and not self._is_for_all(family, destination):
            self._drop("not for this host")
            return
        if datagram.more_fragments or datagram.fragment_offset:
            whole = self._reassembler.add(datagram)
            if whole is None:
                return
            datagram = whole
        for heard in self._heard:
            heard(self._engine.now, datagram)
        self.sockets.deliver(datagram)

    def _is_for_all(self, family: Family, destination: int) -> bool:
        return is_group(family, destination) or (family is Family.IPV4 and self._routes.is_broadcast(destination))

    def _incomplete(self, first: Datagram | None) -> None:
        """Fragments have waited too long for others: tell the sender, if the first one came (RFC 1122, 3.3.2)."""
        self._drop("reassembly timed out")
        if first is not None and self._is_local(first.family, first.destination):
            kind = TIME_EXCEEDED if first.family is Family.IPV4 else TIME_EXCEEDED_V6
            message = error(first, first.destination, kind, 1)
            if message is not None:
                self.sockets.send(message)

    # -- ups and downs -----------------------------------------------------------

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """The link has come up or gone down. Routes stay, as in Linux; neighbours are forgotten."""
        neighbours = self.interfaces[port.name].neighbours
        if is_up:
            neighbours.announce()
        else:
            neighbours.flush()

    def shut(self, *, forget: bool = False) -> None:
        """All ports down: nothing goes in or out, while time runs on (connections may outlive it).

        With ``forget`` the power is gone: connections are lost, and peers that
        go on hear resets once it has started again.
        """
        self.is_shut = True
        for interface in self.interfaces.values():
            interface.port.is_shut = True
            interface.neighbours.flush()
        if forget:
            self.sockets.reset()

    def start(self) -> None:
        """All ports up again."""
        self.is_shut = False
        for interface in self.interfaces.values():
            interface.port.is_shut = False
            if interface.port.carrier:
                interface.neighbours.announce()

    # -- what the stack asks for -------------------------------------------------

    def _is_local(self, family: Family, address: int) -> bool:
        routes = self._routes
        return (address if family is Family.IPV4 else ~address) in routes.keys or _is_loopback(family, address)

    def _source_for(self, family: Family, destination: int) -> int | None:
        if self._is_local(family, destination):
            return destination
        if family is Family.IPV4 and is_group(family, destination) and not self._routes.has_gateway(family):
            return None  # IPv4 groups have no route of their own; who sends raw names his interface by its address
        way = self._routes.way(family, destination)
        return None if way is None else way.source

    def _mtu_for(self, family: Family, destination: int) -> int:
        if self._is_local(family, destination):
            return 65_535
        way = self._routes.way(family, destination)
        return 1500 if way is None else way.interface.mtu

    def _addresses(self) -> tuple[tuple[Family, int], ...]:
        return tuple((one.family, one.address) for interface in self.interfaces.values() for one in interface.addresses)

    def _drop(self, reason: str) -> None:
        self.drops[reason] = self.drops.get(reason, 0) + 1


def _is_loopback(family: Family, address: int) -> bool:
    return address >> 24 == 127 if family is Family.IPV4 else address == 1
