"""For the tests of a service: its commands on a store in memory, as any person, at any time.

::

    trial = Trial(service, now=datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Asia/Jakarta")))
    desk = trial.person("ani", "receptionist")
    booked = desk("book", arrival="2026-01-06", …)
    with pytest.raises(RuleBroken): …

Arguments go through JSON and answers come back as JSON values, as over the wire.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from appliance.contract.context import Event
from appliance.contract.people import Person
from appliance.contract.service import Service
from appliance.daemon.registry import Registry
from appliance.daemon.running import Runner
from appliance.store.audit import METADATA
from appliance.store.engine import Store

__all__ = ["Trial"]

Call = Callable[..., Any]


class Trial:
    """Services on a store of their own. ``now`` stands still until it is moved."""

    def __init__(self, *services: Service, now: datetime, url: str = "sqlite://") -> None:
        assert isinstance(now.tzinfo, ZoneInfo), "the moment is in the zone where the appliance stands"
        self.now = now
        self.events: list[Event] = []
        self.store = Store(url)
        self.service = services[0]
        self.registry = Registry(services)
        METADATA.create_all(self.store.engine)
        for offered in self.registry.services.values():
            offered.metadata.create_all(self.store.engine)
        self.runner = Runner(
            self.store,
            self.registry,
            zone=now.tzinfo,
            secret=b"trial",
            publish=self.events.extend,
            now=lambda: self.now,
        )

    def person(self, name: str, *roles: str) -> Call:
        """A function that calls commands as a person with these roles of the first service."""
        who = Person(name, frozenset(f"{self.service.name}.{role}" for role in roles))

        def call(command: str, /, **arguments: Any) -> Any:
            answer = self.runner.call(who, self.service.name, command, to_json(arguments) if arguments else b"")
            return json.loads(answer.json())

        return call

    def load_examples(self) -> None:
        """Fill the store with the service's sample data."""
        examples = self.service.module("examples")
        assert examples is not None, f"{self.service.name} has no examples"
        with self.runner.changing(Person("demo"), self.service.name, "examples", {}) as context:
            examples.load(context)

    def later(self, **by: float) -> None:
        """Move the clock: ``later(days=2)``."""
        self.now += timedelta(**by)

    def close(self) -> None:
        """Close the store."""
        self.store.close()
