"""What the services do by themselves: looked at every few seconds, run beside everything else, kept, and told.

Each run takes its occasion in the store before it begins, so that no death of
the process makes it twice, and has one line in the audit log when it has ended.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from appliance.contract.commands import Command, Effect
from appliance.contract.context import Cancelled, Context, Event, Progress
from appliance.contract.people import ANYONE, VISITOR, Person
from appliance.contract.refusals import NotFound, Refused
from appliance.contract.timed import Timed
from appliance.daemon.occasions import due, following, looked_at
from appliance.daemon.running import InvalidArguments, Runner, adapter
from appliance.language import _
from appliance.services.system.timed_runs import (
    Ending,
    Run,
    end_run,
    kept_of,
    known_since,
    last_run,
    note_known,
    open_runs,
    took,
)
from compiler.errors import GerbangError

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["ITSELF", "Standing", "Timer"]

ITSELF = "appliance"
"""As whom the appliance does what nobody has asked for."""
AT_ONCE = 4
logger = logging.getLogger("gerbang.timed")


class Standing(NamedTuple):
    """How one of them stands."""

    service: str
    timed: Timed
    last: Run | None
    next: datetime | None
    """In UTC; None while nobody has noted it yet."""


class _Entry(NamedTuple):
    service: str
    command: Command
    timed: Timed

    @property
    def name(self) -> str:
        return f"{self.service}.{self.timed.command}"

    @property
    def person(self) -> Person:
        """The appliance, with the rights of this command and no more."""
        own = {f"{self.service}.{role}" for role in self.command.roles - {ANYONE, VISITOR}}
        return Person(ITSELF, frozenset(own) | self.timed.also)


class Timer:
    """All that runs by itself. ``begin`` runs a function in another thread; its own few threads, when none is given."""

    def __init__(self, runner: Runner, begin: Callable[[Callable[[], None]], object] | None = None) -> None:
        self._runner = runner
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="gerbang-timed")
        self._begin = begin or self._pool.submit
        self._entries = {
            (offered.service.name, timed.command): _Entry(offered.service.name, offered.commands[timed.command], timed)
            for offered in runner.registry.services.values()
            for timed in offered.timed
        }
        self._lock = threading.Lock()
        self._running: set[tuple[str, str]] = set()
        self._unsettled: list[tuple[Run, Ending, str]] = []
        """Runs whose end could not be kept: the store was away."""
        self._closing = threading.Event()

    @property
    def idle(self) -> bool:
        """Whether there is nothing that it could ever run."""
        return not self._entries

    def recover(self) -> None:
        """After a start: what has not ended was interrupted. Raises StoreFault."""
        with self._runner.store.reading() as connection:
            left = open_runs(connection)
        for run in left:
            if (run.service, run.command) in self._running:
                continue  # somebody was quick, and has begun it in this life
            self._settle(run, Ending.INTERRUPTED, "the daemon ended while it ran")

    def tick(self) -> None:
        """Begin what is due. Raises StoreFault."""
        self._settle_left()
        for key, entry in self._entries.items():
            if key in self._running or self._closing.is_set():
                continue
            if occasion := self._due(entry):
                self._begin(partial(self._by_itself, entry, occasion))

    def run_now(self, person: Person, service: str, command: str, tell: Callable[[Progress], None]) -> None:
        """Run it at once, as this person, in the caller's thread. Raises what the command raises, and Refused when it
        runs already."""
        entry = self._entries.get((service, command))
        if entry is None:
            raise NotFound(_("timed command"), f"{service}.{command}"[:64])
        # Who may not use the command may not have it run either.
        self._runner.find(person, service, command)
        with self._alone(entry) as mine:
            if not mine:
                raise Refused(_("{command} runs already"), command=entry.name)
            run = self._take(entry, f"now-{uuid4().hex}", person)
            assert run is not None, "the occasion is new"
            raised = self._made(entry, run, person, tell)
        if raised is not None:
            raise raised

    def standings(self, connection: Connection) -> tuple[Standing, ...]:
        """Of all, by service and command."""
        return tuple(self._standing(connection, self._entries[key]) for key in sorted(self._entries))

    def close(self) -> None:
        """Cancel what runs and wait until it has ended."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _due(self, entry: _Entry) -> str:
        service, command, when = entry.service, entry.timed.command, entry.timed.when
        now, zone = self._runner.now(), self._runner.zone
        with self._runner.store.reading() as connection:
            known = known_since(connection, service, command, now)
            kept = kept_of(connection, service, command, looked_at(when, now, zone))
        if known is None:
            with self._runner.store.writing() as connection:
                note_known(connection, service, command, now)
            return ""
        return due(when, now, zone, known, kept)

    def _standing(self, connection: Connection, entry: _Entry) -> Standing:
        service, command, when = entry.service, entry.timed.command, entry.timed.when
        now, zone = self._runner.now(), self._runner.zone
        known = known_since(connection, service, command, now)
        kept = kept_of(connection, service, command, looked_at(when, now, zone))
        coming = following(when, now, zone, known, kept) if known is not None else None
        return Standing(service, entry.timed, last_run(connection, service, command), coming)

    def _by_itself(self, entry: _Entry, occasion: str) -> None:
        try:
            with self._alone(entry) as mine:
                if not mine or self._closing.is_set():
                    return
                run = self._take(entry, occasion, entry.person)
                if run is not None:
                    self._made(entry, run, entry.person, self._tell)
        except Exception:
            # The store does not take the occasion: it is due still.
            logger.exception("%s could not be begun", entry.name)

    @contextmanager
    def _alone(self, entry: _Entry) -> Iterator[bool]:
        """Whether it does not run already; until the end of the block nobody else begins it."""
        key = (entry.service, entry.timed.command)
        with self._lock:
            mine = key not in self._running
            self._running.add(key)
        try:
            yield mine
        finally:
            if mine:
                with self._lock:
                    self._running.discard(key)

    def _take(self, entry: _Entry, occasion: str, person: Person) -> Run | None:
        now, service, command = self._runner.now(), entry.service, entry.timed.command
        with self._runner.store.writing() as connection:
            number = took(connection, service, command, occasion, person.name, now)
        if number is None:
            return None
        return Run(number, service, command, person.name, now, None, Ending.RUNNING, "")

    def _made(self, entry: _Entry, run: Run, person: Person, tell: Callable[[Progress], None]) -> Exception | None:
        """What was raised, once its end is kept."""
        raised: Exception | None = None
        try:
            outcome, said = self._called(entry, person, tell)
        except Cancelled as cancelled:
            raised, outcome, said = cancelled, Ending.CANCELLED, ""
        except (Refused, InvalidArguments, GerbangError) as refused:
            raised, outcome, said = refused, Ending.FAILED, str(refused)
        except Exception as error:
            logger.exception("%s, which runs by itself, failed", entry.name)
            raised, outcome, said = error, Ending.FAILED, f"{type(error).__name__}; the daemon's log says more"
        try:
            self._settle(run, outcome, said)
        except Exception:
            logger.exception("the end of %s could not be kept; it is tried again", entry.name)
            with self._lock:
                self._unsettled.append((run, outcome, said))
        return raised

    def _called(self, entry: _Entry, person: Person, tell: Callable[[Progress], None]) -> tuple[Ending, str]:
        context = self._runner.working(person, entry.service)
        if person.name == ITSELF and not entry.timed.wanted(context):
            return Ending.NOT_NEEDED, ""
        body = self._body(entry, context)
        if entry.command.effect is Effect.WORK:
            answer = self._runner.work(person, entry.service, entry.timed.command, body, tell)
        else:
            answer = self._runner.call(person, entry.service, entry.timed.command, body)
        complaint = entry.timed.complaint(answer.value)
        return (Ending.FAILED, complaint) if complaint else (Ending.DONE, "")

    def _body(self, entry: _Entry, context: Context) -> bytes:
        takes, arguments = entry.command.arguments, entry.timed.arguments
        if takes is None:
            return b""
        return bytes(adapter(takes).dump_json(arguments(context) if callable(arguments) else arguments))

    def _settle(self, run: Run, outcome: Ending, said: str) -> None:
        """Keep the end of a run, with its line of the audit log, and tell it. Raises StoreFault."""
        said = "".join(one if one.isprintable() else " " for one in said)[:300]
        if outcome is Ending.NOT_NEEDED:
            # Nothing was done: no line of the audit log.
            with self._runner.store.writing() as connection:
                end_run(connection, run.number, outcome, said, self._runner.now())
            return
        name = f"{run.service}.{run.command}"
        told = {"command": name, "outcome": outcome.value, "said": said}
        with self._runner.changing(Person(run.person), "system", "timed", told) as context:
            end_run(context.connection, run.number, outcome, said, context.now)
            context.publish("changed", "timed")
            if outcome in {Ending.FAILED, Ending.INTERRUPTED} and run.person == ITSELF:
                context.events.append(self._failure(run, name, said))
        if outcome is Ending.DONE:
            logger.info("%s has run", name)
        else:
            logger.error("%s %s: %s", name, outcome.value, said)

    def _failure(self, run: Run, name: str, said: str) -> Event:
        entry = self._entries.get((run.service, run.command))
        return Event(
            service=run.service,
            kind="failed",
            subject=f"timed/{run.command}",
            template=_("{command}, which runs by itself, failed: {reason}"),
            values={"command": name, "reason": said},
            urgent=True,
            roles=entry.command.roles if entry is not None else frozenset({"administrator"}),
        )

    def _settle_left(self) -> None:
        while self._unsettled:
            self._settle(*self._unsettled[0])
            with self._lock:
                del self._unsettled[0]

    def _tell(self, _progress: Progress) -> None:
        if self._closing.is_set():
            raise Cancelled
