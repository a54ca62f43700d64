"""Hosts without a network between them: a double of ``Sockets`` on the event engine, a millisecond each way.

Streams are reliable and cut what is sent into pieces of ``piece`` octets, so
that line readers meet every way of cutting. ``disguise`` is what a translation
does to the client's end; ``refused`` and ``silent`` are ports that answer
with a reset, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from compiler.fields import Family
from compiler.simulator.engine import MILLISECOND, Engine
from compiler.simulator.sockets import (
    Cancel,
    EchoAnswer,
    Endpoint,
    Failure,
    FailureKind,
    Stream,
    StreamEvents,
    UdpReceiver,
)

Accept = Callable[[Stream], StreamEvents]


@dataclass(eq=False)
class Network:
    """All hosts by address."""

    engine: Engine = field(default_factory=Engine)
    hosts: dict[int, MemorySockets] = field(default_factory=dict)
    piece: int = 1448
    disguise: Callable[[Endpoint], Endpoint] = lambda endpoint: endpoint
    silent: frozenset[int] = frozenset()
    path: tuple[int, ...] = ()
    """The routers that a traceroute meets."""
    loses: Callable[[int], bool] = lambda number: False
    """Which datagrams are lost, by their number in order of sending."""
    datagrams: int = 0

    def host(self, *addresses: tuple[Family, int]) -> MemorySockets:
        made = MemorySockets(self, addresses)
        for _, address in addresses:
            self.hosts[address] = made
        return made


class MemorySockets:
    """One host."""

    def __init__(self, network: Network, addresses: tuple[tuple[Family, int], ...]) -> None:
        self.random = Random(str(addresses))
        self.network = network
        self.own = addresses
        self.listening: dict[int, Accept] = {}
        self.bound: dict[int, MemoryUdp] = {}
        self.ports = iter(range(40000, 65000))

    def now(self) -> int:
        return self.network.engine.now

    def after(self, delay: int, action: Callable[[], object]) -> Cancel:
        live = [True]
        self.network.engine.after(delay, lambda _: action() if live[0] else None)
        return lambda: live.__setitem__(0, False)

    def addresses(self) -> tuple[tuple[Family, int], ...]:
        return self.own

    def address(self, family: Family) -> int:
        return next(address for kind, address in self.own if kind is family)

    def connect(self, remote: Endpoint, events: StreamEvents, *, local_port: int = 0) -> MemoryStream:
        local = Endpoint(remote.family, self.address(remote.family), local_port or next(self.ports))
        stream = MemoryStream(self, local, remote, events)
        self.after(MILLISECOND, stream.arrive)
        return stream

    def listen(self, port: int, accept: Accept) -> Cancel:
        if port in self.listening:
            raise ValueError(f"port {port} is taken")
        self.listening[port] = accept
        return lambda: self.listening.pop(port, None)  # type: ignore[return-value]

    def udp(self, port: int, receiver: UdpReceiver) -> MemoryUdp:
        port = port or next(self.ports)
        if port in self.bound:
            raise ValueError(f"port {port} is taken")
        made = self.bound[port] = MemoryUdp(self, port, receiver)
        return made

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
        path = self.network.path
        if ttl <= len(path):
            if path[ttl - 1] == 0:
                return lambda: None
            answer = EchoAnswer(path[ttl - 1], Failure(FailureKind.TIME_EXCEEDED, path[ttl - 1], 11, 0))
        elif destination in self.network.hosts:
            answer = EchoAnswer(destination, None)
        else:
            return lambda: None
        return self.after(2 * MILLISECOND, lambda: heard(answer))


class MemoryStream:
    """One end of a connection."""

    def __init__(self, host: MemorySockets, local: Endpoint, remote: Endpoint, events: StreamEvents | None) -> None:
        self.host = host
        self.local = local
        self.remote = remote
        self.events = events
        self.peer: MemoryStream | None = None
        self.is_over = False
        self.has_finished = False
        self.peer_has_finished = False

    def arrive(self) -> None:
        """The SYN is at the server."""
        network = self.host.network
        server = network.hosts.get(self.remote.address)
        if self.is_over or server is None or self.remote.port in network.silent:
            return
        accept = server.listening.get(self.remote.port)
        if accept is None:
            self.host.after(MILLISECOND, lambda: self.fail(Failure(FailureKind.REFUSED)))
            return
        self.peer = MemoryStream(server, self.remote, network.disguise(self.local), None)
        self.peer.peer = self
        self.peer.events = accept(self.peer)
        self.host.after(MILLISECOND, lambda: None if self.is_over or not self.events else self.events.connected(self))
        self.peer.events.connected(self.peer)

    def send(self, data: bytes) -> None:
        size = self.host.network.piece
        for start in range(0, len(data), size):
            part = data[start : start + size]
            self.deliver(lambda peer, part=part: peer.events.received(peer, part, len(part)))  # type: ignore[misc]
        self.host.after(2 * MILLISECOND, self.drain)

    def send_zeros(self, octets: int) -> None:
        self.deliver(lambda peer: peer.events.received(peer, None, octets))
        self.host.after(2 * MILLISECOND, self.drain)

    def drain(self) -> None:
        if not self.is_over and self.events is not None:
            self.events.drained(self)

    def close(self) -> None:
        if not self.has_finished:
            self.has_finished = True
            self.deliver(MemoryStream.finish)
            self.perhaps_over()

    def finish(self) -> None:
        """The peer sends no more."""
        self.peer_has_finished = True
        assert self.events is not None
        self.events.finished(self)
        self.perhaps_over()

    def perhaps_over(self) -> None:
        if self.has_finished and self.peer_has_finished and not self.is_over:
            self.is_over = True
            assert self.events is not None
            self.events.closed(self)

    def abort(self) -> None:
        if not self.is_over:
            self.is_over = True
            self.deliver(lambda peer: peer.fail(Failure(FailureKind.RESET)), always=True)

    def fail(self, failure: Failure) -> None:
        if not self.is_over:
            self.is_over = True
            assert self.events is not None
            self.events.failed(self, failure)

    def deliver(self, what: Callable[[MemoryStream], object], *, always: bool = False) -> None:
        def arrive() -> None:
            if self.peer is not None and not self.peer.is_over and (always or self.peer.events is not None):
                what(self.peer)

        self.host.after(MILLISECOND, arrive)


class MemoryUdp:
    """A bound port."""

    def __init__(self, host: MemorySockets, port: int, receiver: UdpReceiver) -> None:
        self.host = host
        self.port = port
        self.receiver = receiver

    def send(self, remote: Endpoint, data: bytes | None, octets: int = 0) -> None:
        network = self.host.network
        network.datagrams += 1
        if network.loses(network.datagrams):
            return
        own = Endpoint(remote.family, self.host.address(remote.family), self.port)
        server = network.hosts.get(remote.address)

        def arrive() -> None:
            there = server.bound.get(remote.port) if server is not None else None
            if there is not None:
                there.receiver.received(there, own, data, len(data) if data is not None else octets)
            elif server is not None:
                failure = Failure(FailureKind.REFUSED, remote.address, 3, 3)
                self.host.after(MILLISECOND, lambda: self.receiver.failed(self, remote, failure))

        self.host.after(MILLISECOND, arrive)

    def close(self) -> None:
        self.host.bound.pop(self.port, None)
