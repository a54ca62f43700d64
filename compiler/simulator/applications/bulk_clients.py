"""Bare handshakes, downloads from a ``source`` and uploads to a ``discard`` service."""

from __future__ import annotations

from compiler.simulator.applications.stream_attempt import StreamAttempt
from compiler.simulator.applications.tcp_services import ENDLESS
from compiler.simulator.sockets import Failure, FailureKind, Stream

__all__ = ["Connect", "Download", "Upload"]


class Connect(StreamAttempt):
    """A handshake, and then the end. How the end goes does not matter."""

    def connected(self, stream: Stream) -> None:
        """That was it."""
        super().connected(stream)
        stream.close()

    def arrived(self, octets: int) -> None:
        """A banner is not a transfer."""

    def failed(self, stream: Stream, failure: Failure) -> None:
        """Only before the handshake was done is it a failure."""
        super().failed(stream, failure) if self.connected_at is None else self.end()

    def patience_is_over(self) -> bool:
        """A server that does not close its side makes no failed handshake."""
        if self.stream is not None:
            self.stream.abort()
        self.end()
        return True


class Download(StreamAttempt):
    """Asks for octets and counts them."""

    def connected(self, stream: Stream) -> None:
        """Ask."""
        super().connected(stream)
        amount = "*" if self.request.octets is None else str(self.request.octets)
        stream.send(f"{amount} {self.token}\n".encode())

    def patience_is_over(self) -> bool:
        """When all has come only farewells are missing, which nobody waits for."""
        if self.request.octets is not None and self.transferred >= self.request.octets:
            self.end()
        return True

    def closed(self, stream: Stream) -> None:
        """All must have come."""
        missing = self.request.octets is not None and self.transferred < self.request.octets
        self.end(Failure(FailureKind.CLOSED) if missing else None)


class Upload(StreamAttempt):
    """Sends octets; how many arrived is in the server's log."""

    def connected(self, stream: Stream) -> None:
        """The token first, where there is room for it, then zeros."""
        super().connected(stream)
        head = f"{self.token}\n".encode()
        octets = self.request.octets
        if octets is None:
            stream.send(head)
            stream.send_zeros(ENDLESS)
            return
        if len(head) > octets:
            head = b""
        if head:
            stream.send(head)
        if octets > len(head):
            stream.send_zeros(octets - len(head))
        stream.close()

    def patience_is_over(self) -> bool:
        """The host does not say how far a large transfer is; TCP itself gives up on a dead line."""
        return False

    def arrived(self, octets: int) -> None:
        """What a server says back is no transfer."""

    def drained(self, stream: Stream) -> None:
        """More, where there is no end."""
        super().drained(stream)
        if self.request.octets is None and self.ended is None:
            stream.send_zeros(ENDLESS)

    def finished(self, stream: Stream) -> None:
        """The server closes when it has all; before that it is giving up."""
        if self.request.octets is None:
            stream.abort()
            self.end(Failure(FailureKind.CLOSED))
        else:
            stream.close()
