"""The daemon behind the web door, over its socket or TLS port."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx2

from appliance.client.addresses import Address
from appliance.client.errors import LoginNeeded, Refusal, Unreachable
from appliance.client.protocol import Asked, asked, reason, value_of
from appliance.client.waiting import AsyncClient
from appliance.doors.web.daemon import LoginRefused, Unanswered

__all__ = ["DaemonClient"]


class DaemonClient:
    """A ``Daemon``. It speaks for browsers, so it tells the daemon from where each of them comes."""

    def __init__(self, address: Address, *, verify: ssl.SSLContext | bool = True) -> None:
        self._client = AsyncClient(address, verify=verify)

    async def log_in(self, name: str, password: str, peer: str) -> tuple[str, str]:
        """A token, and the person's name."""
        given = {"name": name, "password": password}
        said = await self._value(asked("POST", "/login", given, {"Gerbang-Peer": peer}))
        return str(said["token"]), str(said["person"]["name"])

    async def log_out(self, token: str) -> None:
        """End the session."""
        await self._value(asked("POST", "/logout", headers={"Authorization": f"Bearer {token}"}))

    async def knows(self, token: str) -> bool:
        """Whether the session still is; what is refused for another reason is no end of a session."""
        try:
            await self._client.value(asked("GET", "/me", headers={"Authorization": f"Bearer {token}"}))
        except LoginNeeded:
            return False
        except Refusal:
            return True
        except Unreachable as error:
            raise Unanswered(str(error)) from error
        return True

    async def public_services(self) -> Sequence[str]:
        """The titles of what a visitor may use."""
        try:
            return [str(one["title"]) for one in await self._value(asked("GET", "/services")) if one["public"]]
        except LoginRefused:
            return []

    async def keep_file(self, token: str, name: str, kind: str, content: AsyncIterator[bytes]) -> Mapping[str, str]:
        """Keep a file, sent on as it comes."""
        # Header values are bytes; the daemon reads UTF-8.
        headers = {
            b"Content-Type": kind.encode("latin-1", "replace"),
            b"X-Name": name.encode("utf-8", "replace"),
            b"Authorization": f"Bearer {token}".encode("latin-1"),
        }
        try:
            answer = await self._client.http.post("/files", content=content, headers=headers)
            kept: Mapping[str, str] = value_of(answer.status_code, answer.content)
        except Refusal as refused:
            raise _no(refused) from None
        except Unreachable as error:
            raise Unanswered(str(error)) from error
        except httpx2.TransportError as error:
            raise Unanswered(reason(error)) from error
        return kept

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.http.aclose()

    async def _value(self, request: Asked) -> Any:
        try:
            return await self._client.value(request)
        except Refusal as refused:
            raise _no(refused) from None
        except Unreachable as error:
            raise Unanswered(str(error)) from error


def _no(refused: Refusal) -> LoginRefused:
    return LoginRefused(refused.template or refused.message, refused.values)
