"""Connections: who is at the other end, and when one that does not get on is cut.

uvicorn has no read timeouts. Here a head has ten seconds, a body thirty and
more for what it brings, and an answer that nobody takes thirty.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from appliance.daemon.throttle import peer_key
from appliance.peer import peer_of

__all__ = ["PeerProtocol", "StrictConnection"]

HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
SLOWEST = 32 * 1024
"""Bytes a second that a long body brings at least."""
WRITE_SECONDS = 30.0
LONGEST_HEAD = 64 * 1024
"""Bytes."""
MOST = 500
"""Connections of one listening socket; for one more the longest idle one goes."""


class StrictConnection(h11.Connection):
    """HTTP/1.1 that refuses a request of two lengths: two readers of it would not agree where it ends (RFC 9112, 6.3,
    11.2)."""

    def next_event(self) -> Any:
        """The next event; raises RemoteProtocolError."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = {name for name, _value in event.headers}
            if b"content-length" in names and b"transfer-encoding" in names:
                raise h11.RemoteProtocolError("Content-Length and Transfer-Encoding", error_status_hint=400)
        return event


class PeerProtocol(H11Protocol):
    """HTTP/1.1 that knows its peer and loses its patience. ``state`` of each request has ``peer`` and ``cut``."""

    def __init__(self, *arguments: Any, doors: frozenset[int] = frozenset(), **more: Any) -> None:
        """``doors``: uids that may say for whom they speak, beside root's and our own."""
        super().__init__(*arguments, **more)
        self.doors = doors
        self.conn = StrictConnection(h11.SERVER, LONGEST_HEAD)

    place: str = ""
    """What counts as one peer."""
    timer: asyncio.TimerHandle | None = None
    timer_for: str = ""
    write_timer: asyncio.TimerHandle | None = None
    since: float = 0.0
    began: float = 0.0
    brought: int = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Name the peer, and make room when there is none."""
        super().connection_made(transport)
        self.since = time.monotonic()
        peer = _peer(transport)
        self.place = peer_key(peer)
        self.app_state = dict(self.app_state, peer=peer, trusted=_trusted(transport, self.doors), cut=transport.abort)
        self._make_room()
        self._arm("head", HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Read on, then look what is still missing."""
        self.brought += len(data)
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """The next head has its time from its first byte on; until then it is uvicorn's keep-alive."""
        self._disarm()
        self.since = time.monotonic()
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._disarm()
        self._written()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The peer does not take what we send."""
        super().pause_writing()
        self._written()
        self.write_timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        self._written()
        super().resume_writing()

    def _look(self) -> None:
        if self.transport.is_closing():
            self._disarm()
        elif self.conn.their_state is h11.SEND_BODY:
            self._arm("body", BODY_SECONDS)
        elif self.conn.their_state is h11.IDLE and (self.conn.trailing_data[0] or self.timer_for == "head"):
            self._arm("head", HEAD_SECONDS)
        else:
            self._disarm()

    def _arm(self, what: str, seconds: float) -> None:
        if self.timer_for == what:
            return  # more bytes do not buy more time
        self._disarm()
        self.timer_for = what
        self.began, self.brought = time.monotonic(), 0
        self.timer = self.loop.call_later(seconds, self._expired)

    def _expired(self) -> None:
        allowed = BODY_SECONDS + self.brought / SLOWEST
        left = allowed - (time.monotonic() - self.began)
        if self.timer_for == "body" and left > 0.1:
            self.timer = self.loop.call_later(left, self._expired)
            return
        self.transport.abort()

    def _disarm(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer, self.timer_for = None, ""

    def _written(self) -> None:
        if self.write_timer is not None:
            self.write_timer.cancel()
            self.write_timer = None

    def _make_room(self) -> None:
        # Those that were cut in this very turn of the loop are still in the set.
        alive = [one for one in self.connections if not one.transport.is_closing()]
        if len(alive) <= MOST:
            return
        others = [one for one in alive if isinstance(one, PeerProtocol) and one is not self]
        idle = [one for one in others if one.cycle is None or one.cycle.response_complete]
        (min(idle, key=lambda one: one.since) if idle else self._of_the_crowd(others)).transport.abort()

    def _of_the_crowd(self, others: Sequence[PeerProtocol]) -> PeerProtocol:
        """Nobody is idle: of the place that has the most connections the one that has brought its request for longest,
        or this one when nobody is still bringing one. Who opens many and says little is cut himself."""
        places = Counter(one.place for one in (*others, self))
        most = max(places.values())
        slow = [one for one in others if places[one.place] == most and one.timer_for == "body"]
        return min(slow, key=lambda one: one.began) if slow and places[self.place] < most else self


def _user(transport: asyncio.BaseTransport) -> int | None:
    found: Any = transport.get_extra_info("socket")
    if found is None or found.family != socket.AF_UNIX:
        return None
    return peer_of(found).user


def _peer(transport: asyncio.BaseTransport) -> str:
    """``uid:1000`` on the socket (unix(7), SO_PEERCRED), an address on the TLS port."""
    user = _user(transport)
    if user is not None:
        return f"uid:{user}"
    name = transport.get_extra_info("peername")
    return str(name[0]) if name else "?"


def _trusted(transport: asyncio.BaseTransport, doors: frozenset[int]) -> bool:
    """Whether the peer may say for whom it speaks: root, a door that runs as this user, or one of ``doors``."""
    user = _user(transport)
    return user is not None and (user in {0, os.geteuid()} or user in doors)
