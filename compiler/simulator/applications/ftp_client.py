"""An FTP session (RFC 959, RFC 2428): log in, list, retrieve, quit.

Passive mode uses PASV on IPv4 and EPSV on IPv6 and goes to the address that the
server names; active mode uses PORT or EPRT. So a translation without a helper
fails here as it fails in the field.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import NamedTuple

from compiler.fields import Family
from compiler.simulator.applications.ftp_replies import (
    DYNAMIC_PORTS,
    data_ports,
    format_eprt,
    format_port,
    parse_epsv,
    parse_port,
)
from compiler.simulator.applications.lines import LineBuffer
from compiler.simulator.applications.running import Running
from compiler.simulator.applications.stream_attempt import StreamAttempt
from compiler.simulator.sockets import Cancel, Endpoint, Failure, FailureKind, Stream

__all__ = ["FtpClient"]


class _Reply(NamedTuple):
    code: int
    text: str


class _Refused(Exception):
    """The server said no, or the data connection did not come about."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.kind.value)
        self.failure = failure


class FtpClient(StreamAttempt):
    """One session. ``detail`` holds the banner and the replies; the octets of the file count, not those of the list."""

    def __init__(self, running: Running, index: int) -> None:
        super().__init__(running, index)
        self._lines = LineBuffer()
        self._replies: deque[_Reply] = deque()
        self._multiline = ""
        self._data: _DataConnection | None = None
        self._session: Generator[None, None, None] | None = None

    # -- events ----------------------------------------------------------------

    def connected(self, stream: Stream) -> None:
        """Wait for the greeting."""
        super().connected(stream)
        self._session = self._talk(stream)
        self.wake()

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        """Replies, of one line or of several."""
        super().arrived(0)
        try:
            self._lines.add(data, octets)
        except ValueError:
            self.end(Failure(FailureKind.CLOSED))
            stream.abort()
            return
        while (line := self._lines.take()) is not None:
            self._line(line)
        self.wake()

    def finished(self, stream: Stream) -> None:
        """The server hung up; after QUIT that is right."""
        stream.close()
        if self._session is not None:
            self._session = None
            self._drop_data()
            self.end(Failure(FailureKind.CLOSED))

    def failed(self, stream: Stream, failure: Failure) -> None:
        """No data connection outlives the control connection."""
        self._drop_data()
        super().failed(stream, failure)

    def time_is_up(self) -> None:
        """Neither of them goes on."""
        self._drop_data()
        super().time_is_up()

    def wake(self) -> None:
        """Something happened: go on with the session."""
        if self._session is None:
            return
        try:
            next(self._session)
        except StopIteration:
            self._session = None
        except _Refused as refusal:
            self._session = None
            self._drop_data()
            self.end(refusal.failure)
            if self.stream is not None:
                self.stream.send(b"QUIT\r\n")
                self.stream.close()

    def _line(self, line: str) -> None:
        if self._multiline:
            if not line.startswith(f"{self._multiline} "):
                return
            self._multiline = ""
        elif line[:3].isdigit() and line[3:4] == "-":
            self._multiline = line[:3]
        if line[:3].isdigit():
            self.say(line)
            if line[3:4] != "-":
                self._replies.append(_Reply(int(line[:3]), line[4:]))

    def _drop_data(self) -> None:
        if self._data is not None:
            self._data.drop()
            self._data = None

    # -- the session -------------------------------------------------------------

    def _talk(self, stream: Stream) -> Generator[None, None, None]:
        yield from self._reply(220)
        greeted = yield from self._ask(stream, "USER anonymous", 331, 230)
        if greeted.code == 331:
            yield from self._ask(stream, f"PASS {self.token}", 230)
        yield from self._ask(stream, "TYPE I", 200)
        yield from self._transfer(stream, "LIST", counts=False)
        name = self.request.query or str(self.request.octets or 0)
        yield from self._transfer(stream, f"RETR {name}", counts=True)
        yield from self._ask(stream, "QUIT", 221)
        stream.close()

    def _reply(self, *codes: int) -> Generator[None, None, _Reply]:
        while not self._replies:
            yield
        reply = self._replies.popleft()
        if reply.code not in codes:
            raise _Refused(Failure(FailureKind.CLOSED))
        return reply

    def _ask(self, stream: Stream, command: str, *codes: int) -> Generator[None, None, _Reply]:
        stream.send(f"{command}\r\n".encode())
        return (yield from self._reply(*codes))

    def _transfer(self, stream: Stream, command: str, *, counts: bool) -> Generator[None, None, None]:
        data = self._data = _DataConnection(self, counts=counts)
        if self.request.mode == "active":
            yield from self._offer(stream, data)
        else:
            yield from self._fetch_address(stream, data)
            while not data.is_open:  # as most clients do: the command goes out when the connection is there
                data.check()
                yield
        yield from self._ask(stream, command, 150, 125)
        yield from self._reply(226, 250)
        while not data.is_over:
            yield
        data.check()
        self._data = None

    def _fetch_address(self, stream: Stream, data: _DataConnection) -> Generator[None, None, None]:
        if self.server.family is Family.IPV4:
            reply = yield from self._ask(stream, "PASV", 227)
            remote = parse_port(reply.text)
        else:
            reply = yield from self._ask(stream, "EPSV", 229)
            port = parse_epsv(reply.text)
            remote = Endpoint(self.server.family, self.server.address, port) if port is not None else None
        if remote is None:
            raise _Refused(Failure(FailureKind.CLOSED))
        data.connect(remote)

    def _offer(self, stream: Stream, data: _DataConnection) -> Generator[None, None, None]:
        port = data.listen()
        local = stream.local._replace(port=port)
        ipv4 = local.family is Family.IPV4
        command = f"PORT {format_port(local)}" if ipv4 else f"EPRT {format_eprt(local)}"
        yield from self._ask(stream, command, 200)


class _DataConnection:
    """The second connection, in one direction or the other."""

    def __init__(self, client: FtpClient, *, counts: bool) -> None:
        self._client = client
        self._counts = counts
        self._stream: Stream | None = None
        self._unlisten: Cancel | None = None
        self._failure: Failure | None = None
        self.is_open = False
        self.is_over = False

    def connect(self, remote: Endpoint) -> None:
        """Go to the server."""
        self._stream = self._client.sockets.connect(remote, self)

    def listen(self) -> int:
        """Wait for the server; the port."""
        for port in data_ports(self._client.token, 1 if self._counts else 0, *DYNAMIC_PORTS):
            try:
                self._unlisten = self._client.sockets.listen(port, self._accept)
            except ValueError:
                continue
            return port
        raise _Refused(Failure(FailureKind.REFUSED))

    def _accept(self, stream: Stream) -> _DataConnection:
        self._stop_listening()
        return self

    def check(self) -> None:
        """Raise what went wrong."""
        if self._failure is not None:
            self._client.say(f"data connection: {self._failure.kind.value}")
            raise _Refused(self._failure)

    def drop(self) -> None:
        """No longer wanted."""
        self._stop_listening()
        if self._stream is not None and not self.is_over:
            self.is_over = True
            self._stream.abort()

    def _stop_listening(self) -> None:
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None

    def connected(self, stream: Stream) -> None:
        self._stream = stream
        self.is_open = True
        self._client.wake()

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        self._client.arrived(octets if self._counts else 0)

    def drained(self, stream: Stream) -> None:
        pass

    def finished(self, stream: Stream) -> None:
        stream.close()

    def closed(self, stream: Stream) -> None:
        self.is_over = True
        self._client.wake()

    def failed(self, stream: Stream, failure: Failure) -> None:
        self.is_over = True
        self._failure = failure
        self._client.wake()
