"""A forum that knows its users by their address: a session ends when it is used from another one.

It is HTTP (RFC 9110) with a cookie (RFC 6265): ``POST /login`` begins a session,
``GET /thread/N`` reads. As forums did that checked the address of every request
(phpBB's "session IP validation", vBulletin's "session IP octet length check"),
it sends a reader whose address changed to the page where one logs in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar, Self

from compiler.simulator.applications.http_server import Answer, HttpServer
from compiler.simulator.applications.server_log import ServerLog, Settings
from compiler.simulator.sockets import Endpoint, Sockets, Stream

__all__ = ["LOG_IN", "LOG_IN_AGAIN", "Forum", "Sessions"]

LOG_IN = "302 Log in"
"""What a reader without a session is told."""
LOG_IN_AGAIN = "302 Log in again"
"""What a reader is told whose session was begun from another address, or is over."""

_THREAD = re.compile(r"/thread/(\d{1,9})(?:\?size=(\d{1,9}))?\Z")
_COOKIE = re.compile(r"(?:^|;\s*)session=(\w+)")
_PAGE = 20_000
"""Octets of a thread, where the reader does not ask for another size."""


class Sessions:
    """Who is logged in: the number of each session and the address that it was begun from."""

    def __init__(self) -> None:
        self._addresses: dict[str, tuple[int, int]] = {}
        self._begun = 0

    def begin(self, remote: Endpoint) -> str:
        """A new session for that address: its number."""
        self._begun += 1
        self._addresses[str(self._begun)] = remote.family.value, remote.address
        return str(self._begun)

    def use(self, session: str, remote: Endpoint) -> str:
        """Empty when the session is that address's; else why not, and then it is over."""
        if not session:
            return LOG_IN
        if self._addresses.get(session) == (remote.family.value, remote.address):
            return ""
        self._addresses.pop(session, None)
        return LOG_IN_AGAIN


class Forum(HttpServer):
    """One connection of a reader; all of them share the sessions."""

    methods: ClassVar[tuple[str, ...]] = ("GET", "HEAD", "POST")
    sessions: Sessions

    @classmethod
    def service(cls, sockets: Sockets, log: ServerLog, settings: Settings) -> Callable[[], Self]:
        """The connections of one forum."""
        sessions = Sessions()

        return lambda: cls(sockets, log, settings)._with(sessions)

    def _with(self, sessions: Sessions) -> Self:
        self.sessions = sessions
        return self

    def resource(self, stream: Stream, method: str, path: str) -> Answer:
        """Log in, or read a thread."""
        if method == "POST":
            if path != "/login":
                return Answer("404 Not Found")
            session = self.sessions.begin(stream.remote)
            return Answer("200 Logged in", 0, (f"Set-Cookie: session={session}; Path=/",))
        thread = _THREAD.match(path)
        if thread is None:
            return Answer("404 Not Found")
        cookie = _COOKIE.search(self.headers.get("cookie", ""))
        refusal = self.sessions.use(cookie[1] if cookie else "", stream.remote)
        if refusal:
            return Answer(refusal, 0, ("Location: /login",))
        return Answer(f"200 Thread {thread[1]}", int(thread[2] or _PAGE))
