"""What the console knows now: who works, what he may do, and what was told."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.console.access import Access, PersonSeen

__all__ = ["ConsoleState", "Notice"]

KEPT = 500
"""Notices that are kept to be read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that was told. ``template`` is English."""

    at: float
    """Seconds since the epoch."""
    service: str
    template: str
    values: Mapping[str, Any]
    urgent: bool


@dataclass
class ConsoleState:
    """The one mutable thing; only the application writes it."""

    person: PersonSeen | None = None
    access: Access = field(default_factory=Access)
    connected: bool = False
    version: str = ""
    ill: tuple[str, ...] = ()
    """Services that are not well."""
    health: tuple[tuple[str, str], ...] = ()
    """Services and their states."""
    unread: int = 0
    notices: deque[Notice] = field(default_factory=lambda: deque(maxlen=KEPT))
    confirm_until: float = 0.0
    """When an unconfirmed commit is taken back, in seconds since the epoch; 0: none waits."""

    def forget(self) -> None:
        """Nobody is logged in."""
        self.person, self.access = None, Access()
        self.notices.clear()
        self.unread, self.confirm_until = 0, 0.0

    def learn_health(self, answer: Mapping[str, Any]) -> None:
        """From ``GET /health``."""
        self.connected = True
        self.version = str(answer.get("version") or "")
        states = [(str(one.get("name", "")), str(one.get("state", ""))) for one in answer.get("services") or ()]
        self.health = tuple(states)
        self.ill = tuple(name for name, state in states if state in ILL)

    def learn_waiting(self, seconds: float) -> None:
        """A commit waits this long for its confirmation; 0: none does."""
        self.confirm_until = time.time() + seconds if seconds else 0.0

    def learn_event(self, event: Mapping[str, Any]) -> Notice | None:
        """From ``GET /events``; the notice, if it has words that are news."""
        service, kind = str(event.get("service", "")), str(event.get("kind", ""))
        values = event.get("values") or {}
        if kind == "generation":
            # What has no deadline any more was confirmed or taken back.
            self.learn_waiting(float(values.get("seconds") or 0))
        template = str(event.get("template") or "")
        if not template:
            return None
        notice = Notice(
            at=time.time(),
            service=service,
            template=template,
            values=values,
            urgent=bool(event.get("urgent")),
        )
        self.notices.appendleft(notice)
        if self.person is not None and values.get("person") == self.person.name and not notice.urgent:
            return None  # one's own doing is no news
        self.unread += 1
        return notice


ILL = frozenset({"failed", "error", "down", "degraded", "stopped", "unhealthy"})
