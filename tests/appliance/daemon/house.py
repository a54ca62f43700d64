"""A daemon for tests: its parts on a store, people with tokens, requests in process or over a real socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import uvicorn

from appliance.contract.people import ADMINISTRATOR, Person
from appliance.contract.service import Service
from appliance.daemon.app import build
from appliance.daemon.parts import Parts
from appliance.daemon.peers import PeerProtocol
from appliance.daemon.serving import _Server
from appliance.daemon.sockets import listening_socket
from appliance.services.system import passwords
from appliance.services.system import service as system
from appliance.services.system.commands import make
from appliance.services.system.model import PersonRecord
from appliance.services.system.passwords import hashed
from appliance.store.engine import Store
from appliance.store.migrate import upgrade
from appliance.store.revisions import metadata_of, with_core
from tests.appliance.daemon.ledger import service as ledger

ZONE = ZoneInfo("Asia/Jakarta")
PASSWORD = "kuda terbang biru"
ROOT = Person("", frozenset({ADMINISTRATOR}))


passwords.MEMORY = 64  # a tenth of a second for each login is for daemons, not for tests


@cache
def kept_password() -> str:
    """The hash of PASSWORD, made once."""
    return hashed(PASSWORD)


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 8, 0, tzinfo=ZONE)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)


class House:
    """The parts of a daemon with people in it. All have PASSWORD."""

    def __init__(self, folder: Path, url: str = "sqlite://", services: Sequence[Service] = (system, ledger)) -> None:
        self.clock = Clock()
        self.store = Store(url)
        if self.store.memory:
            for service in with_core(services):
                metadata_of(service).create_all(self.store.engine)
        else:
            upgrade(self.store, services, None)
        self.parts = Parts(self.store, services, zone=ZONE, secret=b"k" * 32, state_folder=folder, now=self.clock)
        self.app = build(self.parts)
        self.add("admin", ADMINISTRATOR)

    def add(self, name: str, *roles: str) -> None:
        """A person with these roles."""
        with self.parts.runner.changing(ROOT, "system", "people.add", {"name": name}) as context:
            make(
                context,
                PersonRecord(name=name, full_name=name.title(), roles=roles),
                kept_password(),
                must_change=False,
            )

    def token(self, name: str) -> str:
        """A new session of this person."""
        with self.parts.runner.changing(Person(name), "system", "login", {}) as context:
            return self.parts.sessions.open(context, name, "test")[0]

    def header(self, name: str) -> dict[str, str]:
        """The Authorization header of a new session."""
        return {"Authorization": f"Bearer {self.token(name)}"}

    def audit(self) -> list[Any]:
        """The lines of the audit log."""
        from sqlalchemy import select

        from appliance.store.audit import AUDIT

        with self.store.reading() as connection:
            return list(connection.execute(select(AUDIT).order_by(AUDIT.c.number)))

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Requests in process."""
        with Client(self.app) as client:
            yield client

    @contextmanager
    def live(self, folder: Path) -> Iterator[Path]:
        """A real server on a UNIX socket, in a thread."""
        path = folder / "run" / "api.sock"
        own = listening_socket(path)
        server = _Server(
            uvicorn.Config(
                self.app,
                http=PeerProtocol,
                ws="none",
                log_config=None,
                access_log=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[own])))
        thread.start()
        try:
            while not server.started:
                threading.Event().wait(0.005)
            yield path
        finally:
            self.parts.hub.close()
            server.should_exit = True
            thread.join()
            own.close()


class Client:
    """Requests to an ASGI application, each on one loop of its own that lives as long as the client."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __enter__(self) -> Client:
        self._runner = asyncio.Runner()
        self._lifespan = self._app.router.lifespan_context(self._app)
        self._runner.run(self._lifespan.__aenter__())
        self._http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self._app, raise_app_exceptions=False), base_url="http://gerbang/v1"
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._http.aclose())
        self._runner.run(self._lifespan.__aexit__(None, None, None))
        self._runner.close()

    def run(self, coroutine: Any) -> Any:
        """On the client's loop."""
        return self._runner.run(coroutine)

    def post(self, path: str, value: Any = None, headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
        """A POST with a JSON body."""
        if value is not None:
            more["json"] = value
        return self.run(self._http.post(path, headers=headers, **more))

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx2.Response:
        """A GET."""
        return self.run(self._http.get(path, headers=headers))

    def delete(self, path: str, headers: dict[str, str] | None = None) -> httpx2.Response:
        """A DELETE."""
        return self.run(self._http.delete(path, headers=headers))

    def at_once(self, *requests: tuple[str, Any, dict[str, str]]) -> list[httpx2.Response]:
        """Several POSTs at a time."""

        async def all_of_them() -> list[httpx2.Response]:
            return await asyncio.gather(
                *(self._http.post(path, json=value, headers=headers) for path, value, headers in requests)
            )

        return self.run(all_of_them())
