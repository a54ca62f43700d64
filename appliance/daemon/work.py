"""Commands that take long: run beside the others, watched, cancelled, and their answers kept for an hour."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import uuid4

from appliance.contract.context import Cancelled, Progress
from appliance.contract.people import ADMINISTRATOR, Person
from appliance.contract.refusals import NotFound, Refused
from appliance.daemon.errors import TooMany, described
from appliance.daemon.running import Answer, InvalidArguments, Runner
from appliance.language import _

__all__ = ["Piece", "Works"]

AT_ONCE = 4
WAITING = 32
WAITING_OF_ONE = 8
KEPT = 200
KEPT_SECONDS = 3600.0
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
    state: State = State.RUNNING
    progress: Progress = field(default_factory=lambda: Progress(done=0, total=0))
    answer: Answer | None = None
    error: Mapping[str, Any] | None = None
    ended: float = 0.0
    cancelled: threading.Event = field(default_factory=threading.Event)

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

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="gerbang-work")
        self._pieces: OrderedDict[str, Piece] = OrderedDict()
        self._keys: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    def start(self, person: Person, service: str, name: str, body: bytes, key: str = "") -> Piece:
        """Begin, or find what the same key has begun. Raises what the arguments and the roles raise, and TooMany."""
        _offered, command = self._runner.find(person, service, name)
        self._runner.read_arguments(command, body)
        known = self._pieces.get(self._keys.get((person.name, key, f"{service}.{name}"), "")) if key else None
        if known is not None:
            return known
        self._forget()
        running = [one for one in self._pieces.values() if one.state is State.RUNNING]
        if len(running) >= AT_ONCE + WAITING or sum(one.person == person.name for one in running) >= WAITING_OF_ONE:
            raise TooMany(retry_after=10)
        piece = Piece(id=uuid4().hex, person=person.name)
        self._pieces[piece.id] = piece
        if key:
            self._keys[person.name, key, f"{service}.{name}"] = piece.id
            if len(self._keys) > KEPT:
                self._keys.popitem(last=False)
        self._pool.submit(self._run, piece, person, service, name, body)
        return piece

    def find(self, person: Person, identity: str) -> Piece:
        """One's own work, or as an administrator anybody's; raises NotFound. A visitor's is found by its number."""
        piece = self._pieces.get(identity)
        if piece is None or (piece.person != person.name and ADMINISTRATOR not in person.roles):
            raise NotFound(_("work"), identity[:64])
        return piece

    def close(self) -> None:
        """Cancel everything and wait until it has ended."""
        for piece in tuple(self._pieces.values()):
            piece.cancelled.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, piece: Piece, person: Person, service: str, name: str, body: bytes) -> None:
        state = State.FAILED
        try:
            piece.tell(piece.progress)
            piece.answer = self._runner.work(person, service, name, body, piece.tell)
            state = State.DONE
        except Cancelled:
            state = State.CANCELLED
        except (Refused, InvalidArguments) as refused:
            piece.error = described(refused)
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
