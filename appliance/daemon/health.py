"""Whether the store and the programs of the services serve: looked at beside the requests, told from memory.

``GET /v1/health`` needs no login and never waits: what it tells is at most some
seconds old. It names no program; ``machine.programs`` does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from sqlalchemy import text

from appliance.contract.programs import State, Status
from appliance.daemon.bodies import Health, ServiceState
from appliance.daemon.versions import version
from appliance.store.engine import Store
from appliance.store.failures import StoreBusy
from compiler.errors import GerbangError

__all__ = ["EVERY", "Watch"]

EVERY = 5.0
"""Seconds between two looks."""
STALE = 30.0
"""Seconds after which a look that has not ended counts as no answer of the store."""
FAILING = frozenset({State.FAILED, State.WAITING})
MACHINE = "machine"
log = logging.getLogger("gerbang.daemon")


class Watch:
    """The last known states. ``look`` is called in a thread of its own, ``told`` from anywhere.

    A service is ``ready``, ``degraded`` when one of its programs fails or, for
    the machine, when the root helper does not answer, and ``down`` without the
    store. The whole is ``ok``, ``degraded`` or ``store-failed``.
    """

    def __init__(
        self,
        store: Store,
        services: Iterable[str],
        statuses: Callable[[], tuple[Status, ...]],
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._services = sorted(services)
        self._statuses = statuses
        self._lost = lost
        self._owned = store.owned
        self._reached = True
        self._ill: frozenset[str] = frozenset()
        self._begun = 0.0
        """When the look that runs has begun; 0 while none runs."""

    def told(self) -> Health:
        """As it was at the last look."""
        stuck = self._begun and time.monotonic() - self._begun > STALE
        if not self._reached or stuck:
            states = [ServiceState(name=name, state="down") for name in self._services]
            return Health(status="store-failed", version=version(), services=states)
        ill = self._ill
        states = [ServiceState(name=name, state="degraded" if name in ill else "ready") for name in self._services]
        return Health(status="degraded" if ill else "ok", version=version(), services=states)

    def look(self) -> None:
        """Ask the store and the machine. Raises nothing of theirs."""
        self._begun = time.monotonic()
        try:
            self._look_at_store()
        finally:
            self._begun = 0.0
        self._look_at_programs()

    def _look_at_store(self) -> None:
        reached = True
        try:
            with self._store.reading() as connection:
                connection.execute(text("SELECT 1"))
            self._keep_owned()
        except Exception as error:
            reached = False
            if self._reached:
                log.error("the store does not answer: %s", error)
        if reached and not self._reached:
            log.info("the store answers again")
        self._reached = reached

    def _keep_owned(self) -> None:
        """A server that was restarted has forgotten whose the store is."""
        if not self._owned or self._store.owned:
            return
        try:
            self._store.own_again()
        except StoreBusy as error:
            # Two daemons on one store undo each other's work: the later one has it now.
            log.critical("another daemon has taken the store; this one ends: %s", error)
            self._owned = False
            self._lost()

    def _look_at_programs(self) -> None:
        try:
            statuses = self._statuses()
        except (GerbangError, OSError) as error:
            if MACHINE not in self._ill:
                log.warning("the machine does not answer: %s", error)
            self._ill |= {MACHINE}
            return
        self._ill = frozenset(one.program.partition(".")[0] for one in statuses if one.state in FAILING)
