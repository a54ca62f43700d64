"""A reader of a forum: opens a thread now and then, each time on a new connection, and logs in when told to."""

from __future__ import annotations

from collections.abc import Callable

from compiler.simulator.applications.http_client import HttpClient
from compiler.simulator.applications.request import Request
from compiler.simulator.applications.running import Attempt, Running
from compiler.simulator.sockets import Sockets

__all__ = ["ForumUser", "Visit"]

_OK, _FOUND = 200, 302
_MOST_LOGINS = 2
"""Log-ins of one visit: who is sent away after that gives up, as a person would."""


class ForumUser(Running):
    """All visits of one person, with the cookie that the browser keeps between them."""

    def __init__(self, sockets: Sockets, request: Request, make: Callable[[Running, int], Attempt], total: int) -> None:
        super().__init__(sockets, request, make, total)
        self.cookie = ""


class Visit(HttpClient):
    """One connection: a thread is asked for; who has no session or lost it logs in and asks again.

    ``detail`` are the status lines: ``302 Log in again; 200 Logged in; 200 Thread 2``.
    """

    def __init__(self, running: Running, index: int) -> None:
        super().__init__(running, index)
        assert isinstance(running, ForumUser)
        self.user = running
        self.left = 1
        self._logs_in = not running.cookie
        self._logins = 0

    def asked(self) -> tuple[str, ...]:
        """The log-in, or the thread."""
        if self._logs_in:
            return "POST /login", "Content-Length: 0"
        size = f"?size={self.request.octets}" if self.request.octets is not None else ""
        return f"GET /thread/{self.index + 1}{size}", f"Cookie: {self.user.cookie}"

    def header(self, name: str, value: str) -> None:
        """Keep the cookie."""
        super().header(name, value)
        if name == "set-cookie":
            self.user.cookie = value.partition(";")[0]

    def answered(self, status: int) -> None:
        """Logged in: read on. Sent to the log-in: log in. A thread: that was it."""
        if self._logs_in and status == _OK:
            self._logs_in = False
            self._logins += 1
        elif status == _FOUND and self._logins < _MOST_LOGINS:
            self.user.cookie = ""
            self._logs_in = True
        else:
            self.left = 0
