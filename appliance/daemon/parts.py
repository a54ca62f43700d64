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
from appliance.daemon.health import EVERY, Watch
from appliance.daemon.listings import Queries
from appliance.daemon.login import Logins
from appliance.daemon.ports import MachinePorts
from appliance.daemon.registry import Registry
from appliance.daemon.running import Runner
from appliance.daemon.sessions import Sessions
from appliance.daemon.threads import Threads
from appliance.daemon.timer import ITSELF, Timer
from appliance.daemon.work import Works
from appliance.language import _
from appliance.services.system.model import Settings
from appliance.store.audit import Head, is_cut, last_line
from appliance.store.engine import Store
from appliance.store.settings import settings_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from appliance.commit.commits import Commits
    from appliance.commit.journal import Owed

__all__ = ["Appliance", "Parts"]

FLUSH_SECONDS = 60.0
TICK_SECONDS = 20.0
"""Between two looks at what runs by itself, which is due by the minute."""
SERVING_SECONDS = 300.0
"""How long it waits at a start until the machine serves."""
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
    timer: Timer | None = None
    """What runs by itself."""

    @property
    def machine(self) -> Machine:
        """Who knows the machine; it acts through ``commits``."""
        return self.ports.glance

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
        self.ports = MachinePorts(services, state_folder, helper, self._owed)
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
        self.works = Works(self.runner, self.sessions.person_now)
        self.timer = self.appliance.timer = Timer(self.runner)
        self.timed = True
        """Whether anything runs by itself; said before the start."""
        self.watch = Watch(store, self.registry.services, self.ports.statuses, self._lost_store)
        self.on_loss: Callable[[], None] = lambda: None
        """Called in some thread when another daemon has taken the store: this one must end."""
        self.lost = False
        self._first = state_folder / FIRST_PASSWORD
        self.logins = Logins(self.runner, self.sessions, self.threads, self._used_first)
        self._told_head: Head | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._look_now: Callable[[], None] = lambda: None

    def read_zone(self) -> None:
        """Take the time zone of the settings, if one is set there."""
        with self.store.reading() as connection:
            name = settings_of(connection, "system", Settings).zone
        self.runner.zone = ZoneInfo(name) if name else self._zone

    def read_log(self, known: Head | None) -> None:
        """Go on after the line of the audit log that was noted before this start; say so if the log was cut."""
        self.runner.head = known
        with self.store.reading() as connection:
            last = last_line(connection)
        if known is not None and is_cut(last, known):
            audit.critical(
                "the audit log ends at line %d, and line %d was written before: it was cut, or an older database was"
                " put in its place. It goes on after line %d, and its verification tells which lines are missing",
                last.number if last else 0,
                known.number,
                known.number,
            )

    async def start(self) -> None:
        """Begin what runs beside the requests."""
        self.hub.start()
        await asyncio.to_thread(self.files.recover)
        self._starting = asyncio.create_task(asyncio.to_thread(self.ports.start))
        self._flushing = asyncio.create_task(self._flush())
        self._watching = asyncio.create_task(self._watch())
        if self.timed and not self.timer.idle:
            self._ticking = asyncio.create_task(self._tick(self._starting))

    async def stop(self) -> None:
        """End streams, cancel work, and keep what is only in memory."""
        self.hub.close()
        for task in (self._flushing, self._watching, self._ticking):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await asyncio.to_thread(self.works.close)
        await asyncio.to_thread(self.timer.close)
        if self._starting is not None:
            await self._starting
        await asyncio.to_thread(self.ports.close)
        try:
            await self.threads.writer.run(self.sessions.flush)
        except Exception:
            logger.exception("when the sessions were last used could not be kept")
        await asyncio.to_thread(self.threads.close)

    def _owed(self, owed: Owed) -> None:
        """Nobody has confirmed a generation in time, a start has found one that was interrupted, or the store was away
        when somebody's change of the machine ended."""
        said = {"ending": owed.ending.value, "generation": owed.generation, "when": owed.when.isoformat()}
        with self.runner.changing(Person(owed.who or ITSELF), owed.service, owed.command, said) as context:
            words = "" if owed.who else _("generation {generation} was taken back; generation {standing} runs")
            context.events.append(
                Event(
                    service="machine",
                    kind="generation",
                    subject=f"generations/{owed.standing}",
                    template=words,
                    values={"generation": owed.generation, "standing": owed.standing, "deadline": ""},
                    urgent=not owed.who,
                )
            )

    def _publish(self, events: tuple[Event, ...]) -> None:
        # Before anybody is answered: a role that was taken is gone for the next request.
        if any(event.service == "system" for event in events):
            self.sessions.forget()
            if any(event.service == "system" and event.subject == "settings" for event in events):
                try:
                    self.read_zone()
                except Exception:
                    logger.exception("the time zone could not be read")
        if any(event.service == "machine" for event in events):
            self._look_now()
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

    def _lost_store(self) -> None:
        self.lost = True
        self.on_loss()

    async def _watch(self) -> None:
        """Look at the store and the programs, every few seconds and when the machine has told something."""
        loop, told = asyncio.get_running_loop(), asyncio.Event()

        def look_now() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(told.set)

        self._look_now = look_now
        while True:
            told.clear()
            try:
                await self.threads.watch.run(self.watch.look)
            except Exception:
                logger.exception("the store and the machine could not be looked at")
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), EVERY)

    async def _tick(self, starting: asyncio.Task[None]) -> None:
        """What runs by itself, once the machine serves what it runs on."""
        await asyncio.wait({starting}, timeout=SERVING_SECONDS)
        recovered = False
        while True:
            try:
                if not recovered:
                    await asyncio.to_thread(self.timer.recover)
                    recovered = True
                await asyncio.to_thread(self.timer.tick)
            except Exception:
                logger.exception("what runs by itself could not be looked at")
            await asyncio.sleep(TICK_SECONDS)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                self.queries.retain(await self.threads.writer.run(self.sessions.flush))
                await self.threads.writer.run(self.files.expire, self.runner.now())
                self._tell_head()
            except Exception:
                logger.exception("the work of every minute could not be done")
