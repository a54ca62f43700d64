"""The console's way to the daemon: each request of the HTTP contract as a coroutine, and one way to fail.

A session that has expired is asked for again in the middle of a request, and
the request goes on: what the user has typed is never lost.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from appliance.client.errors import Refusal
from appliance.client.protocol import Reply, failure
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["Door", "Failure", "Transport", "Unreachable", "key_given"]


class Transport(Protocol):
    """What carries requests: the client of the daemon, or a double of it in tests."""

    token: str

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> Reply:
        """One request below ``/v1``. ``again``: twice is no more than once, so it may be sent anew when the
        connection broke. Raises Unreachable."""

    async def download(self, path: str, into: Path) -> None:
        """Keep the streamed answer of a GET in a file. Raises Unreachable or Failure."""

    def events(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """The daemon's events from now on; an empty mapping first, when it is connected,
        and wherever some were lost. Whoever stops listening closes it. Raises Unreachable."""

    async def close(self) -> None:
        """Give the connections back."""


class Unreachable(Refused):
    """The daemon does not answer. ``reason`` is the operating system's."""

    code = "unreachable"

    def __init__(self, reason: str) -> None:
        super().__init__(_("the daemon does not answer: {reason}"), reason=reason)


class Failure(Refused):
    """The daemon said no: ``template`` is English, for the reader's language; ``problems`` name the arguments."""

    def __init__(self, said: Refusal) -> None:
        # The template comes from outside, and is not filled in before a reader's words can stand missing names.
        super().__init__(said.template or said.message)
        self.status = said.status
        self.code = said.code
        self.values = dict(said.values)
        self.field = said.field
        self.problems = said.problems


Renew = Callable[[], Awaitable[bool]]
key_given: ContextVar[list[str] | None] = ContextVar("the key of the next command", default=None)
"""Of a request that may have been sent before (``appliance.console.once``)."""


class Door:
    """Requests of one person. ``renew`` asks for the password again, and says whether there is a new session."""

    def __init__(self, transport: Transport, renew: Renew) -> None:
        self.transport = transport
        self._renew = renew

    async def health(self) -> dict[str, Any]:
        """Whether the daemon is there, and how its services are."""
        answer: dict[str, Any] = await self._json("GET", "/health", renewing=False)
        return answer

    async def login(self, name: str, password: str) -> dict[str, Any]:
        """Start a session; its token goes with every request from now on."""
        self.transport.token = ""
        given = {"name": name, "password": password}
        answer: dict[str, Any] = await self._json("POST", "/login", given, renewing=False)
        self.transport.token = answer["token"]
        return answer

    async def logout(self) -> None:
        """End the session."""
        await self._json("POST", "/logout", {}, renewing=False)
        self.transport.token = ""

    async def change_password(self, old: str, new: str) -> None:
        """Another password from now on."""
        await self._json("POST", "/password", {"old": old, "new": new})

    async def set_language(self, language: str) -> None:
        """The person's language, kept by the daemon."""
        await self._json("POST", "/language", {"language": language}, again=True)

    async def me(self) -> dict[str, Any]:
        """Who has the session."""
        answer: dict[str, Any] = await self._json("GET", "/me", renewing=False)
        return answer

    async def services(self) -> list[dict[str, Any]]:
        """What the person may use."""
        answer: list[dict[str, Any]] = await self._json("GET", "/services")
        return answer

    async def call(self, service: str, command: str, arguments: Any = None) -> Any:
        """The result of a query or change; for work, ``{"work": id}``."""
        # A change whose answer was lost is done once, however often it is sent.
        given = key_given.get()
        once = {"Idempotency-Key": given.pop() if given else str(uuid.uuid4())}
        return await self._json("POST", f"/commands/{service}/{command}", arguments, headers=once)

    async def document(self, service: str, command: str, arguments: Any, kind: str) -> bytes:
        """A document as ``text/plain``, ``text/html`` or ``application/pdf``."""
        path = f"/commands/{service}/{command}"
        return (await self._reply("POST", path, arguments, headers={"Accept": kind})).body

    async def ask(self, service: str, listing: str, question: Any) -> dict[str, Any]:
        """Begin a query: ``{query, count, rows}``."""
        answer: dict[str, Any] = await self._json("POST", f"/listings/{service}/{listing}", question, again=True)
        return answer

    async def rows(self, query: str, offset: int, limit: int) -> list[dict[str, Any]]:
        """A page of a query."""
        answer = await self._json("GET", f"/queries/{quote(str(query))}?offset={offset}&limit={limit}")
        rows: list[dict[str, Any]] = answer["rows"]
        return rows

    async def position(self, query: str, row: int) -> int | None:
        """Where a row is."""
        offset: int | None = (await self._json("GET", f"/queries/{quote(str(query))}/position?row={row}"))["offset"]
        return offset

    async def totals(self, query: str) -> dict[str, Any]:
        """The sums of its columns of numbers."""
        answer: dict[str, Any] = await self._json("GET", f"/queries/{quote(str(query))}/totals")
        return answer

    async def export(self, query: str, form: str, into: Path) -> None:
        """All rows of a query as ``csv`` or ``xlsx``, into a file."""
        await self.transport.download(f"/queries/{quote(str(query))}/export?format={form}", into)

    async def work(self, number: str) -> dict[str, Any]:
        """How far long work is."""
        answer: dict[str, Any] = await self._json("GET", f"/work/{quote(str(number))}")
        return answer

    async def cancel(self, number: str) -> None:
        """Ask long work to end."""
        await self._json("DELETE", f"/work/{quote(str(number))}", again=True)

    async def _json(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        renewing: bool = True,
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> Any:
        accepted = {"Accept": "application/json", **(headers or {})}
        reply = await self._reply(method, path, value, renewing=renewing, headers=accepted, again=again)
        return json.loads(reply.body) if reply.body.strip() else None

    async def _reply(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        renewing: bool = True,
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> Reply:
        # A command without arguments takes no body.
        body = b"" if value is None else _encoded(value)
        reply = await self.transport.request(method, path, body=body, headers=headers, again=again)
        if reply.status == 401 and renewing and await self._renew():
            reply = await self.transport.request(method, path, body=body, headers=headers, again=again)
        if reply.status >= 400:
            raise _failure(reply)
        return reply


def _failure(reply: Reply) -> Refused:
    """What the reply says; a body that is none of ours (a proxy's page) comes from no daemon."""
    said = failure(reply.status, reply.body)
    return Failure(said) if isinstance(said, Refusal) else Unreachable(str(said))


def _encoded(value: Any) -> bytes:
    from pydantic_core import to_json

    return bytes(to_json(value))
