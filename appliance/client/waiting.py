"""The client for programs with an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from appliance.client.addresses import Address
from appliance.client.blocking import PATIENCE, SILENCE, Query
from appliance.client.errors import Unreachable
from appliance.client.protocol import (
    Asked,
    Reply,
    Work,
    asked,
    command,
    event_of,
    failure,
    reason,
    value_of,
    whole,
    work_of,
)

__all__ = ["AsyncClient"]


class AsyncClient:
    """One daemon, one person; many requests at a time."""

    def __init__(self, address: Address, token: str = "", *, verify: Any = True) -> None:
        self.address = address
        self.token = token
        # On a UNIX socket there is no TLS: reading the authorities would take a tenth of a second for nothing.
        carried = httpx2.AsyncHTTPTransport(uds=str(address.socket), verify=False) if address.socket else None
        self.http = httpx2.AsyncClient(
            transport=carried,
            base_url=f"{address.url or 'http://gerbang'}/v1",
            timeout=PATIENCE,
            trust_env=False,
            verify=verify,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def login(self, name: str, password: str) -> Mapping[str, Any]:
        """Log in; this client has the token from now on."""
        said: Mapping[str, Any] = await self.value(asked("POST", "/login", {"name": name, "password": password}))
        self.token = str(said["token"])
        return said

    async def logout(self) -> None:
        """End the session."""
        await self.value(asked("POST", "/logout"))
        self.token = ""

    async def me(self) -> Mapping[str, Any]:
        """Who is logged in."""
        return dict(await self.value(asked("GET", "/me")))

    async def services(self) -> list[Mapping[str, Any]]:
        """What this person may use."""
        return list(await self.value(asked("GET", "/services")))

    async def call(self, service: str, name: str, arguments: Any = None, *, key: str = "") -> Any:
        """A query's or a change's result; of work its number: ``{"work": id}``."""
        return await self.value(command(service, name, arguments, key))

    async def ask(self, service: str, listing: str, question: Mapping[str, Any] | None = None) -> Query:
        """Ask a listing."""
        said = await self.value(asked("POST", f"/listings/{service}/{listing}", question or {}, again=True))
        return Query(said["query"], said["count"], said["rows"])

    async def page(self, query: Query, offset: int, limit: int) -> list[Mapping[str, Any]]:
        """Some rows of a query, as they are now."""
        path = f"/queries/{query.id}?offset={offset}&limit={limit}"
        return list((await self.value(asked("GET", path)))["rows"])

    async def place(self, query: Query, row: int) -> int | None:
        """Where the row with this id stands."""
        found = await self.value(asked("GET", f"/queries/{query.id}/position?row={row}"))
        return None if found["offset"] is None else int(found["offset"])

    async def totals(self, query: Query) -> Mapping[str, Any]:
        """The sums of the number columns."""
        return dict(await self.value(asked("GET", f"/queries/{query.id}/totals")))

    async def look(self, work: str) -> Work:
        """How far work is; raises Refusal when it failed."""
        return work_of(work, await self.value(asked("GET", f"/work/{work}")))

    async def cancel(self, work: str) -> None:
        """Cancel it."""
        await self.value(asked("DELETE", f"/work/{work}", again=True))

    async def wait(self, work: str, watch: Callable[[Work], None] = lambda work: None, every: float = 0.2) -> Work:
        """Look until it has ended."""
        while True:
            seen = await self.look(work)
            watch(seen)
            if seen.state != "running":
                return seen
            await asyncio.sleep(every)

    async def events(self, *, again: bool = True) -> AsyncGenerator[Mapping[str, Any], None]:
        """What happens, until the iterator is closed. An empty event says: look at everything again; it comes
        first, and after each lost connection. Without ``again`` a lost connection raises Unreachable, and a daemon
        that ends ends the iterator."""
        pause = 0.5
        while True:
            try:
                async with self.http.stream("GET", "/events", headers=self._headers({}), timeout=SILENCE) as answer:
                    if answer.status_code >= 400:
                        raise failure(answer.status_code, await answer.aread())
                    yield {}
                    pause = 0.5
                    async for line in answer.aiter_lines():
                        if (event := event_of(line)) is not None:
                            yield event
            except httpx2.TransportError as error:
                if not again:
                    raise Unreachable(f"{self.address}: {reason(error)}") from error
            if not again:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 15.0)

    async def download(self, path: str, into: Path) -> None:
        """What a path answers as a file, which has its name only when it is whole. Raises Refusal and Unreachable."""
        try:
            async with self.http.stream("GET", path, headers=self._headers({})) as answer:
                if answer.status_code >= 400:
                    raise failure(answer.status_code, await answer.aread())
                with whole(into) as file:
                    async for part in answer.aiter_bytes():
                        file.write(part)
        except httpx2.TransportError as error:
            raise Unreachable(f"{self.address}: {reason(error)}") from error

    async def close(self) -> None:
        """Give the connections back."""
        await self.http.aclose()

    async def value(self, request: Asked) -> Any:
        """Send, and read the JSON answer. Raises Refusal and Unreachable."""
        answer = await self.reply(request)
        return value_of(answer.status, answer.body)

    async def reply(self, request: Asked) -> Reply:
        """Send, and take the answer as it is, a refusal too. Raises Unreachable."""
        headers = self._headers(request.headers)
        for last in (not request.again, True):
            try:
                answer = await self.http.request(request.method, request.path, content=request.body, headers=headers)
                return Reply(answer.status_code, answer.content, answer.headers.get("content-type", ""))
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError) as error:
                if last:
                    raise Unreachable(f"{self.address}: {reason(error)}") from error
            except (httpx2.TransportError, httpx2.InvalidURL) as error:
                raise Unreachable(f"{self.address}: {reason(error)}") from error
        raise AssertionError("the second attempt answers or raises")

    def _headers(self, more: Mapping[str, str | bytes]) -> dict[bytes, bytes]:
        headers = {**more, "Authorization": f"Bearer {self.token}"} if self.token else more
        return {name.encode(): one if isinstance(one, bytes) else one.encode() for name, one in headers.items()}
