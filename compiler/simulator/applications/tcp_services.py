"""The small services: echo (RFC 862), discard (RFC 863), and source, which sends zeros on demand."""

from __future__ import annotations

from compiler.simulator.applications.lines import LineBuffer
from compiler.simulator.applications.server_log import Meter
from compiler.simulator.applications.server_stream import LineService, ServerStream
from compiler.simulator.sockets import Failure, Stream

__all__ = ["ENDLESS", "Discard", "Echo", "Source"]

ENDLESS = 1 << 26
"""Octets that an endless transfer queues at a time."""


class Echo(ServerStream):
    """Sends back what comes. The first line, if there is one, is taken as the client's token."""

    def connected(self, stream: Stream) -> None:
        """Wait for the first line."""
        super().connected(stream)
        self._head: LineBuffer | None = LineBuffer()

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """Send it back."""
        self._look_for_token(data, octets)
        self.arrived(octets)
        if data is None:
            stream.send_zeros(octets)
        else:
            stream.send(data)

    def _look_for_token(self, data: bytes | None, octets: int) -> None:
        if self._head is None:
            return
        try:
            self._head.add(data, octets)
        except ValueError:
            self._head = None
            return
        line = self._head.take()
        if line is not None:
            self.named(line.strip("\0"))
            self._head = None


class Discard(Echo):
    """Counts what comes and says nothing."""

    def connected(self, stream: Stream) -> None:
        """Draw a curve of what arrives."""
        super().connected(stream)
        if self.seen is not None:
            self.seen.meter = Meter()

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """Count it."""
        self._look_for_token(data, octets)
        self.arrived(octets)


class Source(LineService):
    """``N [TOKEN]``: N zeros, then it closes; ``* [TOKEN]``: zeros until the client closes."""

    def connected(self, stream: Stream) -> None:
        """Wait for the line."""
        super().connected(stream)
        self._endless = False

    def line(self, stream: Stream, line: str) -> None:
        """Send what is asked for; anything else is answered with a reset."""
        amount, _, token = line.partition(" ")
        self.named(token.strip())
        if amount == "*":
            self._endless = True
            stream.send_zeros(ENDLESS)
        elif amount.isascii() and amount.isdigit():
            if int(amount):
                stream.send_zeros(int(amount))
            stream.close()
        else:
            stream.abort()

    def drained(self, stream: Stream) -> None:
        """More, where there is no end."""
        if self._endless:
            stream.send_zeros(ENDLESS)

    def finished(self, stream: Stream) -> None:
        """An endless transfer ends at once, without what is queued."""
        if self._endless:
            self._endless = False
            stream.abort()
        else:
            stream.close()

    def failed(self, stream: Stream, failure: Failure) -> None:
        """No more."""
        self._endless = False
