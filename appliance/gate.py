"""Accepting TLS connections: how many one place may have, and how many may still be shaking hands.

asyncio's own server takes every connection there is, and tells nobody of one
before its handshake has ended: a stranger who connects a thousand times and says
nothing would take all open files of the process from everybody else (CWE-400).
"""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

__all__ = ["Bounds", "Gate", "allow_more_files"]

SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What accept(2) says when there is room for nobody."""
PAUSE = 0.1
"""Seconds until it is tried again."""
FILES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a gate takes on."""

    of_one: int = 100
    """Connections of one place."""
    greeting: int = 128
    """Handshakes at a time; for one more the oldest of the place that has the most is cut."""
    within: float = 10.0
    """Seconds for a handshake."""


class Gate:
    """Listens for an event loop, and is closed as what ``loop.create_server`` answers.

    ``place_of`` says what of an address counts as one place, and ``alive`` how
    many connections of a place are past their handshake; ``free`` are places that
    may have any number.
    """

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[], asyncio.BaseProtocol],
        context: ssl.SSLContext,
        *,
        place_of: Callable[[str], str],
        alive: Callable[[str], int],
        free: frozenset[str] = frozenset(),
        bounds: Bounds | None = None,
    ) -> None:
        self.sockets = (listening,)
        self._listening = listening
        self._make = make
        self._context = context
        self._place_of = place_of
        self._alive = alive
        self._free = free
        self._bounds = bounds or Bounds()
        self._greeting: dict[socket.socket, str] = {}
        self._greetings: set[asyncio.Task[None]] = set()
        listening.setblocking(False)
        self._accepting = asyncio.create_task(self._accept())

    def close(self) -> None:
        """Take nobody on any more, and close the socket that is listened on, as ``asyncio.Server`` does."""
        self._accepting.cancel()
        asyncio.get_running_loop().remove_reader(self._listening)
        self._listening.close()
        for connection in tuple(self._greeting):
            self._give_up(connection)

    async def wait_closed(self) -> None:
        """Until those that were shaking hands have gone."""
        await asyncio.gather(self._accepting, *self._greetings, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(self._listening)
            except OSError as error:
                await asyncio.sleep(PAUSE if error.errno in SCARCE else 0)
                continue
            self._came(connection, self._place_of(str(address[0])))

    def _came(self, connection: socket.socket, place: str) -> None:
        if place not in self._free:
            mine = sum(one == place for one in self._greeting.values())
            if mine + self._alive(place) >= self._bounds.of_one:
                connection.close()
                return
        if len(self._greeting) >= self._bounds.greeting:
            [(crowd, _number)] = Counter(self._greeting.values()).most_common(1)
            self._give_up(next(one for one, other in self._greeting.items() if other == crowd))
        self._greeting[connection] = place
        greeting = asyncio.create_task(self._greet(connection))
        self._greetings.add(greeting)
        greeting.add_done_callback(self._greetings.discard)

    async def _greet(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                self._make, connection, ssl=self._context, ssl_handshake_timeout=self._bounds.within
            )
        except OSError:  # no TLS, none that we speak, or not in time
            connection.close()
        finally:
            self._greeting.pop(connection, None)

    def _give_up(self, connection: socket.socket) -> None:
        """Its handshake fails at once, and with that it goes."""
        del self._greeting[connection]
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def allow_more_files() -> None:
    """As many open files as connections and the store together may need, where the hard limit lets us (setrlimit(2)):
    the usual soft limit of 1,024 is there for programs that use select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
