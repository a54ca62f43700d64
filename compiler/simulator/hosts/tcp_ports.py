"""TCP of a node: which connection a segment belongs to, who is served, and which ports are free."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from compiler.fields import Family
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.headers import ACK, FIN, RST, SYN, TCP_HEADER, is_group, payload
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.hosts.tcp import Connection
from compiler.simulator.hosts.time_wait import TimeWait, made_reply
from compiler.simulator.sockets import Cancel, Endpoint, Failure, FailureKind, Stream, StreamEvents

if TYPE_CHECKING:
    from compiler.simulator.hosts.stack import Stack

__all__ = ["Key", "TcpPorts"]

_BITS = 0xFFFFFFFF

Key = tuple[Family, int, int, int, int]
"""Family, local address and port, remote address and port."""

Accept = Callable[[Stream], StreamEvents]


class TcpPorts:
    """All connections of one node."""

    __slots__ = ("_listeners", "connections", "parameters", "stack")

    def __init__(self, stack: Stack, parameters: TcpParameters) -> None:
        self.stack = stack
        self.parameters = parameters
        self.connections: dict[Key, Connection | TimeWait] = {}
        self._listeners: dict[int, Accept] = {}

    # -- what applications ask for -----------------------------------------------

    def connect(self, remote: Endpoint, events: StreamEvents, local_port: int = 0) -> Connection:
        """Open a connection; whatever hinders it comes as an event."""
        stack = self.stack
        source = stack.source_for(remote.family, remote.address)
        if is_group(*remote[:2]) or (remote.family is Family.IPV4 and stack.is_broadcast(remote.address)):
            source = None  # nobody speaks TCP with many (tcp_v4_connect: ENETUNREACH)
        port = local_port
        if source is not None and not local_port:
            port = stack.ephemeral(lambda port: self._is_free((remote.family, source, port, *remote[1:])))
        connection = Connection(self, Endpoint(remote.family, source or 0, port), remote, events)
        former = self.connections.get(connection.key)
        if isinstance(former, TimeWait) and self.parameters.timestamps:
            # Who names the port need not wait: timestamps tell old segments from new ones (tcp_twsk_unique).
            connection.follow(former.sequence)
            former.lose()
            former = None
        if source is None:
            connection.fail_later(Failure(FailureKind.NO_ROUTE))
        elif not port or former is not None:
            connection.fail_later(Failure(FailureKind.PORT_IN_USE))
        else:
            self.connections[connection.key] = connection
            connection.open()
        return connection

    def listen(self, port: int, accept: Accept) -> Cancel:
        """Serve a port. ValueError when it is taken, or no port."""
        if not 0 < port < 65536:
            raise ValueError(f"{port} is no TCP port")
        if port in self._listeners:
            raise ValueError(f"{self.stack.name}: TCP port {port} is taken")
        self._listeners[port] = accept

        def cancel() -> None:
            if self._listeners.get(port) is accept:
                del self._listeners[port]

        return cancel

    def _is_free(self, key: Key) -> bool:
        return key not in self.connections and key[2] not in self._listeners

    # -- what connections ask for ------------------------------------------------

    def serve(self, connection: Connection) -> Accept | None:
        """What takes the connections of a port, None when nothing does any more."""
        return self._listeners.get(connection.local.port)

    def forget(self, connection: Connection) -> None:
        """The connection is no more."""
        if self.connections.get(connection.key) is connection:
            del self.connections[connection.key]

    def linger(self, connection: Connection, sequence: int, expected: int) -> None:
        """The connection is over; a while longer old segments are answered for it."""
        record = TimeWait(self, connection.key, sequence, expected, self.stack.transmitter(*connection.remote[:2]))
        self.connections[connection.key] = record
        record.start()

    def refuse(self, segment: Datagram) -> None:
        """Answer with a reset (RFC 9293, 3.10.7.1)."""
        if segment.tcp_flags & RST or self.stack.is_for_all(segment):
            return
        reset = made_reply(segment)
        if segment.tcp_flags & ACK:
            reset.tcp_flags = RST
            reset.sequence = segment.acknowledgement
        else:
            reset.tcp_flags = RST | ACK
            flags = segment.tcp_flags
            length = payload(segment, TCP_HEADER + len(segment.tcp_options)) + bool(flags & SYN) + bool(flags & FIN)
            reset.acknowledgement = segment.sequence + length & _BITS
        self.stack.send(reset)

    # -- what comes in -----------------------------------------------------------

    def deliver(self, segment: Datagram) -> None:
        """A segment for this node."""
        key = (segment.family, segment.destination, segment.destination_port, segment.source, segment.source_port)
        connection = self.connections.get(key)
        if connection is None:
            self._without_connection(segment, key)
        elif connection.receive(segment):
            self._without_connection(segment, key)  # a new connection in place of an old one

    def _without_connection(self, segment: Datagram, key: Key) -> None:
        flags = segment.tcp_flags
        if key[2] not in self._listeners or flags & (SYN | ACK | RST) != SYN:
            self.refuse(segment)
            return
        if self.stack.is_for_all(segment) or flags & FIN:
            return
        connection = Connection(self, Endpoint(*key[:3]), Endpoint(key[0], *key[3:]), None)
        self.connections[key] = connection
        connection.answer(segment)

    def heard_error(self, quoted: Datagram, failure: Failure) -> None:
        """An ICMP error about a segment of this node has come."""
        connection = self.connections.get(_quoted_key(quoted))
        if isinstance(connection, Connection):
            connection.heard_error(quoted, failure)

    def path_changed(self, quoted: Datagram) -> None:
        """The path to where the segment went takes less than was thought."""
        connection = self.connections.get(_quoted_key(quoted))
        if isinstance(connection, Connection):
            connection.path_changed()

    def reset(self) -> None:
        """Lose all connections without a word, as a power failure does; servers stay."""
        connections, self.connections = list(self.connections.values()), {}
        for connection in connections:
            connection.lose()


def _quoted_key(quoted: Datagram) -> Key:
    return (quoted.family, quoted.source, quoted.source_port, quoted.destination, quoted.destination_port)
