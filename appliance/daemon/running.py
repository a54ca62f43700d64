"""Running a command: arguments read strictly, roles asked, one transaction with its line of the audit log, then events.

Knows nothing of HTTP; the tests and the embedded daemon use it as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json, to_jsonable_python
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from appliance.contract.commands import Command, Effect
from appliance.contract.context import Context, Event, Progress
from appliance.contract.kinds import Entry
from appliance.contract.listings import Asking
from appliance.contract.people import Person
from appliance.contract.redaction import redacted
from appliance.contract.refusals import NotAllowed, NotFound
from appliance.contract.results import ClaimedFile
from appliance.daemon.once import Once
from appliance.daemon.registry import Offered, Registry
from appliance.language import _
from appliance.store.audit import Head, Line, append
from appliance.store.engine import Store
from appliance.store.settings import settings_of
from appliance.store.violations import refusal_of

__all__ = ["Answer", "InvalidArguments", "Problem", "Runner", "adapter", "problems_of", "redacted"]

MOST_PROBLEMS = 100
LONGEST_NAME = 200
logger = logging.getLogger("gerbang.daemon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One argument that is not as its type says. ``kind`` and ``bounds`` are pydantic's, for the reader's words."""

    field: str
    """``booking.nights`` or ``lines.3.price``."""
    kind: str
    bounds: dict[str, Any]


class InvalidArguments(Exception):
    """Arguments that the command's record does not take: every one that is wrong, by its name."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{one.field}: {one.kind}" for one in problems))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answered."""

    command: Command
    value: Any
    repeated: bytes | None = None
    """The answer of the first time, when the same request came twice."""

    def json(self) -> bytes:
        """As JSON, by the command's declared type."""
        if self.repeated is not None:
            return self.repeated
        return bytes(adapter(self.command.returns).dump_json(self.value))

    def json_without_secrets(self) -> bytes:
        """What is kept of it: a one-time password is told once."""
        secrets = _secret_names(type(self.value)) if is_dataclass(self.value) else set()
        if not secrets:
            return self.json()
        held = adapter(self.command.returns).dump_python(self.value, mode="json")
        return bytes(to_json({name: "•••" if name in secrets else value for name, value in held.items()}))


class _Repeated(Exception):
    """Ends the transaction of a change that was made before."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer


def _secret_names(record: type) -> set[str]:
    hints = get_type_hints(record, include_extras=True)
    return {name for name, hint in hints.items() if Entry("secret") in getattr(hint, "__metadata__", ())}


def adapter(annotation: Any) -> TypeAdapter[Any]:
    """Pydantic's reader and writer of a type, made once."""
    return _made(annotation)


@cache
def _made(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


class Runner:
    """Runs the commands of a registry on a store."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        zone: ZoneInfo,
        secret: bytes,
        publish: Callable[[tuple[Event, ...]], None],
        now: Callable[[], datetime] | None = None,
        appliance: Any = None,
        note: Callable[[Head], None] = lambda head: None,
    ) -> None:
        self.store = store
        self.registry = registry
        self.zone = zone
        self.secret = secret
        """The key of the audit chain."""
        self.publish = publish
        self.now = now or (lambda: datetime.now(self.zone))
        self.appliance = appliance
        """Given to the system's own services as ``context.appliance``."""
        self.note = note
        """Told the last line of the audit log, once its transaction is kept."""
        self.claim: Callable[[Context, str, str], ClaimedFile] | None = None
        """Behind ``Context.claim_file``: the daemon's files."""
        self.head: Head | None = None
        """The last line of the audit log that is known to be kept: what was noted before the start, then our own."""
        self._last: tuple[int, Head | None] = (0, None)

    def find(self, person: Person, service: str, name: str) -> tuple[Offered, Command]:
        """The command, if it is there and this person may use it."""
        offered = self.registry.services.get(service)
        command = offered.commands.get(name) if offered else None
        if offered is None or command is None:
            raise NotFound(_("command"), f"{service}.{name}")
        if not person.reaches(service, command.roles):
            raise NotAllowed(
                _("{person} has none of the roles for {command}: {roles}"),
                person=person.name or "visitor",
                command=f"{service}.{name}",
                roles=", ".join(sorted(command.roles)),
            )
        return offered, command

    def read_arguments(self, command: Command, body: bytes) -> Any:
        """The command's record from JSON, or None; raises InvalidArguments."""
        try:
            if command.arguments is None:
                return _no_arguments(body)
            return adapter(command.arguments).validate_json(body or b"{}")
        except ValidationError as error:
            raise InvalidArguments(tuple(problems_of(error))) from None

    def prepare(self, command: Command, body: bytes) -> Any:
        """What the command's ``before`` answers. Raises InvalidArguments."""
        arguments = self.read_arguments(command, body)
        return command.before(arguments) if command.before is not None else None

    def call(
        self, person: Person, service: str, name: str, body: bytes, once: Once | None = None, prepared: Any = None
    ) -> Answer:
        """Run a query or a change, with ``once`` never twice. What it raises leaves the store as it was."""
        _, command = self.find(person, service, name)
        arguments = self.read_arguments(command, body)
        if command.before is not None and prepared is None:
            prepared = command.before(arguments)
        if command.effect is Effect.QUERY:
            with self.store.reading() as connection:
                return Answer(command, self._run(command, self._context(connection, person, service), arguments))
        try:
            with self.changing(person, service, name, redacted(arguments)) as context:
                # Looked up in the writer's own transaction, so that two repeats at one moment see each other.
                if once is not None and (repeated := once.answer(context.connection, context.now)) is not None:
                    raise _Repeated(repeated)
                given = context if prepared is None else replace(context, prepared=prepared)
                answer = Answer(command, self._run(command, given, arguments))
                if once is not None:
                    once.keep(context, answer.json_without_secrets())
        except _Repeated as found:
            return Answer(command, None, found.answer)
        return answer

    def work(self, person: Person, service: str, name: str, body: bytes, tell: Callable[[Progress], None]) -> Answer:
        """Run a command that takes long, in the caller's thread; ``tell`` may raise Cancelled."""
        _, command = self.find(person, service, name)
        arguments = self.read_arguments(command, body)
        context = replace(self.working(person, service), tell=tell)
        return Answer(command, self._run(command, context, arguments))

    def working(self, person: Person, service: str) -> Context:
        """The context of work: without a connection, it opens its own transactions."""
        return self._context(None, person, service)  # type: ignore[arg-type]

    @contextmanager
    def changing(self, person: Person, service: str, name: str, arguments: Any) -> Iterator[Context]:
        """One transaction with its line of the audit log; its events go out when it is kept."""
        with self.store.writing() as connection:
            context = self._context(connection, person, service)
            yield context
            line = Line(at=context.now, person=person.name, service=service, command=name, arguments=arguments)
            head = self._append(connection, line)
            self.store.when_kept(self._kept, (head, context.events))

    def tell(self, person: str, service: str, command: str, arguments: Any, outcome: str) -> None:
        """A line of the audit log of its own, for what was not done: a login that was refused."""
        line = Line(
            at=self.now(), person=person, service=service, command=command, arguments=arguments, outcome=outcome
        )
        with self.store.writing() as connection:
            self.store.when_kept(self._kept, (self._append(connection, line), ()))

    def _append(self, connection: Connection, line: Line) -> Head:
        # A line is the last thing that a change writes, so it is undone only with its whole transaction.
        transaction, last = self._last
        mine = last if transaction == self.store.transaction else None
        head = append(connection, line, self.secret, mine, self.head)
        self._last = (self.store.transaction, head)
        return head

    def _kept(self, told: list[tuple[Head, Sequence[Event]]]) -> None:
        self.head = told[-1][0]
        try:
            self.note(self.head)
        except Exception:
            # The next line's note makes up for it; a right that was taken is forgotten now.
            logger.exception("the audit log's last line could not be noted")
        self.publish(tuple(event for _head, events in told for event in events))

    def _run(self, command: Command, context: Context, arguments: Any) -> Any:
        try:
            return command.function(context) if command.arguments is None else command.function(context, arguments)
        except IntegrityError as error:
            # What the database holds by itself is a rule like any other; who asks is told which.
            raise refusal_of(error) from error

    def asking(self, connection: Connection, person: Person, service: str) -> Asking:
        """What the listings of the service may go by."""
        return Asking(
            person=person, now=self.now(), settings_of=lambda record: settings_of(connection, service, record)
        )

    def _context(self, connection: Connection, person: Person, service: str) -> Context:
        def settings(record: type[Any]) -> Any:
            if connection is not None:
                return settings_of(connection, service, record)
            with self.store.reading() as own:
                return settings_of(own, service, record)

        return Context(
            connection=connection,
            person=person,
            now=self.now(),
            zone=self.zone,
            service=service,
            settings_of=settings,
            events=[],
            reading=self.store.reading,
            writing=lambda name, arguments: self.changing(person, service, name, arguments),
            claim=self.claim,
            appliance=self.appliance,
        )


def _no_arguments(body: bytes) -> None:
    if body.strip() not in {b"", b"{}", b"null"}:
        raise InvalidArguments((Problem(field="", kind="no_arguments", bounds={}),))


def problems_of(error: ValidationError) -> Iterator[Problem]:
    """What pydantic found, without what was sent. Very many are counted: to say each of 100,000 would take seconds."""
    if (count := error.error_count()) > MOST_PROBLEMS:
        said = _("{count} of the arguments are not as the command takes them")
        yield Problem(field="", kind="too_many_problems", bounds={"template": said, "values": {"count": count}})
        return
    for one in error.errors(include_url=False, include_input=False):
        context = one.get("ctx", {})
        raised = context.get("error")
        bounds = {name: to_jsonable_python(value, fallback=str) for name, value in context.items() if name != "error"}
        field = ".".join(str(part) for part in one["loc"])[:LONGEST_NAME]
        if raised is not None:  # a ValueError of our own: RuleBroken names its field and brings its words
            template = getattr(raised, "template", str(raised))
            bounds = {"template": template, "values": to_jsonable_python(getattr(raised, "values", {}), fallback=str)}
            field = getattr(raised, "field", "") or field
        yield Problem(field=field, kind=one["type"], bounds=bounds)
