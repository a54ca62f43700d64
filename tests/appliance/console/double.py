"""A double of the daemon: a Transport that answers from a table, for what a real daemon does not do on request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any

from appliance.client.protocol import Reply
from appliance.console.door import Unreachable

PERSON = {"name": "ani", "full_name": "Ani Wijaya", "language": "en", "roles": ["pool.clerk"]}


class Double:
    """Answers ``(method, path)`` by what ``answers`` holds: a value, an (error status, error), or a function of the
    request's JSON. Everything that was asked is in ``asked``."""

    def __init__(self, **answers: Any) -> None:
        self.token = ""
        self.reachable = True
        self.asked: list[tuple[str, str, Any]] = []
        self.told: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()
        self.listening = 0
        self.valid: set[str] = set()
        self.password = "right"
        self.person: dict[str, Any] = dict(PERSON)
        self.must_change = False
        self.services: list[dict[str, Any]] = []
        self.answers: dict[tuple[str, str], Any] = {}
        for name, value in answers.items():
            setattr(self, name, value)

    def __call__(self, _places: object) -> Double:
        return self

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> Reply:
        if not self.reachable:
            raise Unreachable("Connection refused")
        value = json.loads(body) if body else None
        self.asked.append((method, path, value))
        if (method, path) in self.answers:
            answer = self.answers[method, path]
            answer = answer(value) if isinstance(answer, Callable) else answer  # type: ignore[arg-type]
        else:
            answer = self._own(method, path, value)
        status, shown = answer if isinstance(answer, tuple) else (200, answer)
        return Reply(status, b"" if shown is None else json.dumps(shown).encode(), "application/json")

    def logins(self) -> int:
        """How often somebody has tried."""
        return sum(path == "/login" for _method, path, _value in self.asked)

    def _own(self, method: str, path: str, value: Any) -> Any:
        if path == "/health":
            return {"status": "ok", "version": "1", "services": [{"name": one["name"], "state": "ok"}
                                                                for one in self.services]}  # fmt: skip
        if path == "/login":
            if value["password"] != self.password or value["name"] != self.person["name"]:
                return 401, error("login-refused", "the name or the password is wrong")
            token = f"token{len(self.asked)}"
            self.valid.add(token)
            return {"token": token, "expires_at": "", "must_change_password": self.must_change, "person": self.person}
        if self.token not in self.valid:
            return 401, error("login-needed", "log in first")
        if path == "/services":
            return self.services
        if path == "/password":
            if value["old"] != self.password:
                return 403, error("not-allowed", "the old password is wrong")
            self.password, self.must_change = value["new"], False
        if path == "/logout":
            self.valid.discard(self.token)
        if method in {"POST", "DELETE"}:
            return None
        return 404, error("not-found", "there is no {what} {key}", what="path", key=path)

    async def download(self, path: str, into: Path) -> None:
        into.write_bytes(b"exported")

    async def events(self) -> AsyncGenerator[Mapping[str, Any], None]:
        if not self.reachable:
            raise Unreachable("Connection refused")
        self.listening += 1
        try:
            yield {}
            while True:
                event = await self.told.get()
                if event is None:
                    raise Unreachable("Connection reset by peer")
                yield event
        finally:
            self.listening -= 1

    async def close(self) -> None:
        pass


def error(code: str, template: str, **values: Any) -> dict[str, Any]:
    """The daemon's shape of a refusal."""
    return {"error": {"code": code, "template": template, "values": values, "field": "", "message": template}}
