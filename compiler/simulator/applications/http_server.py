"""A web server: HTTP/1.1 GET and HEAD with Content-Length, keep-alive and pipelining (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from typing import ClassVar, NamedTuple

from compiler.simulator.applications.server_log import Settings
from compiler.simulator.applications.server_stream import LineService
from compiler.simulator.sockets import Stream

__all__ = ["TOKEN_HEADER", "Answer", "HttpServer"]

TOKEN_HEADER = "x-gerbang-token"

_SIZED = re.compile(r"/bytes/(\d{1,15})\Z")
_REQUEST = re.compile(r"([A-Z]+) (\S+) (HTTP/1\.[01])\Z")
_INDEX = b"It works.\n"


class Answer(NamedTuple):
    """A status line's code and reason, octets of the body, and further header lines."""

    status: str
    size: int = 0
    headers: tuple[str, ...] = ()


def _size_of_path(path: str, settings: Settings) -> int | None:
    """Octets of the document, or None. ``/bytes/N`` has N of them; settings ``page`` name others (``/a=500``)."""
    for key, value in settings:
        name, _, size = value.partition("=")
        if key == "page" and name == path and size.isdigit():
            return int(size)
    if path == "/":
        return len(_INDEX)
    found = _SIZED.match(path)
    return int(found.group(1)) if found else None


class HttpServer(LineService):
    """One connection; requests are answered in the order in which they come."""

    methods: ClassVar[tuple[str, ...]] = ("GET", "HEAD")
    headers: dict[str, str]
    """Of the request, their names in small letters."""

    def resource(self, stream: Stream, method: str, path: str) -> Answer:
        """What is there: a document of the settings, or so many zeros."""
        size = _size_of_path(path, self.settings)
        return Answer("404 Not Found") if size is None else Answer("200 OK", size)

    def connected(self, stream: Stream) -> None:
        """Wait for a request line."""
        super().connected(stream)
        self._request = ""
        self.headers: dict[str, str] = {}
        self._is_over = False

    def line(self, stream: Stream, line: str) -> None:
        """A request line, a header, or the blank line that ends them."""
        if self._is_over:
            return
        if not self._request:
            self._request = line  # blank lines before a request are allowed (RFC 9112, 2.2)
            self.headers = {}
        elif line:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        else:
            request, self._request = self._request, ""
            self._answer(stream, request)

    def _answer(self, stream: Stream, request: str) -> None:
        if TOKEN_HEADER in self.headers:
            self.named(self.headers[TOKEN_HEADER])
        found = _REQUEST.match(request)
        if found is None:
            self._respond(stream, Answer("400 Bad Request"), keep=False, old=False)
            return
        method, path, version = found.groups()
        wish = self.headers.get("connection", "").lower()
        keep = wish != "close" if version == "HTTP/1.1" else wish == "keep-alive"
        old = version == "HTTP/1.0"
        if method not in self.methods:
            self._respond(stream, Answer("501 Not Implemented"), keep=False, old=old)
            return
        self._respond(stream, self.resource(stream, method, path), keep=keep, old=old, body=method != "HEAD", path=path)

    def _respond(
        self, stream: Stream, answer: Answer, *, keep: bool, old: bool, body: bool = True, path: str = ""
    ) -> None:
        status, size, more = answer
        head = [f"HTTP/1.1 {status}", "Server: gerbang", f"Content-Length: {size}"]
        if size:
            head.append(f"Content-Type: {'text/plain' if path == '/' else 'application/octet-stream'}")
        if not keep or old:
            head.append(f"Connection: {'keep-alive' if keep else 'close'}")
        stream.send("\r\n".join((*head, *more, "", "")).encode())
        if body and path == "/" and size == len(_INDEX):
            stream.send(_INDEX)
        elif body and size:
            stream.send_zeros(size)
        if not keep:
            self._is_over = True
            stream.close()
