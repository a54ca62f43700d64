"""Requests to the daemon over its UNIX socket or TLS port, without waiting for one another."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx2

from appliance.console.door import Reply, Transport, Unreachable, failure
from appliance.console.places import Places

__all__ = ["HttpTransport", "open_transport"]

PATIENCE = httpx2.Timeout(30.0, connect=5.0)
"""Seconds; a command that takes longer is work, and answers at once."""
SILENCE = httpx2.Timeout(None, connect=5.0, read=45.0)
"""Of the events: three heartbeats missed is a lost connection."""


def open_transport(places: Places) -> Transport:
    """The real one."""
    return HttpTransport(places)


def _believed() -> ssl.SSLContext | bool:
    """``GERBANG_CA`` names a file with the authorities to believe, PEM."""
    chosen = os.environ.get("GERBANG_CA", "")
    return ssl.create_default_context(cafile=chosen) if chosen else True


class HttpTransport:
    """A Transport by HTTP/1.1."""

    def __init__(self, places: Places) -> None:
        self.token = ""
        carried = httpx2.AsyncHTTPTransport(uds=str(places.socket)) if places.socket else None
        base = places.url.rstrip("/") if places.url else "http://gerbang"
        # A proxy of the environment has no business between a console and its own daemon.
        self._client = httpx2.AsyncClient(
            transport=carried,
            base_url=f"{base}/v1",
            timeout=PATIENCE,
            trust_env=False,
            follow_redirects=False,
            verify=_believed(),
        )

    def _headers(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        headers = {"Content-Type": "application/json", **(more or {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    async def request(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request."""
        try:
            answer = await self._client.request(method, path, content=body, headers=self._headers(headers))
        except httpx2.TransportError as error:
            raise Unreachable(_reason(error)) from error
        return Reply(answer.status_code, answer.content, answer.headers.get("content-type", ""))

    async def download(self, path: str, into: Path) -> None:
        """Streamed beside the file, which has its name only when it is whole."""
        beside = into.with_name(f".{into.name}.{os.getpid()}")
        try:
            async with self._client.stream("GET", path, headers=self._headers()) as answer:
                if answer.status_code >= 400:
                    raise failure(Reply(answer.status_code, await answer.aread()))
                with beside.open("wb") as file:
                    async for part in answer.aiter_bytes():
                        file.write(part)
            beside.replace(into)
        except httpx2.TransportError as error:
            raise Unreachable(_reason(error)) from error
        finally:
            beside.unlink(missing_ok=True)

    async def events(self) -> AsyncIterator[Mapping[str, Any]]:
        """Server-Sent Events, one ``data`` line each."""
        headers = self._headers({"Accept": "text/event-stream"})
        try:
            async with self._client.stream("GET", "/events", headers=headers, timeout=SILENCE) as answer:
                if answer.status_code >= 400:
                    raise failure(Reply(answer.status_code, await answer.aread()))
                yield {}
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        value = json.loads(line[5:])
                        if isinstance(value, dict) and value:
                            yield value
        except httpx2.TransportError as error:
            raise Unreachable(_reason(error)) from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


def _reason(error: Exception) -> str:
    """What the system said, as short as it is."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
