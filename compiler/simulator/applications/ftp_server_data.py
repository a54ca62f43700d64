"""The data connections of an FTP server: one for each transfer, opened by either side (RFC 959, 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from compiler.simulator.sockets import Endpoint, Failure, Stream

if TYPE_CHECKING:
    from compiler.simulator.applications.ftp_server import FtpServer

__all__ = ["ServerData"]


class ServerData:
    """One data connection, and the transfer that waits for it or runs on it."""

    def __init__(self, server: FtpServer, control: Stream) -> None:
        self._server = server
        self._control = control
        self._stream: Stream | None = None
        self._start: Callable[[ServerData], None] | None = None
        self._name = ""
        self._is_over = False
        self._is_ready = False
        self._has_started = False

    def accept(self, stream: Stream) -> ServerData:
        """The client came to the passive port; another one may not."""
        self._server.stop_listening()
        return self

    def connect(self, remote: Endpoint, local_port: int) -> None:
        """Go to the client, from the port before the control port (RFC 959, 3.2) where it is free."""
        try:
            self._stream = self._server.sockets.connect(remote, self, local_port=local_port)
        except ValueError:
            self._stream = self._server.sockets.connect(remote, self)

    def when_ready(self, start: Callable[[ServerData], None]) -> None:
        """Run the transfer now or when the connection is there."""
        self._start = start
        self._run()

    def _run(self) -> None:
        if self._is_ready and self._start is not None:
            start, self._start = self._start, None
            self._has_started = True
            start(self)

    def give_text(self, text: str) -> None:
        """Send a list."""
        assert self._stream is not None
        if text:
            self._stream.send(text.encode())
        self._stream.close()

    def give_zeros(self, size: int) -> None:
        """Send a file."""
        assert self._stream is not None
        if size:
            self._stream.send_zeros(size)
        self._stream.close()

    def take(self, name: str) -> None:
        """Receive a file."""
        self._name = name
        self._server.files[name] = 0

    def abort(self) -> None:
        """No longer wanted."""
        self._is_over = True
        if self._stream is not None:
            self._stream.abort()

    def connected(self, stream: Stream) -> None:
        """The transfer can run."""
        self._stream = stream
        self._is_ready = True
        self._run()

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """Part of a file that is stored."""
        self._server.arrived(octets)
        if self._name:
            self._server.files[self._name] += octets

    def drained(self, stream: Stream) -> None:
        """Nothing more to do."""

    def finished(self, stream: Stream) -> None:
        """The client has sent all, or will read no more."""
        stream.close()

    def closed(self, stream: Stream) -> None:
        """The transfer is done; without one, nothing is there to be said."""
        if self._has_started:
            self._end(226, "Transfer complete.")
        elif self._server.data is self:
            self._server.data = None

    def failed(self, stream: Stream, failure: Failure) -> None:
        """It did not come about, or broke off."""
        if self._is_ready:
            self._end(426, "Connection closed; transfer aborted.")
        else:
            self._end(425, f"Cannot open the data connection: {failure.kind.value}.")

    def _end(self, code: int, text: str) -> None:
        if not self._is_over:
            self._is_over = True
            self._server.say_about_data(self._control, code, text)
