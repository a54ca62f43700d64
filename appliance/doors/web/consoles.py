"""Consoles: how many there are, whose they are, and what browsers say to them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from appliance.doors.sizes import LARGEST
from appliance.doors.web.asking import peer_of
from appliance.doors.web.browsers import Browser
from appliance.doors.web.connections import place_of
from appliance.doors.web.process import ConsoleProcess, Wire
from appliance.doors.web.settings import WebSettings

__all__ = ["Consoles"]

log = logging.getLogger("gerbang.web")
LEAST, MOST, USUAL = (20, 5), LARGEST, (80, 24)
"""Columns and rows of a terminal."""
OVER = {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}


class Consoles:
    """All that run behind one door."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self._running: set[ConsoleProcess] = set()
        self._visitors: Counter[str] = Counter()
        self._folder = settings.folder or Path(tempfile.mkdtemp(prefix="gerbang-web-"))

    def __len__(self) -> int:
        return len(self._running)

    async def serve(self, request: web.Request, browser: Browser) -> web.WebSocketResponse:
        """One console for one page, while somebody works with it. Raises HTTPServiceUnavailable."""
        limits = self._settings.limits
        place = place_of(peer_of(request, self._settings))
        if (
            len(self._running) >= limits.consoles
            or len(browser.consoles) >= limits.consoles_of_one
            or (browser.visitor and self._visitors.total() >= limits.visitors)
            or (browser.visitor and self._visitors[place] >= limits.visitors_of_one)
        ):
            raise web.HTTPServiceUnavailable(text="there are as many consoles as this door takes on")
        # aiohttp's own answers to pings come one after the other, with nobody else's turn between them.
        websocket = web.WebSocketResponse(heartbeat=15, max_msg_size=limits.message, autoping=False)
        home = self._home(browser)
        console = self._made(browser, websocket, home)
        self._running.add(console)
        browser.consoles.add(console)
        if browser.visitor:
            self._visitors[place] += 1
        try:
            await websocket.prepare(request)
            await console.start(*_size(request.query))
            await self._converse(websocket, console)
        finally:
            try:
                await console.stop()
            finally:
                self._running.discard(console)
                browser.consoles.discard(console)
                if browser.visitor:
                    self._visitors -= Counter({place: 1})  # what has come to nothing goes
                    shutil.rmtree(home, ignore_errors=True)
        return websocket

    async def stop(self, consoles: set[ConsoleProcess] | None = None) -> None:
        """End these, or all."""
        await asyncio.gather(*(one.stop() for one in tuple(self._running if consoles is None else consoles)))

    def close(self) -> None:
        """Nothing of them is left."""
        if self._settings.folder is None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _home(self, browser: Browser) -> Path:
        """A person finds his choices again, and nobody else's; a visitor's folder goes with his console."""
        if browser.visitor:
            return Path(tempfile.mkdtemp(prefix="visitor-", dir=self._folder))
        home = self._folder / hashlib.sha256(browser.person.encode("utf-8", "replace")).hexdigest()[:32]
        home.mkdir(mode=0o700, exist_ok=True)
        return home

    def _made(self, browser: Browser, websocket: web.WebSocketResponse, home: Path) -> ConsoleProcess:
        words = (
            *self._settings.program,
            "console",
            *self._settings.daemon,
            *(("--visitor",) if browser.visitor else ()),
        )
        login = {"GERBANG_LOGIN": f"{self._settings.origin}/login"}
        if self._settings.authorities is not None:
            login["GERBANG_CA"] = str(self._settings.authorities)
        given = login if browser.visitor else login | {"GERBANG_TOKEN": browser.token}
        wire = Wire(websocket.send_bytes, websocket.send_str, websocket.close)
        return ConsoleProcess(words, given, home, wire, self._settings.limits)

    async def _converse(self, websocket: web.WebSocketResponse, console: ConsoleProcess) -> None:
        """Carry keys and sizes to the console until one side ends, or nobody has touched it for too long."""
        loop = asyncio.get_running_loop()
        touched = loop.time()
        while not websocket.closed:
            left = touched + self._settings.limits.idle - loop.time()
            try:
                message = await asyncio.wait_for(websocket.receive(), max(left, 0.01))
            except TimeoutError:
                await websocket.close(code=WSCloseCode.GOING_AWAY, message=b"idle")
                return
            # Others have their turn between two messages: since Python 3.12 waiting for what is there gives none.
            await asyncio.sleep(0)
            if message.type in OVER:
                return
            if message.type is WSMsgType.PONG:
                continue
            try:
                if message.type is WSMsgType.PING:
                    await websocket.pong(message.data)
                    continue
                if message.type is not WSMsgType.TEXT:
                    raise TypeError
                kind, *values = json.loads(message.data)
                if await _carry(kind, values[0] if values else None, websocket, console):
                    touched = loop.time()
            except ConnectionError:
                return
            except TimeoutError:
                log.error("a console takes no keys any more")
                return
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                await websocket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"not understood")
                return


async def _carry(kind: Any, value: Any, websocket: web.WebSocketResponse, console: ConsoleProcess) -> bool:
    """One message of the terminal in the page; whether somebody has touched it. Raises TimeoutError for a console
    that takes nothing, and ValueError, TypeError, KeyError or AttributeError for what is none of the terminal's."""
    if kind == "stdin":
        if not await console.send_bytes(value.encode("utf-8", "replace")):
            raise TimeoutError
        return True
    if kind == "resize":
        await console.set_terminal_size(*_size(value))
    elif kind == "ping":
        await websocket.send_json(["pong", str(value)[:64]])
    elif kind == "blur":
        await console.blur()
    elif kind == "focus":
        await console.focus()
    else:
        raise ValueError(kind)
    return False


def _size(said: Mapping[str, Any]) -> tuple[int, int]:
    """Columns and rows, between the smallest terminal and the largest."""
    return _bounded(said.get("width"), 0), _bounded(said.get("height"), 1)


def _bounded(value: Any, which: int) -> int:
    try:
        return min(max(int(value), LEAST[which]), MOST[which])
    except (TypeError, ValueError, OverflowError):  # int() of infinity overflows, of a NaN is no value
        return USUAL[which]
