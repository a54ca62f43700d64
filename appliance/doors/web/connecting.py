"""The daemon behind the web door, over its socket or TLS port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import httpx2

from appliance.client.addresses import Address
from appliance.client.errors import Refusal, Unreachable
from appliance.client.protocol import asked, reason, value_of
from appliance.client.waiting import AsyncClient
from appliance.doors.web.daemon import LoginRefused, Unanswered

__all__ = ["DaemonClient"]


class DaemonClient:
    """A ``Daemon``. It speaks for browsers, so it tells the daemon from where each of them comes."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client = AsyncClient(address)

    async def log_in(self, name: str, password: str, peer: str) -> tuple[str, str]:
        """A token, and the person's name."""
        request = asked("POST", "/login", {"name": name, "password": password}, **{"Gerbang-Peer": peer})
        try:
            said = await self._client.value(request)
        except Refusal as refused:
            raise LoginRefused(refused.message) from None
        except Unreachable as error:
            raise Unanswered from error
        return str(said["token"]), str(said["person"]["name"])

    async def log_out(self, token: str) -> None:
        """End the session."""
        try:
            await self._client.value(asked("POST", "/logout", Authorization=f"Bearer {token}"))
        except Refusal as refused:
            raise LoginRefused(refused.message) from None
        except Unreachable as error:
            raise Unanswered from error

    async def public_services(self) -> Sequence[str]:
        """The titles of what a visitor may use."""
        try:
            return [str(one["title"]) for one in await self._client.services()]
        except Refusal:
            return []
        except Unreachable as error:
            raise Unanswered from error

    async def keep_file(self, token: str, name: str, kind: str, content: AsyncIterator[bytes]) -> Mapping[str, str]:
        """Keep a file, sent on as it comes."""
        headers = {"Content-Type": kind, "X-Name": name.encode("ascii", "replace").decode()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            answer = await self._client.http.post("/files", content=content, headers=headers)
            kept: Mapping[str, str] = value_of(answer.status_code, answer.content)
        except Refusal as refused:
            raise LoginRefused(refused.message) from None
        except (Unreachable, httpx2.TransportError) as error:
            raise Unanswered(reason(error) if isinstance(error, httpx2.TransportError) else str(error)) from error
        return kept

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.http.aclose()
