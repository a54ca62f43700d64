"""The server's end of a TCP connection, with the duties that all services share."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Self

from compiler.simulator.applications.lines import LineBuffer
from compiler.simulator.applications.server_log import Seen, ServerLog, Settings
from compiler.simulator.sockets import Failure, Sockets, Stream

__all__ = ["LineService", "ServerStream"]


class ServerStream:
    """Enters the connection into the log, closes when the client does; services override what they need."""

    needs_meter: ClassVar[bool] = False

    def __init__(self, sockets: Sockets, log: ServerLog, settings: Settings) -> None:
        self.sockets = sockets
        self.log = log
        self.settings = settings
        self.seen: Seen | None = None

    @staticmethod
    def check(settings: Settings) -> None:
        """ValueError for settings that make no sense; most services have none."""

    @classmethod
    def service(cls, sockets: Sockets, log: ServerLog, settings: Settings) -> Callable[[], Self]:
        """Makes the server's end of each connection; a service that remembers across connections overrides it."""
        return lambda: cls(sockets, log, settings)

    def connected(self, stream: Stream) -> None:
        """Enter it into the log."""
        self.seen = self.log.saw(self.sockets.now(), stream.remote, stream.local)

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """Count what came."""
        self.arrived(octets)

    def arrived(self, octets: int) -> None:
        """So much payload is here."""
        if self.seen is not None:
            self.seen.octets += octets
            if self.seen.meter is not None:
                self.seen.meter.count(self.sockets.now(), octets)

    def named(self, token: str) -> None:
        """The client said who it is."""
        if self.seen is not None:
            self.seen.token = token

    def drained(self, stream: Stream) -> None:
        """Nothing more to do."""

    def finished(self, stream: Stream) -> None:
        """The client has said all: so has the server."""
        stream.close()

    def closed(self, stream: Stream) -> None:
        """Nothing to tidy up."""

    def failed(self, stream: Stream, failure: Failure) -> None:
        """Nothing to tidy up."""


class LineService(ServerStream):
    """A service that is spoken to in lines. What is no line ends the connection."""

    def __init__(self, sockets: Sockets, log: ServerLog, settings: Settings) -> None:
        super().__init__(sockets, log, settings)
        self.lines = LineBuffer()

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """Hand on each whole line."""
        try:
            self.lines.add(data, octets)
        except ValueError:
            stream.abort()
            return
        while (line := self.lines.take()) is not None:
            self.line(stream, line)

    def line(self, stream: Stream, line: str) -> None:
        """One line came."""
        raise NotImplementedError
