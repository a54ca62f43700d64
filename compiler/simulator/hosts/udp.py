"""UDP of a node (RFC 768)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.fields import UDP
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.headers import IP_HEADER, LARGEST_PAYLOAD, UDP_HEADER, payload
from compiler.simulator.hosts.icmp import SMALLEST_MTU, port_unreachable
from compiler.simulator.sockets import Endpoint, Failure, UdpReceiver

if TYPE_CHECKING:
    from compiler.simulator.hosts.stack import Stack

__all__ = ["Socket", "UdpPorts"]


class Socket:
    """A bound port."""

    __slots__ = ("_ports", "_stack", "is_open", "port", "receiver")

    def __init__(self, ports: UdpPorts, port: int, receiver: UdpReceiver) -> None:
        self._ports = ports
        self._stack = ports.stack
        self.port = port
        self.receiver = receiver
        self.is_open = True

    def send(self, remote: Endpoint, data: bytes | None, octets: int = 0) -> None:
        """Send one datagram; the receiver hears when it cannot leave. ValueError when it is too large, or closed."""
        family, address, port = remote
        if data is not None:
            octets = len(data)
        if not 0 <= octets <= LARGEST_PAYLOAD[family]:
            raise ValueError(f"a UDP datagram cannot carry {octets} octets")
        if not self.is_open:
            raise ValueError(f"UDP port {self.port} is closed")
        stack = self._stack
        address = stack.destination(family, address)
        source = stack.source_for(family, address)
        hindrance = stack.hindrance(family, address, source)
        if source is None or hindrance is not None:
            stack.engine.after(0, self._hindered, (remote, hindrance))
            return
        size = IP_HEADER[family] + UDP_HEADER + octets
        datagram = Datagram(family, source, address, UDP, size, self.port, port, 0, 0, 0, data)
        # As IP_PMTUDISC_WANT: what fits must not be cut on the way, larger ones are cut here.
        fits = size <= SMALLEST_MTU[family] or size <= stack.path_mtu(family, address)
        datagram.dont_fragment = fits and not stack.may_be_cut(family, address)
        stack.send(datagram)

    def _hindered(self, what: tuple[Endpoint, Failure]) -> None:
        if self.is_open:
            self.receiver.failed(self, *what)

    def close(self) -> None:
        """Free the port."""
        self.is_open = False
        self._ports.release(self)


class UdpPorts:
    """All bound ports of one node."""

    __slots__ = ("_sockets", "stack")

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._sockets: dict[int, Socket] = {}

    def bind(self, port: int, receiver: UdpReceiver) -> Socket:
        """Take a port, any for 0. ValueError when it is taken, or all are."""
        if not 0 <= port < 65536:
            raise ValueError(f"{port} is no UDP port")
        if not port:
            port = self.stack.ephemeral(lambda port: port not in self._sockets)
        if not port or port in self._sockets:
            raise ValueError(f"{self.stack.name}: UDP port {port} is taken")
        made = self._sockets[port] = Socket(self, port, receiver)
        return made

    def release(self, socket: Socket) -> None:
        """The port is free again."""
        if self._sockets.get(socket.port) is socket:
            del self._sockets[socket.port]

    def deliver(self, datagram: Datagram) -> None:
        """A datagram for this node; nobody at the port is answered with port-unreachable."""
        socket = self._sockets.get(datagram.destination_port)
        if socket is None:
            self.stack.complain(datagram, port_unreachable(datagram))
            return
        remote = Endpoint(datagram.family, datagram.source, datagram.source_port)
        data = datagram.data
        octets = payload(datagram, UDP_HEADER)
        if data is not None and len(data) != octets:
            data = data[:octets].ljust(octets, b"\0")
        socket.receiver.received(socket, remote, data, octets)

    def heard_error(self, quoted: Datagram, failure: Failure) -> None:
        """An ICMP error about a datagram of this node has come; every one is told, as IP_RECVERR does."""
        socket = self._sockets.get(quoted.source_port)
        if socket is not None:
            remote = Endpoint(quoted.family, quoted.destination, quoted.destination_port)
            socket.receiver.failed(socket, remote, failure)
