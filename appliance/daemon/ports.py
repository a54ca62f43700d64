"""The daemon's way to the machine: its commits, and who acts for it as root."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.contract.components import Component, Machine
from appliance.contract.programs import Status
from appliance.contract.service import Service
from appliance.helper.answers import HelperRefused
from appliance.helper.network import installed_network

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from appliance.commit.commits import Commits
    from appliance.commit.journal import Owed

__all__ = ["MachinePorts"]

GLANCE = 5.0
"""Seconds."""
log = logging.getLogger("gerbang.machine")


class _NetworkOfOthers:
    """The network of a machine without a root helper: looked at, never changed. A demonstration that root has started
    must not touch the network of who tries it."""

    def start(self) -> object:
        """Nothing was confirmed here."""
        return None

    def apply(self, before: Path | None, after: Path | None, confirm_within: int) -> object:
        """Refused."""
        raise HelperRefused("unavailable", "no root helper runs here, so the network is not changed")

    def confirm(self) -> None:
        """Refused: nothing waits."""
        raise HelperRefused("unavailable", "no root helper runs here, so no change of the network waits")

    def roll_back(self) -> None:
        """As above."""
        self.confirm()

    def told(self) -> str:
        """How it stands, for whom the kernel tells it."""
        return installed_network().told()


class MachinePorts:
    """Commits and the machine of one daemon; each is made when it is first used.

    With a root helper's socket the helper acts; without one the daemon runs
    programs itself, as its own user.
    """

    def __init__(
        self,
        services: Iterable[Service],
        state: Path,
        helper: Path | None,
        told: Callable[[Owed], None] | None = None,
    ) -> None:
        self._services = tuple(services)
        self._state = state
        self._helper = helper
        self._told = told
        self._closing: list[Callable[[], None]] = []
        # Several threads ask first at once, and since Python 3.12 cached_property lets each make one.
        self._making = threading.RLock()

    @property
    def machine(self) -> Machine:
        """The root helper, or this process itself."""
        with self._making:
            return self._machine

    @cached_property
    def _machine(self) -> Machine:
        from appliance.helper.catalogue import installed_catalogue
        from appliance.helper.client import HelperMachine
        from appliance.helper.direct import DirectMachine
        from appliance.supervisor.own import OwnSupervisor
        from appliance.supervisor.places import Places

        if self._helper is not None:
            return HelperMachine(self._helper, self._state / "generations")
        catalogue = installed_catalogue(self._services)
        programs = catalogue.programs
        places = Places(run=self._state / "run", state=self._state / "programs")
        supervisor = OwnSupervisor(places, programs)
        self._closing.append(supervisor.close)
        return DirectMachine(
            supervisor,
            programs,
            places,
            operations=catalogue.operations,
            kept=catalogue.data,
            network=_NetworkOfOthers,
        )

    @property
    def glance(self) -> Machine:
        """The same machine, to be looked at: a helper that does not answer within some seconds has said enough."""
        from appliance.helper.client import HelperMachine

        if self._helper is None:
            return self.machine
        return HelperMachine(self._helper, self._state / "generations", patience=GLANCE)

    def statuses(self) -> tuple[Status, ...]:
        """All programs; none while this process runs none itself."""
        return () if self._helper is None and "_machine" not in self.__dict__ else self.glance.status()

    @property
    def commits(self) -> Commits:
        """The generations."""
        with self._making:
            return self._commits

    @cached_property
    def _commits(self) -> Commits:
        from appliance.commit.commits import Commits
        from appliance.components import standard_kinds

        commits = Commits(self._state, self.machine, (*standard_kinds(), *self._declared("KINDS")), told=self._told)
        self._closing.append(commits.close)
        return commits

    def components(self, connection: Connection) -> tuple[Component, ...]:
        """What all services want of the machine, by one snapshot of the store."""
        sources = [module.components for module in self._modules() if hasattr(module, "components")]
        found = tuple(component for source in sources for component in source(connection))
        # Who serves what others declare makes its own from theirs.
        completing = [module.completing for module in self._modules() if hasattr(module, "completing")]
        return (*found, *(component for source in completing for component in source(connection, found)))

    def start(self) -> None:
        """After a start of the daemon: take back what was interrupted or not confirmed, then make everything serve.
        Neither asks the store: what it is owed of this it is told when it is there."""
        from appliance.commit.generations import GenerationUnreadable
        from appliance.commit.journal import JournalUnreadable

        if not self.recover():
            return
        try:
            if self.commits.status().current:
                outcome = self.commits.resume("start")
                if outcome.acted and not outcome.undone:
                    log.info("made serve again: %s", ", ".join(outcome.acted))
        except JournalUnreadable:
            self._hold()
        except GenerationUnreadable as error:
            log.critical(
                "%s. What runs goes on, and what does not is not started: `gerbang appliance commit --overwrite` makes"
                " all of it anew, `gerbang appliance rollback` goes back to the generation before",
                error,
            )
        except Exception:
            log.exception("the machine could not be brought to its generation")

    def recover(self) -> bool:
        """Take back what was interrupted or not confirmed in time; False when nothing was ever committed here."""
        from appliance.commit.generations import Folder
        from appliance.commit.journal import JournalUnreadable

        if not (self._state / "journal.json").exists() and not Folder(self._state).numbers():
            return False
        try:
            self.commits.recover()
        except JournalUnreadable:
            pass  # the log has it, with what is to be done
        except Exception:
            log.exception("what was interrupted could not be taken back; the timer tries again")
        return True

    def _hold(self) -> None:
        try:
            if acted := self.commits.hold():
                log.info("made serve again without the journal: %s", ", ".join(acted))
        except Exception:
            log.exception("what served before could not be made to serve")

    def close(self) -> None:
        """Stop what was started here."""
        for close in reversed(self._closing):
            close()

    def _modules(self) -> Iterable[Any]:
        return [module for one in self._services if (module := one.module("components"))]

    def _declared(self, name: str) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(one for module in self._modules() for one in getattr(module, name, ())))
