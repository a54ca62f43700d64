"""The client's end of a TCP connection, with the duties that all clients share."""

from __future__ import annotations

from compiler.simulator.applications.running import Attempt, Running
from compiler.simulator.sockets import Failure, FailureKind, Stream

__all__ = ["StreamAttempt"]


class StreamAttempt(Attempt):
    """Connects, watches for progress, and records how it ended; clients override what they need."""

    def __init__(self, running: Running, index: int) -> None:
        super().__init__(running, index)
        self.stream: Stream | None = None
        self._progress = self.started

    def begin(self) -> None:
        """Open the connection."""
        try:
            stream = self.sockets.connect(self.server, self, local_port=self.client.port)
        except ValueError as error:
            self.cannot_begin(error)
            return
        self.stream = stream
        if stream.local.port:
            self.client = stream.local
        self.sockets.after(self.request.timeout, self._watch)

    def patience_is_over(self) -> bool:
        """Whether silence for the whole timeout is a failure now."""
        return True

    def time_is_up(self) -> None:
        """The activity's duration is over: what is queued is not sent any more."""
        super().time_is_up()
        if self.stream is not None:
            self.stream.abort()

    def connected(self, stream: Stream) -> None:
        """Take note."""
        self.client = stream.local
        self.connected_at = self._progress = self.sockets.now()

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """Count what came."""
        self.arrived(octets)

    def arrived(self, octets: int) -> None:
        """So much payload is here."""
        self._progress = now = self.sockets.now()
        self.transferred += octets
        self.running.meter.count(now, octets)

    def drained(self, stream: Stream) -> None:
        """Something went out."""
        self._progress = self.sockets.now()

    def finished(self, stream: Stream) -> None:
        """The server has said all: so has the client."""
        stream.close()

    def closed(self, stream: Stream) -> None:
        """The end."""
        self.end()

    def failed(self, stream: Stream, failure: Failure) -> None:
        """A bad end."""
        if stream.local.port:
            self.client = stream.local
        self.end(failure)

    def _watch(self) -> None:
        if self.ended is not None:
            return
        left = self._progress + self.request.timeout - self.sockets.now()
        if left > 0:
            self.sockets.after(left, self._watch)
        elif self.connected_at is not None and not self.patience_is_over():
            self.sockets.after(self.request.timeout, self._watch)
        else:
            self.end(Failure(FailureKind.TIMED_OUT))
            if self.stream is not None:
                self.stream.abort()
