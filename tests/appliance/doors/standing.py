"""A web door in this process, before a double of the daemon, with small consoles: for what strangers try."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from appliance.doors.web.daemon import Daemon, LoginRefused, Unanswered
from appliance.doors.web.door import WebDoor
from appliance.doors.web.settings import Limits, WebSettings

SMALL = Path(__file__).with_name("small_console.py")
QUICK = Limits(ends_within=0.3, takes_within=1.0)
PATIENCE = 60.0


class Double:
    """A daemon of three lines. ``asked`` is what the door has asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.sessions: set[str] = set()
        self.public: Sequence[str] = ("Lobby",)
        self.silent = False
        self.received = 0
        self.longest = 0

    def _ask(self, *words: str) -> None:
        self.asked.append(words)
        if self.silent:
            raise Unanswered

    async def log_in(self, name: str, password: str, peer: str) -> tuple[str, str]:
        self._ask("log_in", name, peer)
        if password != "right":
            raise LoginRefused("too many requests; try again in {seconds} s", {"seconds": 7})
        token = f"token-of-{name}-{len(self.asked)}"
        self.sessions.add(token)
        return token, name

    async def log_out(self, token: str) -> None:
        self._ask("log_out", token)
        self.sessions.discard(token)

    async def knows(self, token: str) -> bool:
        self._ask("knows")
        return token in self.sessions

    async def public_services(self) -> Sequence[str]:
        self._ask("public")
        return self.public

    async def keep_file(self, token: str, name: str, kind: str, content: AsyncIterator[bytes]) -> Mapping[str, str]:
        self._ask("keep", token, name, kind)
        async for piece in content:
            self.received += len(piece)
            self.longest = max(self.longest, len(piece))
        return {"file": "f-1"}

    async def close(self) -> None:
        self.asked.append(("close",))


class Standing:
    """The door, and browsers before it."""

    def __init__(self, door: WebDoor, daemon: Any) -> None:
        self.door = door
        self.daemon = daemon
        self.origin = door.settings.origin
        self.browsers: list[Browsing] = []

    def browser(self, **headers: str) -> Browsing:
        """Another one, with its own cookies."""
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers=headers)
        self.browsers.append(Browsing(self, session))
        return self.browsers[-1]

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait for it."""
        for _attempt in range(int(PATIENCE / 0.01)):
            if holds():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it never came")


class Browsing:
    """One browser."""

    def __init__(self, standing: Standing, session: aiohttp.ClientSession) -> None:
        self.standing = standing
        self.session = session
        self.own = {"Origin": standing.origin}
        self.terminals: list[Terminal] = []
        """An open one that nobody holds is closed by the collector."""

    @property
    def cookies(self) -> dict[str, str]:
        """Names and values."""
        return {one.key: one.value for one in self.session.cookie_jar}

    async def get(self, path: str, **more: Any) -> aiohttp.ClientResponse:
        """A GET whose body is read."""
        async with self.session.get(self.standing.origin + path, allow_redirects=False, **more) as answer:
            await answer.read()
            return answer

    async def post(self, path: str, data: Any = None, **more: Any) -> aiohttp.ClientResponse:
        """A POST from a page of the door, if no other headers are given."""
        more.setdefault("headers", self.own)
        url = self.standing.origin + path
        async with self.session.post(url, data=data, allow_redirects=False, **more) as answer:
            await answer.read()
            return answer

    async def log_in(self, name: str = "ani", password: str = "right") -> aiohttp.ClientResponse:
        """By the form."""
        return await self.post("/login", {"name": name, "password": password})

    async def open(self, query: str = "", **more: Any) -> Terminal:
        """A console; raises WSServerHandshakeError."""
        more.setdefault("headers", self.own)
        websocket = await self.session.ws_connect(f"{self.standing.origin}/ws{query}", **more)
        said = json.loads(await websocket.receive_bytes(timeout=PATIENCE))
        self.terminals.append(Terminal(websocket, said))
        return self.terminals[-1]

    async def refused(self, **more: Any) -> int:
        """The status of a console that is not opened."""
        try:
            await self.open(**more)
        except aiohttp.WSServerHandshakeError as error:
            return error.status
        return 101


class Terminal:
    """The page's end of a console."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, said: dict[str, Any]) -> None:
        self.websocket = websocket
        self.said = said
        self.pid: int = said["pid"]

    async def type(self, text: str) -> None:
        """Keys."""
        await self.websocket.send_json(["stdin", text])

    async def read(self) -> str:
        """What comes next."""
        message = await self.websocket.receive(timeout=PATIENCE)
        return message.data.decode() if message.type is aiohttp.WSMsgType.BINARY else message.data

    async def closed(self) -> int | None:
        """Wait until the door closes it; the code."""
        while (await self.websocket.receive(timeout=PATIENCE)).type not in {
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.ERROR,
        }:
            pass
        return self.websocket.close_code


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def free_socket() -> socket.socket:
    """On loopback."""
    return socket.create_server(("127.0.0.1", 0))


@asynccontextmanager
async def standing(behind: Daemon | None = None, /, **settings: Any) -> AsyncIterator[Standing]:
    """A door that serves."""
    listening = free_socket()
    daemon = Double() if behind is None else behind
    given = {"program": (sys.executable, "-S", "-E", str(SMALL)), "limits": QUICK, **settings}
    door = WebDoor(replace(WebSettings(port=listening.getsockname()[1]), **given), daemon)
    runner = await door.listen(listening, 1.0)
    made = Standing(door, daemon)
    try:
        yield made
    finally:
        await runner.cleanup()
        for browser in made.browsers:
            for terminal in browser.terminals:
                await terminal.websocket.close()
            await browser.session.close()
