"""Connections of browsers: how many there are, and when one that does not get on is cut.

aiohttp bounds neither the number of connections nor the time of a request's
head, so that a stranger who opens many and says little would shut the others
out (CWE-400; known as Slowloris).
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from functools import partial
from typing import Any, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from appliance.doors.web.pages import headers_of
from appliance.doors.web.settings import WebSettings
from appliance.gate import Bounds, Gate

__all__ = ["GuardedHandler", "GuardedSite", "counted", "place_of"]


def place_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 of an IPv6 address, of which a household has all."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)


class Guard:
    """All connections of a door. Those that ask nothing make room for a new one, the longest silent first; when all
    ask, the crowd makes room itself."""

    def __init__(self, settings: WebSettings) -> None:
        self.limits = settings.limits
        self.headers = headers_of(settings)
        self.proxies = frozenset(place_of(str(one)) for one in settings.proxies)
        self._alive: set[GuardedHandler] = set()
        self._silent: dict[GuardedHandler, None] = {}
        self._asking: dict[GuardedHandler, None] = {}
        self._places: Counter[str] = Counter()

    def came(self, one: GuardedHandler) -> None:
        """Count it, and make room when there is none."""
        self._alive.add(one)
        self._silent[one] = None
        self._places[one.place] += 1
        if self._places[one.place] > self.limits.connections_of_one and one.place not in self.proxies:
            one.cut()
        elif len(self._alive) > self.limits.connections:
            self._to_go(one).cut()

    def _to_go(self, newest: GuardedHandler) -> GuardedHandler:
        """Whose place the newest has: of the place that has the most connections the one that has brought its request
        for longest, or the newest itself when its own place has as many. Who opens many and says little is cut."""
        longest = next(iter(self._silent))
        if longest is not newest:
            return longest
        most = max(self._places.values())
        slow = (one for one in self._asking if one.is_bringing and self._places[one.place] == most)
        return next(slow, newest) if self._places[newest.place] < most else newest

    def of_place(self, place: str) -> int:
        """How many of a place there are."""
        return self._places[place]

    def went(self, one: GuardedHandler) -> None:
        """It counts no more; also when it is said twice."""
        self._silent.pop(one, None)
        self._asking.pop(one, None)
        if one in self._alive:
            self._alive.remove(one)
            self._places[one.place] -= 1
            if not self._places[one.place]:
                del self._places[one.place]

    def asks(self, one: GuardedHandler) -> None:
        """A request of it is at work."""
        self._silent.pop(one, None)
        if one in self._alive:
            self._asking[one] = None

    def waits(self, one: GuardedHandler) -> None:
        """Its request is answered."""
        self._asking.pop(one, None)
        if one in self._alive:
            self._silent[one] = None


class GuardedHandler(RequestHandler):
    """aiohttp's, which is cut when the head of its next request does not come in time."""

    def __init__(self, guard: Guard, manager: web.Server, *, loop: asyncio.AbstractEventLoop) -> None:
        limits = guard.limits
        super().__init__(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # it says "if access_log"
            keepalive_timeout=limits.keep_alive,
        )
        self._guard = guard
        self._timer: asyncio.TimerHandle | None = None
        self._body: Any = None
        self.place = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it; its first head has its time from now on."""
        super().connection_made(transport)
        name = transport.get_extra_info("peername")
        self.place = place_of(str(name[0])) if name else ""
        self._arm(self._guard.limits.head)
        self._guard.came(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing is waited for any more."""
        self._disarm()
        self._guard.went(self)
        super().connection_lost(exc)

    @property
    def is_bringing(self) -> bool:
        """Whether the body of its request is still on the way."""
        return self._body is not None and not self._body.is_eof()

    def asks(self, body: Any) -> None:
        """A head is here; ``body`` may come."""
        self._disarm()
        self._body = body
        self._guard.asks(self)

    def waits(self) -> None:
        """The answer goes out now, and the next head may come."""
        self._body = None
        self._guard.waits(self)
        if self.transport is not None:
            self._arm(self._guard.limits.keep_alive)

    def cut(self) -> None:
        """At once, whatever is still to be sent."""
        self._disarm()
        self._guard.went(self)
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request: with the headers of every answer, and without what was sent, which
        aiohttp's own would repeat."""
        response = super().handle_error(request, status, exc, "this is no request" if status == 400 else message)
        response.headers.update(self._guard.headers)
        return response

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self._loop.call_later(seconds, self.cut)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class GuardedSite(web.SockSite):
    """A listening socket whose connections are guarded."""

    def __init__(self, runner: web.AppRunner, listening: Any, settings: WebSettings, **more: Any) -> None:
        super().__init__(runner, listening, **more)
        self._guard = Guard(settings)

    async def start(self) -> None:
        """Listen."""
        await web.BaseSite.start(self)
        loop, server, limits = asyncio.get_running_loop(), self._runner.server, self._guard.limits
        assert server is not None
        make = partial(GuardedHandler, self._guard, server, loop=loop)
        if self._ssl_context is None:
            self._server = await loop.create_server(make, sock=self._sock, backlog=self._backlog)
            return
        gate = Gate(
            self._sock,
            make,
            self._ssl_context,
            place_of=place_of,
            alive=self._guard.of_place,
            free=self._guard.proxies,
            bounds=Bounds(of_one=limits.connections_of_one, within=limits.head),
        )
        self._server = cast("asyncio.AbstractServer", gate)


@web.middleware
async def counted(request: web.Request, handler: Any) -> web.StreamResponse:
    """Tells the connection when a request has come, and when it is answered."""
    connection = request.protocol
    if not isinstance(connection, GuardedHandler):
        answer: web.StreamResponse = await handler(request)
        return answer
    connection.asks(request.content)
    try:
        answer = await handler(request)
    finally:
        connection.waits()
    return answer
