"""The client of the daemon, with what goes wrong in the words that the console's screens know."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

from appliance.client import errors
from appliance.client.protocol import Asked, Reply
from appliance.client.waiting import AsyncClient
from appliance.console.door import Failure, Transport, Unreachable
from appliance.console.places import Places
from appliance.contract.refusals import Refused
from appliance.language import _
from compiler.errors import UsageError

__all__ = ["ClientTransport", "open_transport"]


def open_transport(places: Places) -> Transport:
    """The real one. Raises Unreachable for authorities that cannot be read."""
    if places.authorities is None or places.address.socket:
        return ClientTransport(AsyncClient(places.address))
    try:
        believed = ssl.create_default_context(cafile=places.authorities)
    except (OSError, ssl.SSLError) as error:
        raise Unreachable(f"{places.authorities}: {error}") from error
    return ClientTransport(AsyncClient(places.address, verify=believed))


class ClientTransport:
    """A Transport by ``appliance.client``."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    @property
    def token(self) -> str:
        """Goes with every request."""
        return self._client.token

    @token.setter
    def token(self, token: str) -> None:
        self._client.token = token

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> Reply:
        """One request. What is done once however often it comes is sent again when the connection broke."""
        given = {"Content-Type": "application/json", **(headers or {})}
        again = again or method == "GET" or "Idempotency-Key" in given
        with _told():
            return await self._client.reply(Asked(method, path, body, given, again))

    async def download(self, path: str, into: Path) -> None:
        """Streamed beside the file, which has its name only when it is whole."""
        with _told():
            await self._client.download(path, into)

    async def events(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """As the daemon tells them."""
        with _told():
            async with aclosing(self._client.events(again=False)) as events:
                async for event in events:
                    yield event

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except errors.Unreachable as error:
        raise Unreachable(str(error)) from error
    except errors.Refusal as error:
        raise Failure(error) from error
    except UsageError as error:
        raise Refused(_("It cannot be saved: {reason}"), reason=str(error)) from error
