"""Everything above IP of a node, host or router: TCP, UDP, ICMP, and the sockets for applications."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from compiler.fields import ICMP, ICMPV6, TCP, UDP, UDPLITE, Family
from compiler.simulator.engine import Engine
from compiler.simulator.fragments import fragment
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.echo import REPLY, REQUEST, Echoes
from compiler.simulator.hosts.headers import is_for_group, is_group
from compiler.simulator.hosts.icmp import failure, is_error, port_unreachable, protocol_unreachable
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.hosts.path_mtu import PathMtus
from compiler.simulator.hosts.tcp_ports import TcpPorts
from compiler.simulator.hosts.udp import UdpPorts
from compiler.simulator.sockets import (
    Cancel,
    EchoAnswer,
    Endpoint,
    Failure,
    FailureKind,
    Stream,
    StreamEvents,
    UdpReceiver,
    UdpSocket,
)

__all__ = ["Stack"]

_EPHEMERAL = range(32768, 61000)
"""Ports for those who name none (net.ipv4.ip_local_port_range)."""
_NO_NEXT_HEADER = 59
_LOOPBACK = {Family.IPV4: 0x7F000001, Family.IPV6: 1}


def _ethernet(_: Family, __: int) -> int:
    return 1500


class Stack:
    """The layer above IP of a node; it is the node's :class:`~compiler.simulator.sockets.Sockets`.

    ``output`` takes datagrams that the node itself sends, ``is_local`` knows
    the node's addresses, ``source_for`` gives the address to send from to a
    destination (None: no route), ``is_broadcast`` knows the IPv4 addresses of
    whole networks, ``mtu_for`` the MTU of the interface that it leaves by. What
    is addressed to the node itself never reaches ``output``.
    """

    __slots__ = (
        "_addresses",
        "_echoes",
        "_identification",
        "_is_local",
        "_mtu_for",
        "_next_port",
        "_output",
        "_path_mtu",
        "_tcp",
        "_udp",
        "engine",
        "is_broadcast",
        "name",
        "random",
        "source_for",
    )

    def __init__(  # noqa: PLR0913, PLR0917  # a node is all of that to its stack
        self,
        engine: Engine,
        name: str,
        seed: str,
        output: Callable[[Datagram], None],
        is_local: Callable[[Family, int], bool],
        source_for: Callable[[Family, int], int | None],
        addresses: Callable[[], tuple[tuple[Family, int], ...]],
        is_broadcast: Callable[[int], bool],
        mtu_for: Callable[[Family, int], int] = _ethernet,
        parameters: TcpParameters = TcpParameters(),  # noqa: B008  # frozen
    ) -> None:
        self.engine = engine
        self.name = name
        self.random = Random(f"{seed}/{name}")
        self.source_for = source_for
        self._output = output
        self._is_local = is_local
        self._addresses = addresses
        self.is_broadcast = is_broadcast
        self._mtu_for = mtu_for
        self._path_mtu = PathMtus(engine)
        self._next_port = self.random.choice(_EPHEMERAL)
        self._identification = self.random.getrandbits(16)
        self._tcp = TcpPorts(self, parameters)
        self._udp = UdpPorts(self)
        self._echoes = Echoes(self)

    # -- sockets -----------------------------------------------------------------

    def now(self) -> int:
        """Nanoseconds since the lab began."""
        return self.engine.now

    def after(self, delay: int, action: Callable[[], object]) -> Cancel:
        """Call ``action`` once, ``delay`` from now."""
        pending = [action]
        self.engine.after(delay, _call, pending)
        return pending.clear

    def connect(self, remote: Endpoint, events: StreamEvents, *, local_port: int = 0) -> Stream:
        """Open a TCP connection; a port of 0 is chosen.

        A port that is in use towards that remote fails with PORT_IN_USE, groups
        and broadcast addresses fail with NO_ROUTE. ValueError when it is no port.
        """
        if not 0 < remote.port < 65536 or not 0 <= local_port < 65536:
            raise ValueError(f"{remote.port} or {local_port} is no TCP port")
        remote = remote._replace(address=self.destination(*remote[:2]))
        return self._tcp.connect(remote, events, local_port)

    def listen(self, port: int, accept: Callable[[Stream], StreamEvents]) -> Cancel:
        """Serve a TCP port in both families. ValueError when it is taken."""
        return self._tcp.listen(port, accept)

    def udp(self, port: int, receiver: UdpReceiver) -> UdpSocket:
        """Bind a UDP port in both families; 0 is chosen. ValueError when it is taken."""
        return self._udp.bind(port, receiver)

    def echo(
        self,
        family: Family,
        destination: int,
        heard: Callable[[EchoAnswer], object],
        *,
        octets: int = 56,
        ttl: int = 64,
        identifier: int = 0,
        sequence: int = 1,
    ) -> Cancel:
        """Send one ICMP echo request; answers come until it is cancelled. An identifier of 0 is the node's own."""
        destination = self.destination(family, destination)
        return self._echoes.ask(family, destination, heard, octets, ttl, identifier, sequence)

    def addresses(self) -> tuple[tuple[Family, int], ...]:
        """The node's own addresses."""
        return self._addresses()

    # -- IP ----------------------------------------------------------------------

    def deliver(self, datagram: Datagram) -> None:
        """A whole datagram that is addressed to the node, or to a group that it hears."""
        protocol = datagram.protocol
        if protocol == TCP:
            self._tcp.deliver(datagram)
        elif protocol == UDP:
            self._udp.deliver(datagram)
        elif protocol == (ICMP if datagram.family is Family.IPV4 else ICMPV6):
            self._deliver_icmp(datagram)
        elif protocol == UDPLITE:
            self.complain(datagram, port_unreachable(datagram))
        elif protocol != _NO_NEXT_HEADER:
            self.complain(datagram, protocol_unreachable(datagram))

    def complain(self, about: Datagram, message: Datagram | None) -> None:
        """Send an ICMP error about a datagram, unless that was for more than this node (RFC 1122, 3.2.2)."""
        if message is not None and not self.is_for_all(about):
            self.send(message)

    def is_for_all(self, datagram: Datagram) -> bool:
        """Whether a delivered datagram was for others too: what is for no own address is for a group or a network."""
        return is_for_group(datagram) or not self._is_local(datagram.family, datagram.destination)

    def _deliver_icmp(self, datagram: Datagram) -> None:
        if is_error(datagram):
            if datagram.quoted is not None:
                self._heard_error(datagram, datagram.quoted)
        elif datagram.icmp_type == REQUEST[datagram.family]:
            self._echoes.answer(datagram)
        elif datagram.icmp_type == REPLY[datagram.family]:
            self._echoes.heard_reply(datagram)

    def _heard_error(self, datagram: Datagram, quoted: Datagram) -> None:
        if quoted.fragment_offset or not self._is_local(quoted.family, quoted.source):
            return
        device = self._mtu_for(quoted.family, quoted.destination)
        if self._path_mtu.heard(datagram, quoted, device) and quoted.protocol == TCP:
            self._tcp.path_changed(quoted)  # it sends again, smaller; nobody else does
            return
        told = failure(datagram)
        if told is None:
            return
        if quoted.protocol == TCP:
            self._tcp.heard_error(quoted, told)
        elif quoted.protocol == UDP:
            self._udp.heard_error(quoted, told)
        elif quoted.protocol in {ICMP, ICMPV6}:
            self._echoes.heard_error(quoted, told, datagram.source)

    def send(self, datagram: Datagram) -> None:
        """Send a datagram of the node's own; one to the node itself comes back at once."""
        if not datagram.dont_fragment:
            self._identification = datagram.identification = self._identification + 1 & 0xFFFF
        if self._is_local(datagram.family, datagram.destination):
            self.engine.after(0, self.deliver, datagram)
        elif self._path_mtu and not datagram.dont_fragment:
            # What is known of the path counts, not only the interface (ip_skb_dst_mtu); IPv6 routers cut nothing.
            for piece in fragment(datagram, self.path_mtu(datagram.family, datagram.destination)):
                self._output(piece)
        else:
            self._output(datagram)

    def transmitter(self, family: Family, destination: int) -> Callable[[Datagram], None]:
        """What sends to a destination as :meth:`send` does, found out once."""
        return self.send if self._is_local(family, destination) else self._output

    def device_mtu(self, family: Family, destination: int) -> int:
        """The MTU of the interface towards a destination, in octets of IP."""
        return self._mtu_for(family, destination)

    def path_mtu(self, family: Family, destination: int) -> int:
        """The largest datagram that is known to reach a destination."""
        mtu = self._mtu_for(family, destination)
        return self._path_mtu.known(family, destination, mtu) if self._path_mtu else mtu

    def may_be_cut(self, family: Family, destination: int) -> bool:
        """Whether datagrams to a destination leave without DF, because its path is narrower than is believed."""
        return bool(self._path_mtu) and self._path_mtu.is_locked(family, destination)

    def hindrance(self, family: Family, destination: int, source: int | None) -> Failure | None:
        """Why datagrams from a socket cannot leave: no route, or a broadcast without SO_BROADCAST (EACCES)."""
        is_broadcast = family is Family.IPV4 and self.is_broadcast(destination)
        if is_broadcast and (source is not None or not is_group(family, destination)):
            return Failure(FailureKind.PROHIBITED)
        return Failure(FailureKind.NO_ROUTE) if source is None else None

    def destination(self, family: Family, address: int) -> int:
        """Where a socket's datagrams for an address go: to the node itself for the unspecified one, as in Linux."""
        return address or _LOOPBACK[family]

    def ephemeral(self, is_free: Callable[[int], bool]) -> int:
        """The next port that is free, 0 when none is."""
        for _ in _EPHEMERAL:
            port = self._next_port
            self._next_port = port + 1 if port + 1 in _EPHEMERAL else _EPHEMERAL.start
            if is_free(port):
                return port
        return 0

    def reset(self) -> None:
        """Lose all connections and what was learnt, as a power failure does; bound and served ports stay."""
        self._tcp.reset()
        self._path_mtu.clear()


def _call(pending: list[Callable[[], object]]) -> None:
    if pending:
        pending.pop()()
