"""The parts of a running daemon, put together once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from appliance.contract.components import Component, Machine
from appliance.contract.context import Event
from appliance.contract.people import Person
from appliance.contract.service import Service
from appliance.daemon.events import Hub
from appliance.daemon.files import Files
from appliance.daemon.first_start import ADMINISTRATOR_NAME, FIRST_PASSWORD
from appliance.daemon.listings import Queries
from appliance.daemon.login import Logins
from appliance.daemon.ports import MachinePorts
from appliance.daemon.registry import Registry
from appliance.daemon.running import Runner
from appliance.daemon.sessions import Sessions
from appliance.daemon.threads import Threads
from appliance.daemon.work import Works
from appliance.language import _
from appliance.services.system.model import Settings
from appliance.store.audit import Head
from appliance.store.engine import Store
from appliance.store.settings import settings_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from appliance.commit.commits import Commits
    from appliance.commit.results import Outcome

__all__ = ["Appliance", "Parts"]

FLUSH_SECONDS = 60.0
logger = logging.getLogger("gerbang.daemon")
audit = logging.getLogger("gerbang.audit")


@dataclass(slots=True)
class Appliance:
    """The ports of the system's own services: ``context.appliance``."""

    store: Store
    registry: Registry
    state_folder: Path
    secret: bytes
    files: Files
    ports: MachinePorts

    @property
    def machine(self) -> Machine:
        """Who acts on the machine."""
        return self.ports.machine

    @property
    def commits(self) -> Commits:
        """The generations of the machine."""
        return self.ports.commits

    def components(self, connection: Connection) -> tuple[Component, ...]:
        """What all services want of the machine, by one snapshot of the store."""
        return self.ports.components(connection)


class Parts:
    """Everything that the HTTP paths use. The store is open and migrated; it is closed by who opened it."""

    def __init__(
        self,
        store: Store,
        services: Iterable[Service],
        *,
        zone: ZoneInfo,
        secret: bytes,
        state_folder: Path,
        now: Callable[[], datetime] | None = None,
        note: Callable[[Head], None] = lambda head: None,
        helper: Path | None = None,
    ) -> None:
        self.store = store
        self._zone = zone
        services = tuple(services)
        self.registry = Registry(services)
        self.ports = MachinePorts(services, state_folder, helper, self._taken_back)
        self.hub = Hub(self.registry)
        self.threads = Threads(store)
        self.files = Files(state_folder, store, services)
        self.appliance = Appliance(store, self.registry, state_folder, secret, self.files, self.ports)
        self.runner = Runner(
            store,
            self.registry,
            zone=zone,
            secret=secret,
            publish=self._publish,
            now=now,
            appliance=self.appliance,
            note=note,
        )
        self.runner.claim = self.files.claim
        self.sessions = Sessions(self.runner)
        self.queries = Queries(self.runner)
        self.works = Works(self.runner)
        self._first = state_folder / FIRST_PASSWORD
        self.logins = Logins(self.runner, self.sessions, self.threads, self._used_first)
        self._told_head: Head | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None

    def read_zone(self) -> None:
        """Take the time zone of the settings, if one is set there."""
        with self.store.reading() as connection:
            name = settings_of(connection, "system", Settings).zone
        self.runner.zone = ZoneInfo(name) if name else self._zone

    async def start(self) -> None:
        """Begin what runs beside the requests."""
        self.hub.start()
        await asyncio.to_thread(self.files.recover)
        self._starting = asyncio.create_task(asyncio.to_thread(self.ports.start))
        self._flushing = asyncio.create_task(self._flush())

    async def stop(self) -> None:
        """End streams, cancel work, and keep what is only in memory."""
        self.hub.close()
        if self._flushing is not None:
            self._flushing.cancel()
            with suppress(asyncio.CancelledError):
                await self._flushing
        await asyncio.to_thread(self.works.close)
        if self._starting is not None:
            await self._starting
        await asyncio.to_thread(self.ports.close)
        with suppress(Exception):
            await self.threads.writer.run(self.sessions.flush)
        await asyncio.to_thread(self.threads.close)

    def _taken_back(self, outcome: Outcome) -> None:
        """Nobody has confirmed a generation in time, or a start has found one that was interrupted."""
        said = {"ending": outcome.ending.value, "generation": outcome.generation}
        with self.runner.changing(Person("appliance"), "machine", "rollback", said) as context:
            context.publish(
                "generation",
                f"generations/{outcome.standing}",
                _("generation {generation} was taken back; generation {standing} runs"),
                urgent=True,
                generation=outcome.generation,
                standing=outcome.standing,
                deadline="",
            )

    def _publish(self, events: tuple[Event, ...]) -> None:
        # Before anybody is answered: a role that was taken is gone for the next request.
        if any(event.service == "system" for event in events):
            self.sessions.forget()
            if any(event.service == "system" and event.subject == "settings" for event in events):
                self.read_zone()
        self.hub.publish(events)

    def _tell_head(self) -> None:
        """Once a minute, if the audit log has grown: whoever collects the logs has a note of it elsewhere."""
        head = self.runner.head
        if head is not None and head != self._told_head:
            self._told_head = head
            audit.info("audit log: line %d has the hash %s", head.number, head.hash)

    def _used_first(self, name: str) -> None:
        if name == ADMINISTRATOR_NAME:
            self._first.unlink(missing_ok=True)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.threads.writer.run(self.sessions.flush)
                await self.threads.writer.run(self.files.expire, self.runner.now())
                self._tell_head()
            except Exception:
                logger.exception("the work of every minute could not be done")
