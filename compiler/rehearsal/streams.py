"""Real TCP at both ends: long downloads, and long-lived connections that say something now and then."""

from __future__ import annotations

from collections.abc import Callable

from compiler.simulator.engine import Engine
from compiler.simulator.hosts.host import Host
from compiler.simulator.sockets import Endpoint, Failure, FailureKind, Stream, StreamEvents

__all__ = ["BEAT_PORT", "DOWNLOAD_PORT", "Beat", "Download", "serve_beats", "serve_downloads"]

BEAT_PORT, DOWNLOAD_PORT = 5222, 8080
_BEAT = 64
"""Octets of one message, and of its answer."""


class _Quiet:
    """Events that most ends take no notice of."""

    def connected(self, stream: Stream) -> None:
        """Nothing to do."""

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """Nothing to do."""

    def drained(self, stream: Stream) -> None:
        """Nothing to do."""

    def finished(self, stream: Stream) -> None:
        """The other end is done."""
        stream.close()

    def closed(self, stream: Stream) -> None:
        """Nothing to do."""

    def failed(self, stream: Stream, failure: Failure) -> None:
        """Nothing to do."""


class _Answering(_Quiet):
    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        stream.send_zeros(octets)


class _Sending(_Quiet):
    def __init__(self, octets: int) -> None:
        self._octets = octets

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """The request: send it all, then no more."""
        stream.send_zeros(self._octets)
        stream.close()


def serve_beats(host: Host) -> None:
    """Send back whatever comes."""
    host.sockets.listen(BEAT_PORT, lambda stream: _Answering())


def serve_downloads(host: Host, octets: int) -> None:
    """Send so much to whoever asks."""

    def accept(stream: Stream) -> StreamEvents:
        return _Sending(octets)

    host.sockets.listen(DOWNLOAD_PORT, accept)


class Beat(_Quiet):
    """A client that says something every ``period`` and counts what is answered."""

    def __init__(self, engine: Engine, host: Host, remote: Endpoint, period: int) -> None:
        self._engine = engine
        self._host = host
        self._remote = remote
        self._period = period
        self.stream: Stream | None = None
        self.on_connected: Callable[[Beat], None] | None = None
        self.answered_at: int | None = None
        """When the last answer came."""
        self.failed_at: int | None = None
        self.was_reset = False

    def begin(self, _: object = None) -> None:
        """Connect."""
        self.stream = self._host.sockets.connect(self._remote, self)
        if self.on_connected is not None:
            self.on_connected(self)

    def connected(self, stream: Stream) -> None:
        """Begin to speak."""
        self.answered_at = self._engine.now
        self._say(None)

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """It lives."""
        self.answered_at = self._engine.now

    def failed(self, stream: Stream, failure: Failure) -> None:
        """It is dead."""
        self.failed_at = self._engine.now
        self.was_reset = failure.kind is FailureKind.RESET

    def closed(self, stream: Stream) -> None:
        """The other end has ended it."""
        self.failed_at = self._engine.now

    def _say(self, _: object) -> None:
        if self.failed_at is None and self.stream is not None:
            self.stream.send_zeros(_BEAT)
            self._engine.after(self._period, self._say)


class Download(_Quiet):
    """A client that asks once and counts what comes."""

    def __init__(self, engine: Engine, host: Host, remote: Endpoint) -> None:
        self._engine = engine
        self.stream = host.sockets.connect(remote, self)
        self.octets = 0
        self.first = 0
        self.last = 0
        self.is_over = False

    def connected(self, stream: Stream) -> None:
        """Ask."""
        self.first = self._engine.now
        stream.send(b"GET /long\r\n")

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """Count."""
        self.octets += octets
        self.last = self._engine.now

    def closed(self, stream: Stream) -> None:
        """All has come."""
        self.is_over = True

    def failed(self, stream: Stream, failure: Failure) -> None:
        """No more will come."""
        self.is_over = True
