"""What an application may ask of the host that it runs on.

Applications are written against this and against nothing else, so the same
code runs on the simulator's hosts and, in a lab's kernel world, on real
sockets. Everything is called back; nothing blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from random import Random
from typing import NamedTuple, Protocol

from compiler.fields import Family

__all__ = [
    "Cancel",
    "EchoAnswer",
    "Endpoint",
    "Failure",
    "FailureKind",
    "Sockets",
    "Stream",
    "StreamEvents",
    "UdpReceiver",
    "UdpSocket",
]

Cancel = Callable[[], None]
"""Calls off what was asked for; harmless when it has happened."""


class Endpoint(NamedTuple):
    """An address and a port."""

    family: Family
    address: int
    port: int


class FailureKind(Enum):
    """Why a connection, a datagram or an echo did not get through."""

    REFUSED = "refused"
    """A reset answered the SYN, or port-unreachable the datagram."""
    RESET = "reset"
    TIMED_OUT = "timed out"
    NO_ROUTE = "no route"
    """The host itself has no way there (ENETUNREACH)."""
    PORT_IN_USE = "port in use"
    """The local port is taken towards that remote, or no port is free (EADDRNOTAVAIL)."""
    UNREACHABLE = "unreachable"
    """An ICMP error came back: destination unreachable of another kind."""
    PROHIBITED = "prohibited"
    """ICMP: communication administratively prohibited (3/9, 3/10, 3/13; ICMPv6 1/1).

    Or the host itself does not let an echo go to a broadcast address (EACCES).
    """
    TIME_EXCEEDED = "time exceeded"
    CLOSED = "closed"
    """The other side closed before the application was done."""


class Failure(NamedTuple):
    """A failure, and for ICMP errors who sent it and its type and code."""

    kind: FailureKind
    reporter: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None


class Stream(Protocol):
    """A TCP connection."""

    @property
    def local(self) -> Endpoint:
        """This end."""
        ...

    @property
    def remote(self) -> Endpoint:
        """The other end."""
        ...

    def send(self, data: bytes) -> None:
        """Queue octets."""
        ...

    def send_zeros(self, octets: int) -> None:
        """Queue so many octets that nobody will look at."""
        ...

    def close(self) -> None:
        """Send what is queued, then no more (FIN)."""
        ...

    def abort(self) -> None:
        """Reset the connection. No event follows."""
        ...


class StreamEvents(Protocol):
    """What an application hears of one stream, in this order: connected, received …, closed or failed (one of them)."""

    def connected(self, stream: Stream) -> None:
        """The handshake is done."""
        ...

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """So many octets came in order; ``data`` is None where they are zeros that were never made."""
        ...

    def drained(self, stream: Stream) -> None:
        """All that was queued has been acknowledged (kernel: accepted by the socket)."""
        ...

    def finished(self, stream: Stream) -> None:
        """The other side will send no more; this side still may."""
        ...

    def closed(self, stream: Stream) -> None:
        """Both sides are done."""
        ...

    def failed(self, stream: Stream, failure: Failure) -> None:
        """It did not come about, or broke."""
        ...


class UdpSocket(Protocol):
    """A bound UDP port."""

    @property
    def port(self) -> int:
        """The local port."""
        ...

    def send(self, remote: Endpoint, data: bytes | None, octets: int = 0) -> None:
        """Send one datagram: ``data``, or ``octets`` zeros when that is None."""
        ...

    def close(self) -> None:
        """Free the port."""
        ...


class UdpReceiver(Protocol):
    """What an application hears of one UDP port."""

    def received(self, socket: UdpSocket, remote: Endpoint, data: bytes | None, octets: int) -> None:
        """A datagram came."""
        ...

    def failed(self, socket: UdpSocket, remote: Endpoint, failure: Failure) -> None:
        """An ICMP error about a datagram to ``remote`` came."""
        ...


class EchoAnswer(NamedTuple):
    """What came back for an echo request or a traceroute probe."""

    responder: int
    failure: Failure | None
    """None for an echo reply."""


class Sockets(Protocol):
    """A host's services. Times are nanoseconds."""

    random: Random
    """Seeded by the lab and the host's name."""

    def now(self) -> int:
        """Nanoseconds since the lab began."""
        ...

    def after(self, delay: int, action: Callable[[], object]) -> Cancel:
        """Call ``action`` once, ``delay`` from now."""
        ...

    def connect(self, remote: Endpoint, events: StreamEvents, *, local_port: int = 0) -> Stream:
        """Open a TCP connection; a port of 0 is chosen by the host. Failures come as events."""
        ...

    def listen(self, port: int, accept: Callable[[Stream], StreamEvents]) -> Cancel:
        """Serve a TCP port in both families. Ports are exclusive: ValueError when taken."""
        ...

    def udp(self, port: int, receiver: UdpReceiver) -> UdpSocket:
        """Bind a UDP port in both families; 0 is chosen by the host. ValueError when taken."""
        ...

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
        """Send one ICMP echo request with ``octets`` of payload; ``heard`` gets each answer until cancelled."""
        ...

    def addresses(self) -> tuple[tuple[Family, int], ...]:
        """The host's own addresses."""
        ...
