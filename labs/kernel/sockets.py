"""The ``Sockets`` of one node of a kernel lab."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from random import Random

from compiler.fields import Family
from compiler.simulator.sockets import Cancel, EchoAnswer, Endpoint, Stream, StreamEvents, UdpReceiver
from labs.kernel.datagrams import KernelUdp
from labs.kernel.echoes import Echoes
from labs.kernel.failures import endpoint
from labs.kernel.loop import READABLE, Loop
from labs.kernel.namespaces import Namespace
from labs.kernel.neighbours import FAMILIES
from labs.kernel.streams import KernelStream

__all__ = ["KernelSockets"]

_ANYWHERE = {Family.IPV4: "0.0.0.0", Family.IPV6: "::"}
_ICMP = {Family.IPV4: socket.IPPROTO_ICMP, Family.IPV6: socket.IPPROTO_ICMPV6}
_CONGESTION_CONTROL = b"cubic"
"""Linux's default, and the simulator's."""
_BACKLOG = 65535
_TRIES = 50


class KernelSockets:
    """A node's services on real sockets; one loop drives all nodes."""

    def __init__(
        self, loop: Loop, namespace: Namespace, addresses: tuple[tuple[Family, int], ...], random: Random
    ) -> None:
        self.random = random
        self._loop = loop
        self._namespace = namespace
        self._addresses = addresses
        self._echoes: dict[Family, Echoes] = {}
        self._has_ipv6 = any(family is Family.IPV6 for family, _ in addresses)

    def now(self) -> int:
        """Nanoseconds since the lab began."""
        return self._loop.now()

    def after(self, delay: int, action: Callable[[], object]) -> Cancel:
        """Call ``action`` once, ``delay`` from now."""
        return self._loop.after(delay, action)

    def addresses(self) -> tuple[tuple[Family, int], ...]:
        """The node's own addresses."""
        return self._addresses

    def connect(self, remote: Endpoint, events: StreamEvents, *, local_port: int = 0) -> Stream:
        """Open a TCP connection. ValueError when the local port is served; in use towards that remote it fails."""
        one = self._stream_socket(remote.family)
        if local_port:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bind(one, remote.family, local_port)
        stream = KernelStream(self._loop, one, remote.family, remote)
        stream.open(events)
        return stream

    def listen(self, port: int, accept: Callable[[Stream], StreamEvents]) -> Cancel:
        """Serve a TCP port in all families of the node. ValueError when it is taken."""
        listening: list[socket.socket] = []

        def stop() -> None:
            for one in listening:
                self._loop.drop(one)
            listening.clear()

        try:
            for family in self._families():
                one = self._stream_socket(family)
                listening.append(one)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                _bind(one, family, port)
                one.listen(_BACKLOG)
                self._serve(one, family, accept)
        except BaseException:
            stop()
            raise
        return stop

    def udp(self, port: int, receiver: UdpReceiver) -> KernelUdp:
        """Bind a UDP port in all families of the node. ValueError when it is taken."""
        for _ in range(_TRIES):
            sockets: dict[Family, socket.socket] = {}
            try:
                wanted = port
                for family in self._families():
                    one = sockets[family] = self._namespace.socket(FAMILIES[family], socket.SOCK_DGRAM)
                    if family is Family.IPV6:
                        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    _bind(one, family, wanted)
                    wanted = one.getsockname()[1]
                return KernelUdp(self._loop, sockets, receiver)
            except ValueError:
                for one in sockets.values():
                    one.close()
                if port:
                    raise
        raise ValueError("no UDP port is free in both families")

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
        """Send one ICMP echo request."""
        echoes = self._echoes.get(family)
        if echoes is None:
            raw = self._namespace.socket(FAMILIES[family], socket.SOCK_RAW, _ICMP[family])
            echoes = self._echoes[family] = Echoes(self._loop, family, raw)
        return echoes.send(destination, heard, octets=octets, ttl=ttl, identifier=identifier, sequence=sequence)

    def close(self) -> None:
        """Hear no more echoes; streams and ports end with the namespace."""
        for echoes in self._echoes.values():
            echoes.close()
        self._echoes.clear()

    def _families(self) -> tuple[Family, ...]:
        return (Family.IPV4, Family.IPV6) if self._has_ipv6 else (Family.IPV4,)

    def _stream_socket(self, family: Family) -> socket.socket:
        one = self._namespace.socket(FAMILIES[family], socket.SOCK_STREAM)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # By the socket, as a namespace takes only what its host allows to everybody; accepted ones inherit it.
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _CONGESTION_CONTROL)
        if family is Family.IPV6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        return one

    def _serve(self, listening: socket.socket, family: Family, accept: Callable[[Stream], StreamEvents]) -> None:
        def ready(_: int) -> None:
            while listening.fileno() >= 0:
                try:
                    one, address = listening.accept()
                except BlockingIOError:
                    return
                except OSError as error:
                    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
                        raise
                    continue  # the client was gone before it was accepted
                one.setblocking(False)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                stream = KernelStream(self._loop, one, family, endpoint(family, address))
                stream.accepted_by(accept)

        self._loop.watch(listening, READABLE, ready)


def _bind(one: socket.socket, family: Family, port: int) -> None:
    try:
        one.bind((_ANYWHERE[family], port))
    except OSError as error:
        one.close()
        if error.errno == errno.EADDRINUSE:
            raise ValueError(f"port {port} is taken") from error
        raise
