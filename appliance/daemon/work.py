"""Commands that take long: run beside the others, watched, cancelled, and their answers kept for an hour."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import uuid4

from appliance.contract.context import Cancelled, Progress
from appliance.contract.people import ADMINISTRATOR, Person
from appliance.contract.refusals import NotFound, Refused
from appliance.daemon.errors import LoginNeeded, TooMany, described
from appliance.daemon.once import key_reused
from appliance.daemon.running import Answer, InvalidArguments, Runner
from appliance.language import _
from compiler.errors import GerbangError

__all__ = ["Piece", "Works"]

AT_ONCE = 4
WAITING = 32
WAITING_OF_ONE = 8
KEPT = 200
KEPT_SECONDS = 3600.0
URGENT = frozenset({"machine.confirm", "machine.rollback"})
"""What has a deadline does not wait behind what takes long."""
logger = logging.getLogger("gerbang.daemon")


class State(StrEnum):
    """What has become of it."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(eq=False, slots=True, kw_only=True)
class Piece:
    """One piece of work."""

    id: str
    person: str
    service: str
    name: str
    asked: bytes
    """The hash of what was asked."""
    state: State = State.RUNNING
    progress: Progress = field(default_factory=lambda: Progress(done=0, total=0))
    answer: Answer | None = None
    error: Mapping[str, Any] | None = None
    ended: float = 0.0
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def urgent(self) -> bool:
        """Whether it has threads of its own."""
        return f"{self.service}.{self.name}" in URGENT

    def tell(self, progress: Progress) -> None:
        """Called by the work; raises Cancelled when somebody wants it to end."""
        self.progress = progress
        if self.cancelled.is_set():
            raise Cancelled

    def described(self) -> dict[str, Any]:
        """As the contract has it, the result left out."""
        progress = self.progress
        told = {"state": self.state, "done": progress.done, "total": progress.total, "doing": progress.doing}
        return told if self.error is None else {**told, **self.error}


class Works:
    """All pieces of work, those that run and those that ended lately."""

    def __init__(self, runner: Runner, person_now: Callable[[Person], Person | None] = lambda person: person) -> None:
        self._runner = runner
        self._person_now = person_now
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="gerbang-work")
        self._urgent = ThreadPoolExecutor(len(URGENT), thread_name_prefix="gerbang-urgent")
        self._pieces: OrderedDict[str, Piece] = OrderedDict()
        self._keys: OrderedDict[tuple[str, str], str] = OrderedDict()

    def start(self, person: Person, service: str, name: str, body: bytes, key: str = "") -> Piece:
        """Begin, or find what the same key has begun. Raises what the arguments and the roles raise, and TooMany."""
        _offered, command = self._runner.find(person, service, name)
        self._runner.read_arguments(command, body)
        asked = sha256(f"{service}.{name}\n".encode() + body).digest()
        if key and (known := self._begun(person, key, asked)) is not None:
            return known
        self._forget()
        urgent = f"{service}.{name}" in URGENT
        running = [one for one in self._pieces.values() if one.state is State.RUNNING and one.urgent is urgent]
        most = WAITING_OF_ONE if urgent else AT_ONCE + WAITING
        if len(running) >= most or sum(one.person == person.name for one in running) >= WAITING_OF_ONE:
            raise TooMany(retry_after=10)
        piece = Piece(id=uuid4().hex, person=person.name, service=service, name=name, asked=asked)
        self._pieces[piece.id] = piece
        if key:
            self._keys[person.name, key] = piece.id
            self._keys.move_to_end((person.name, key))
            if len(self._keys) > KEPT + AT_ONCE + WAITING:
                self._keys.popitem(last=False)
        (self._urgent if urgent else self._pool).submit(self._run, piece, person, service, name, body)
        return piece

    def find(self, person: Person, identity: str) -> Piece:
        """One's own work, or as an administrator anybody's; a visitor's is found by its number.

        Raises NotFound, and NotAllowed for who may not use the command any more.
        """
        piece = self._pieces.get(identity)
        if piece is None or (piece.person != person.name and ADMINISTRATOR not in person.roles):
            raise NotFound(_("work"), identity[:64])
        self._runner.find(person, piece.service, piece.name)
        return piece

    def _begun(self, person: Person, key: str, asked: bytes) -> Piece | None:
        """What the same request has begun; raises KeyReused for another. What failed or was cancelled is tried anew."""
        known = self._pieces.get(self._keys.get((person.name, key), ""))
        if known is None:
            return None
        if known.asked != asked:
            raise key_reused()
        return None if known.state in {State.FAILED, State.CANCELLED} else known

    def close(self) -> None:
        """Cancel everything and wait until it has ended."""
        for piece in tuple(self._pieces.values()):
            piece.cancelled.set()
        for pool in (self._pool, self._urgent):
            pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, piece: Piece, person: Person, service: str, name: str, body: bytes) -> None:
        state = State.FAILED
        try:
            piece.tell(piece.progress)
            # It waited for its turn: since then the person may have been removed, or the role taken.
            now = self._person_now(person)
            if now is None:
                raise LoginNeeded
            piece.answer = self._runner.work(now, service, name, body, piece.tell)
            state = State.DONE
        except Cancelled:
            state = State.CANCELLED
        except (Refused, InvalidArguments) as refused:
            piece.error = described(refused)
        except GerbangError as error:
            logger.warning("work %s.%s failed: %s", service, name, error)
            piece.error = described(error)
        except Exception as error:
            logger.error("work %s.%s failed", service, name, exc_info=error)
            piece.error = described(error)
        piece.ended = time.monotonic()
        piece.state = state

    def _forget(self) -> None:
        now = time.monotonic()
        ended = [one for one in self._pieces.values() if one.state is not State.RUNNING]
        for place, piece in enumerate(ended):
            if now - piece.ended > KEPT_SECONDS or place < len(ended) - KEPT:
                self._pieces.pop(piece.id, None)
