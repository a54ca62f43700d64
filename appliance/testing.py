"""For the tests of a service: its commands on a store in memory, as any person, at any time.

::

    trial = Trial(service, now=datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Asia/Jakarta")))
    desk = trial.person("ani", "receptionist")
    booked = desk("book", arrival="2026-01-06", …)
    with pytest.raises(RuleBroken): …
    assert [row["number"] for row in desk.listing("bookings", search="lotus")] == ["P202601001"]
    assert "Lotus" in desk.paper("bill", number="P202601001")

Arguments go through JSON and answers come back as JSON values, as over the wire.
An answer that its own declared type does not take is an AssertionError.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from appliance.contract.context import Event
from appliance.contract.documents import Document
from appliance.contract.listings import Question, columns_of
from appliance.contract.people import Person
from appliance.contract.results import KeptFile
from appliance.contract.service import Service
from appliance.daemon.documents import template_folders
from appliance.daemon.listings import Queries
from appliance.daemon.registry import Registry
from appliance.daemon.running import Answer, Runner, adapter
from appliance.store.audit import METADATA
from appliance.store.engine import Store

__all__ = ["Call", "Caller", "Trial"]

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

    def person(self, name: str, *roles: str, language: str = "en") -> Caller:
        """A person with these roles of the first service."""
        held = frozenset(f"{self.service.name}.{role}" for role in roles)
        return Caller(self, Person(name, held, language))

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


class Caller:
    """One person of a trial. Called, it does a command and gives what it answers, as JSON values."""

    def __init__(self, trial: Trial, person: Person) -> None:
        self._trial = trial
        self.who = person

    def __call__(self, command: str, /, **arguments: Any) -> Any:
        answer = self._answer(command, arguments)
        if not isinstance(answer.value, Document | KeptFile):
            _check(answer)
        return json.loads(answer.json())

    def listing(
        self,
        name: str,
        *,
        search: str = "",
        order: tuple[Mapping[str, Any], ...] = (),
        conditions: tuple[Mapping[str, Any], ...] = (),
    ) -> list[dict[str, Any]]:
        """The rows of a listing as this person sees them, each with its ``id`` and ``version``."""
        trial, service = self._trial, self._trial.service.name
        queries = Queries(trial.runner)
        found = queries.listing(self.who, service, name)
        question = adapter(Question).validate_json(
            to_json({"search": search, "order": order, "conditions": conditions})
        )
        asked = from_json(queries.ask("trial", self.who, service, found, question))
        names = [one.name for one in columns_of(found.row)]
        rows: list[dict[str, Any]] = []
        while len(rows) < asked["count"]:
            page = from_json(queries.page("trial", self.who, asked["query"], len(rows), 1000))
            rows += [
                {"id": one["id"], "version": one["version"], **dict(zip(names, one["values"], strict=True))}
                for one in page["rows"]
            ]
        return rows

    def paper(self, command: str, /, form: Literal["text", "html"] = "text", **arguments: Any) -> str:
        """What a command answers as a document, through its template, in this person's language."""
        from appliance.documents.rendering import Paper, as_html, as_text

        document = self._answer(command, arguments).value
        assert isinstance(document, Document), f"{command} answers no document"
        folders = template_folders(document, (one.service for one in self._trial.registry.services.values()), None)
        paper = Paper(language=self.who.language, zone=self._trial.runner.zone, folders=folders)
        return (as_html if form == "html" else as_text)(document, paper)

    def _answer(self, command: str, arguments: Mapping[str, Any]) -> Answer:
        body = to_json(arguments) if arguments else b""
        return self._trial.runner.call(self.who, self._trial.service.name, command, body)


def _check(answer: Answer) -> None:
    """A record that is made in Python is not read, so a wrong value in it would go out to clients."""
    try:
        adapter(answer.command.returns).validate_json(answer.json())
    except ValidationError as error:
        raise AssertionError(f"{answer.command.name} answers what its type does not allow: {error}") from None
