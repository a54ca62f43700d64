"""A timer over the chores, on a store in memory, with a clock that is set by hand; threads as the test wants them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from appliance.contract.context import Event
from appliance.daemon.registry import Registry
from appliance.daemon.running import Runner
from appliance.daemon.timer import Timer
from appliance.services.system import service as system
from appliance.services.system.tables import RUNS
from appliance.store.audit import AUDIT
from appliance.store.audit import METADATA as CORE
from appliance.store.engine import Store
from tests.appliance.daemon import chores
from tests.appliance.daemon.chores import commands

REGISTRY = Registry((system, chores.service))


class Garden:
    """``restart`` is another life of the daemon on the same store."""

    def __init__(self, now: datetime, zone: ZoneInfo, begin: Callable[[Callable[[], None]], Any] | None = None) -> None:
        for told in (commands.SWEPT, commands.WATERED, commands.HOOKS):
            told.clear()
        self.now = now.astimezone(UTC)
        self.events: list[Event] = []
        self.store = Store("sqlite://")
        for metadata in (CORE, REGISTRY.services["system"].metadata):
            metadata.create_all(self.store.engine)
        self.runner = Runner(
            self.store,
            REGISTRY,
            zone=zone,
            secret=b"garden",
            publish=self.events.extend,
            now=lambda: self.now.astimezone(self.runner.zone),
        )
        self._begin = begin or (lambda function: function())
        self.restart()

    def restart(self) -> None:
        """As after a death: nobody has tidied up."""
        self.timer = Timer(self.runner, self._begin)
        self.timer.recover()

    def later(self, **by: float) -> None:
        """The clock moves, and the daemon looks."""
        self.now += timedelta(**by)
        self.timer.tick()

    def runs(self, command: str = "sweep") -> list[Any]:
        """All runs, the oldest first."""
        with self.store.reading() as connection:
            return list(connection.execute(select(RUNS).where(RUNS.c.command == command).order_by(RUNS.c.id)))

    def audit(self) -> list[Any]:
        """The lines of the audit log."""
        with self.store.reading() as connection:
            return list(connection.execute(select(AUDIT).order_by(AUDIT.c.number)))

    def close(self) -> None:
        """Close the store."""
        self.timer.close()
        self.store.close()
