"""A web client: GET requests, one after the other on one connection (RFC 9112)."""

from __future__ import annotations

from compiler.addresses import format_address
from compiler.fields import Family
from compiler.simulator.applications.http_server import TOKEN_HEADER
from compiler.simulator.applications.lines import LineBuffer
from compiler.simulator.applications.running import Running
from compiler.simulator.applications.stream_attempt import StreamAttempt
from compiler.simulator.sockets import Endpoint, Failure, FailureKind, Stream

__all__ = ["HttpClient"]

_NO_BODY = (204, 304)


class HttpClient(StreamAttempt):
    """``count`` requests for ``query``, or for ``/bytes/OCTETS``. ``detail`` holds the status lines."""

    def __init__(self, running: Running, index: int) -> None:
        super().__init__(running, index)
        self._lines = LineBuffer()
        self.left = self.request.count
        """Answers that are still wanted."""
        self._missing: int | None = None
        """Octets of the body that are still to come; None in a head."""
        self._status = ""
        self._length = 0

    def connected(self, stream: Stream) -> None:
        """The first request."""
        super().connected(stream)
        self._ask(stream)

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """Heads as lines, bodies as a count."""
        while octets and self.ended is None and self.left:
            if self._missing is not None:
                taken = min(octets, self._missing)
                self.arrived(taken)
                self._missing -= taken
                octets -= taken
                data = data[taken:] if data is not None else None
                if not self._missing:
                    self._got_one(stream)
            else:
                data = self._head(stream, data, octets)
                octets = len(data)

    def finished(self, stream: Stream) -> None:
        """Before the last body is whole, the server gave up."""
        stream.close()
        if self.left:
            self.end(Failure(FailureKind.CLOSED))

    def patience_is_over(self) -> bool:
        """When the last body is whole only farewells are missing, which nobody waits for."""
        if not self.left:
            self.end()
        return True

    def asked(self) -> tuple[str, ...]:
        """The request line without its version, and header lines of its own."""
        path = self.request.query or f"/bytes/{self.request.octets or 0}"
        path = path if path.startswith("/") else f"/{path}"
        return (f"GET {path}", "Connection: close") if self.left == 1 else (f"GET {path}",)

    def header(self, name: str, value: str) -> None:
        """A header line of an answer, its name in small letters."""
        if name == "content-length" and value.isdigit():
            self._length = int(value)

    def answered(self, status: int) -> None:
        """An answer is whole: one fewer is left."""
        self.left -= 1

    def _ask(self, stream: Stream) -> None:
        line, *more = self.asked()
        head = (f"{line} HTTP/1.1", f"Host: {_host(self.server)}", f"{TOKEN_HEADER}: {self.token}", *more, "", "")
        stream.send("\r\n".join(head).encode())

    def _head(self, stream: Stream, data: bytes | None, octets: int) -> bytes:
        """Read lines of a head; what is behind its end."""
        try:
            self._lines.add(data, octets)
        except ValueError:
            self._give_up(stream)
            return b""
        while (line := self._lines.take()) is not None:
            if not self._status:
                self._status = line
                self._length = 0
            elif not line:
                return self._begin_body(stream)
            else:
                name, _, value = line.partition(":")
                self.header(name.strip().lower(), value.strip())
        return b""

    def _begin_body(self, stream: Stream) -> bytes:
        version, _, status = self._status.partition(" ")
        if not version.startswith("HTTP/1.") or not status[:3].isdigit():
            self._give_up(stream)
            return b""
        self.say(status)
        self._missing = 0 if int(status[:3]) in _NO_BODY else self._length
        if not self._missing:
            self._got_one(stream)
        return self._lines.rest()

    def _got_one(self, stream: Stream) -> None:
        status = int(self._status.partition(" ")[2][:3])
        self._missing = None
        self._status = ""
        self.answered(status)
        if self.left:
            self._ask(stream)
        else:
            stream.close()

    def _give_up(self, stream: Stream) -> None:
        self.say("no HTTP response")
        self.end(Failure(FailureKind.CLOSED))
        stream.abort()


def _host(server: Endpoint) -> str:
    address = format_address(server.address, server.family.width)
    host = address if server.family is Family.IPV4 else f"[{address}]"
    return host if server.port == 80 else f"{host}:{server.port}"
