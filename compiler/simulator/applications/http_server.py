"""A web server: HTTP/1.1 GET and HEAD with Content-Length, keep-alive and pipelining (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re

from compiler.simulator.applications.server_log import Settings
from compiler.simulator.applications.server_stream import LineService
from compiler.simulator.sockets import Stream

__all__ = ["TOKEN_HEADER", "HttpServer"]

TOKEN_HEADER = "x-gerbang-token"

_SIZED = re.compile(r"/bytes/(\d{1,15})$")
_REQUEST = re.compile(r"([A-Z]+) (\S+) (HTTP/1\.[01])$")
_INDEX = b"It works.\n"


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

    def connected(self, stream: Stream) -> None:
        """Wait for a request line."""
        super().connected(stream)
        self._request = ""
        self._headers: dict[str, str] = {}
        self._is_over = False

    def line(self, stream: Stream, line: str) -> None:
        """A request line, a header, or the blank line that ends them."""
        if self._is_over:
            return
        if not self._request:
            self._request = line  # blank lines before a request are allowed (RFC 9112, 2.2)
            self._headers = {}
        elif line:
            name, _, value = line.partition(":")
            self._headers[name.strip().lower()] = value.strip()
        else:
            request, self._request = self._request, ""
            self._answer(stream, request)

    def _answer(self, stream: Stream, request: str) -> None:
        if TOKEN_HEADER in self._headers:
            self.named(self._headers[TOKEN_HEADER])
        found = _REQUEST.match(request)
        if found is None:
            self._respond(stream, "400 Bad Request", 0, keep=False, old=False)
            return
        method, path, version = found.groups()
        wish = self._headers.get("connection", "").lower()
        keep = wish != "close" if version == "HTTP/1.1" else wish == "keep-alive"
        if method not in ("GET", "HEAD"):
            self._respond(stream, "501 Not Implemented", 0, keep=False, old=version == "HTTP/1.0")
            return
        size = _size_of_path(path, self.settings)
        status = "200 OK" if size is not None else "404 Not Found"
        self._respond(stream, status, size or 0, keep=keep, old=version == "HTTP/1.0", body=method == "GET", path=path)

    def _respond(
        self, stream: Stream, status: str, size: int, *, keep: bool, old: bool, body: bool = True, path: str = ""
    ) -> None:
        head = [f"HTTP/1.1 {status}", "Server: gerbang", f"Content-Length: {size}"]
        if size:
            head.append(f"Content-Type: {'text/plain' if path == '/' else 'application/octet-stream'}")
        if not keep or old:
            head.append(f"Connection: {'keep-alive' if keep else 'close'}")
        stream.send("\r\n".join((*head, "", "")).encode())
        if body and path == "/" and size == len(_INDEX):
            stream.send(_INDEX)
        elif body and size:
            stream.send_zeros(size)
        if not keep:
            self._is_over = True
            stream.close()
