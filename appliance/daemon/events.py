"""Events to clients as Server-Sent Events (WHATWG HTML, 9.2), each through a queue with an end.

A client that does not read loses events: it is told ``lost`` and cut, connects
again and looks again. Nothing is kept for it in the meantime.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from pydantic_core import to_json

from appliance.contract.context import Event
from appliance.contract.people import ADMINISTRATOR, Person
from appliance.contract.service import Service
from appliance.daemon.errors import TooMany
from appliance.daemon.registry import Registry

__all__ = ["HEARTBEAT", "Hub"]

HEARTBEAT = 15.0
"""Seconds between comment lines while nothing happens."""
LONGEST = 256
MOST = 300
MOST_OF_ONE = 32
MOST_OF_VISITORS = 100
"""Streams of all visitors: strangers from many places take none from those who have logged in."""
CUT_AFTER = 5.0
"""Seconds that a reader who has lost something has to read so."""
LOST = b"event: lost\ndata: {}\n\n"
logger = logging.getLogger("gerbang.daemon")


@dataclass(eq=False, slots=True)
class _Listener:
    person: Callable[[], Person | None]
    """The person as now; None when the session has ended. May read the store."""
    name: str
    visitor: bool
    cut: Callable[[], None]
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(LONGEST))
    lost: bool = False
    seen: Person | None = None
    """As at the last look."""
    looked: float = float("-inf")


class Hub:
    """All that listen. ``publish`` may be called from any thread, the rest from the loop's."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._listeners: set[_Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._waiting: deque[tuple[Event, ...]] = deque()
        self._delivering: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Deliver on this loop from now on."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        for listener in tuple(self._listeners):
            self._end(listener)

    def publish(self, events: tuple[Event, ...]) -> None:
        """Tell the clients that may see them."""
        if events and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, events)

    async def listen(
        self, person: Callable[[], Person | None], name: str, cut: Callable[[], None], *, visitor: bool = False
    ) -> AsyncIterator[bytes]:
        """The stream of one client, which counts as this name's. ``cut`` drops its connection."""
        mine = sum(one.name == name and one.visitor == visitor for one in self._listeners)
        visitors = sum(one.visitor for one in self._listeners)
        full = len(self._listeners) >= MOST or (visitor and visitors >= MOST_OF_VISITORS)
        if full or mine >= MOST_OF_ONE:
            raise TooMany(retry_after=10)
        listener = _Listener(person, name, visitor, cut)
        self._listeners.add(listener)
        return self._stream(listener)

    async def _stream(self, listener: _Listener) -> AsyncIterator[bytes]:
        try:
            yield b": listening\n\n"
            while not self._closed:
                try:
                    told = await asyncio.wait_for(listener.queue.get(), HEARTBEAT)
                except TimeoutError:
                    await self._look([listener])
                    if listener.seen is None and not listener.lost:
                        return
                    told = b": still here\n\n"
                if listener.lost:
                    yield LOST
                    return
                if told is None:
                    return
                yield told
        finally:
            self._listeners.discard(listener)

    def _take(self, events: tuple[Event, ...]) -> None:
        if not self._listeners:
            return
        if len(self._waiting) >= LONGEST:  # the store does not answer who they are
            for listener in tuple(self._listeners):
                self._lose(listener)
            return
        self._waiting.append(events)
        if self._delivering is None or self._delivering.done():
            self._delivering = asyncio.create_task(self._deliver())

    async def _deliver(self) -> None:
        """One batch after the other, so that nobody is told the later one first."""
        while self._waiting:
            events = self._waiting.popleft()
            # Rights change with an event of the system; that a session has ended by itself shows after a heartbeat.
            anew = any(event.service == "system" for event in events)
            since = time.monotonic() - HEARTBEAT
            if asked := [one for one in self._listeners if anew or one.looked < since]:
                await self._look(asked)
            texts = [(event, b"data: " + to_json(event, fallback=str) + b"\n\n") for event in events]
            for listener in tuple(self._listeners):
                if listener.seen is None:
                    continue
                for event, text in texts:
                    if self._sees(listener.seen, event):
                        self._put(listener, text)

    async def _look(self, listeners: list[_Listener]) -> None:
        """Ask who they are now, in a thread: the store may be slow. Who cannot be asked loses what comes."""
        at = time.monotonic()
        found = await asyncio.to_thread(_persons, [one.person for one in listeners])
        for listener, person in zip(listeners, found, strict=True):
            if isinstance(person, Exception):
                logger.error("a stream of events ends, because its session could not be looked at: %s", person)
                listener.seen = None
                self._lose(listener)
                continue
            listener.seen, listener.looked = person, at
            if person is None:
                self._end(listener)

    def _lose(self, listener: _Listener) -> None:
        if listener.lost:
            return
        listener.lost = True
        if listener.queue.empty():
            listener.queue.put_nowait(None)  # wake it
        # It has a moment to read that it lost something, and is cut then.
        asyncio.get_running_loop().call_later(CUT_AFTER, self._cut, listener)

    def _put(self, listener: _Listener, text: bytes) -> None:
        if listener.lost:
            return
        try:
            listener.queue.put_nowait(text)
        except asyncio.QueueFull:
            self._lose(listener)

    def _cut(self, listener: _Listener) -> None:
        if listener in self._listeners:
            listener.cut()

    def _end(self, listener: _Listener) -> None:
        while listener.queue.full():
            listener.queue.get_nowait()
        listener.queue.put_nowait(None)

    def _sees(self, person: Person, event: Event) -> bool:
        offered = self._registry.services.get(event.service)
        if offered is None:
            return False
        if event.roles:
            return person.reaches(event.service, event.roles)
        return belongs(person, offered.service)


def _persons(asked: Sequence[Callable[[], Person | None]]) -> list[Person | Exception | None]:
    found: list[Person | Exception | None] = []
    for one in asked:
        try:
            found.append(one())
        except Exception as error:
            found.append(error)
    return found


def belongs(person: Person, service: Service) -> bool:
    """Whether this person has a role of the service, or the administrator's."""
    return ADMINISTRATOR in person.roles or bool(person.roles & service.role_names)


def sees(person: Person, service: Service) -> bool:
    """Whether this person is told that the service is there: it has a public side, or he belongs to it."""
    return service.public or belongs(person, service)
