"""The server: who may come in, and which console belongs to whom."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import textual_serve
from aiohttp import BodyPartReader, WSCloseCode, WSMsgType, web
from textual_serve.server import Server

from appliance.data import data
from appliance.doors.web.browsers import Browser, Browsers
from appliance.doors.web.daemon import Daemon, LoginRefused, Unanswered
from appliance.doors.web.pages import page, protect
from appliance.doors.web.process import ConsoleProcess
from appliance.doors.web.settings import WebSettings
from appliance.language import _

__all__ = ["WebDoor"]

log = logging.getLogger("gerbang.web")
COOKIE = "gerbang"
TERMINAL = Path(textual_serve.__file__).parent / "static"
STATIC = {
    "terminal.js": (TERMINAL / "js" / "textual.js", "text/javascript"),
    "xterm.css": (TERMINAL / "css" / "xterm.css", "text/css"),
}
"""Two files of textual-serve; the others are in templates/web."""
OWN = {"door.css": "text/css", "door.js": "text/javascript", "terminal.css": "text/css"}
SMALLEST, WIDEST, HIGHEST = 20, 500, 200
"""Columns and rows of a terminal."""


class WebDoor(Server):
    """One door to one daemon."""

    def __init__(self, settings: WebSettings, daemon: Daemon) -> None:
        super().__init__("console", host=settings.host, port=settings.port, title="Gerbang", public_url=settings.origin)
        self.settings = settings
        self.daemon = daemon
        self.browsers = Browsers(settings.limits.sessions)
        self._consoles = 0
        self._visitors = 0

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[protect], client_max_size=64 * 1024)
        app["settings"] = self.settings
        app.add_routes(
            [
                web.get("/", self.handle_index, name="index"),
                web.get("/login", self.show_login),
                web.post("/login", self.log_in),
                web.post("/visit", self.visit),
                web.post("/logout", self.log_out),
                web.get("/ws", self.handle_websocket, name="websocket"),
                web.get("/download/{key}", self.handle_download, name="download"),
                web.get("/upload", self.show_upload),
                web.post("/upload", self.upload),
                web.get("/static/{name}", self.static),
            ]
        )
        app.on_shutdown.append(self.on_shutdown)
        return app

    def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        web.run_app(
            self._make_app(),
            host=self.settings.host,
            port=self.settings.port,
            ssl_context=self.tls(),
            print=lambda *_said: None,
            access_log=None,
        )

    def tls(self) -> ssl.SSLContext | None:
        """TLS 1.2 or later with the certificate of the settings, if there is one."""
        if self.settings.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.settings.certificate, self.settings.key)
        return context

    async def on_shutdown(self, app: web.Application) -> None:
        """Give the connections to the daemon back."""
        await self.daemon.close()

    # Pages

    async def handle_index(self, request: web.Request) -> Any:
        """The terminal, for who has logged in."""
        browser = self._browser(request)
        if browser is None:
            raise web.HTTPSeeOther("/login")
        scheme, _, rest = self.settings.origin.partition("://")
        socket = f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws"
        return page(request, "terminal", socket=socket, browser=browser)

    async def show_login(self, request: web.Request) -> web.Response:
        """The form, with a way in for visitors when a service has something for them."""
        return await self._login_page(request)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Name and password become a session of the daemon and a cookie of the browser."""
        self._refuse_foreign(request)
        form = await request.post()
        name, password = str(form.get("name", ""))[:100], str(form.get("password", ""))[:256]
        try:
            token, person = await self.daemon.log_in(name, password, request.remote or "")
        except LoginRefused as refused:
            return await self._login_page(request, 401, said=str(refused), name=name)
        except Unanswered:
            return await self._login_page(request, 503, said=_("the daemon does not answer"), name=name)
        return await self._enter(request, Browser(token=token, person=person))

    async def visit(self, request: web.Request) -> web.StreamResponse:
        """A console without a login, when a service is public."""
        self._refuse_foreign(request)
        try:
            if not await self.daemon.public_services():
                raise web.HTTPForbidden(text="there is nothing for visitors")
        except Unanswered:
            return await self._login_page(request, 503, said=_("the daemon does not answer"))
        return await self._enter(request, Browser(token="", person=""))

    async def log_out(self, request: web.Request) -> web.StreamResponse:
        """End the session here and at the daemon."""
        self._refuse_foreign(request)
        browser = self.browsers.drop(request.cookies.get(COOKIE))
        if browser is not None and browser.token:
            with suppress(Unanswered, LoginRefused):
                await self.daemon.log_out(browser.token)
        response = web.HTTPSeeOther("/login")
        response.del_cookie(COOKIE, path="/")
        raise response

    async def show_upload(self, request: web.Request) -> web.Response:
        """The form for a file: evidence, a picture."""
        return page(request, "upload", browser=self._known(request), said="", number="")

    async def upload(self, request: web.Request) -> web.Response:
        """Keep one file at the daemon, in pieces, never whole in memory."""
        self._refuse_foreign(request)
        browser = self._known(request)
        if not request.content_type.startswith("multipart/"):
            raise web.HTTPBadRequest(text="a form with a file is expected")
        reader = await request.multipart()
        key = await reader.next()
        if key is None or not _is_form_key(key, await _text(key), browser):
            raise web.HTTPForbidden(text="this form is not of this session")
        part = await reader.next()
        if not isinstance(part, BodyPartReader) or not part.filename:
            return page(request, "upload", 422, browser=browser, said=_("choose a file"), number="")
        name, kind = Path(part.filename).name[:200], part.headers.get("Content-Type", "application/octet-stream")
        try:
            kept = await self.daemon.keep_file(browser.token, name, kind, self._bounded(part))
        except _TooLarge:
            return page(request, "upload", 413, browser=browser, said=_("the file is too large"), number="")
        except LoginRefused as refused:
            return page(request, "upload", 422, browser=browser, said=str(refused), number="")
        except Unanswered:
            return page(request, "upload", 503, browser=browser, said=_("the daemon does not answer"), number="")
        return page(request, "upload", browser=browser, said="", number=str(kept["file"]))

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Five files, by their names; there is no folder to look into."""
        name = request.match_info["name"]
        if name in STATIC:
            path, kind = STATIC[name]
        elif name in OWN:
            path, kind = data("templates/web") / name, OWN[name]
        else:
            raise web.HTTPNotFound
        return web.Response(body=path.read_bytes(), content_type=kind, headers={"Cache-Control": "max-age=3600"})

    async def handle_download(self, request: web.Request) -> web.StreamResponse:
        """A file that a console of this browser offers; nobody else's."""
        key = request.match_info["key"]
        if key not in self._known(request).deliveries:
            raise web.HTTPNotFound
        try:
            offered = await self.download_manager.get_download_metadata(key)
        except KeyError:
            raise web.HTTPNotFound from None
        name = "".join(letter if letter.isalnum() or letter in "._- " else "_" for letter in offered.file_name)
        response = web.StreamResponse(
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Disposition": f'attachment; filename="{name.encode("ascii", "replace").decode()}"',
                "Cache-Control": "no-store",
            }
        )
        await response.prepare(request)
        async for chunk in self.download_manager.download(key):
            await response.write(chunk)
        await response.write_eof()
        return response

    # Consoles

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One console for one page, while somebody works with it."""
        self._refuse_foreign(request)
        browser = self._known(request)
        limits = self.settings.limits
        visitor = not browser.token
        if (
            self._consoles >= limits.consoles
            or browser.consoles >= limits.consoles_of_one
            or (visitor and self._visitors >= limits.visitors)
        ):
            raise web.HTTPServiceUnavailable(text="there are as many consoles as this door takes on")
        websocket = web.WebSocketResponse(heartbeat=15, max_msg_size=limits.message)
        self._consoles, browser.consoles, self._visitors = (
            self._consoles + 1,
            browser.consoles + 1,
            self._visitors + visitor,
        )
        console: ConsoleProcess | None = None
        try:
            await websocket.prepare(request)
            console = ConsoleProcess(
                ("console", *self.settings.daemon, *(("--visitor",) if visitor else ())),
                browser.token,
                write_bytes=websocket.send_bytes,
                write_str=websocket.send_str,
                close=websocket.close,  # type: ignore[arg-type]
                downloads=self.download_manager,
                offered=browser.deliveries.add,
                longest_packet=limits.packet,
            )
            width, height = (request.query.get(name) for name in ("width", "height"))
            await console.start(_bounded(width, 80, WIDEST), _bounded(height, 24, HIGHEST))
            await self._converse(websocket, console)
        finally:
            if console is not None:
                await asyncio.shield(console.stop())
            self._consoles, browser.consoles, self._visitors = (
                self._consoles - 1,
                browser.consoles - 1,
                self._visitors - visitor,
            )
        return websocket

    async def _converse(self, websocket: web.WebSocketResponse, console: ConsoleProcess) -> None:
        """Carry keys and sizes to the console until one side ends, or nobody has touched it for too long."""
        loop = asyncio.get_running_loop()
        touched = loop.time()
        while not websocket.closed:
            left = touched + self.settings.limits.idle - loop.time()
            try:
                message = await asyncio.wait_for(websocket.receive(), max(left, 0.01))
            except TimeoutError:
                await websocket.close(code=WSCloseCode.GOING_AWAY, message=b"idle")
                return
            if message.type is not WSMsgType.TEXT:
                if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}:
                    return
                continue
            try:
                kind, *values = json.loads(message.data)
                if await _carry(kind, values[0] if values else None, websocket, console):
                    touched = loop.time()
            except (ValueError, TypeError, KeyError, IndexError, AttributeError):
                await websocket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"not understood")
                return

    # Who it is

    def _browser(self, request: web.Request) -> Browser | None:
        return self.browsers.find(request.cookies.get(COOKIE))

    def _known(self, request: web.Request) -> Browser:
        browser = self._browser(request)
        if browser is None:
            raise web.HTTPForbidden(text="log in first")
        return browser

    def _refuse_foreign(self, request: web.Request) -> None:
        """Only pages of this door may ask: the Origin is exactly ours (RFC 6455, 10.2)."""
        if request.headers.get("Origin", "") != self.settings.origin:
            log.warning(
                "refused %s with Origin %r from %s", request.path, request.headers.get("Origin"), request.remote
            )
            raise web.HTTPForbidden(text="this page may not ask that")

    async def _enter(self, request: web.Request, browser: Browser) -> web.StreamResponse:
        self.browsers.drop(request.cookies.get(COOKIE))
        response = web.HTTPSeeOther("/")
        response.set_cookie(
            COOKIE, self.browsers.add(browser), httponly=True, samesite="Strict", secure=self.settings.secure, path="/"
        )
        raise response

    async def _login_page(
        self, request: web.Request, status: int = 200, *, said: str = "", name: str = ""
    ) -> web.Response:
        public: tuple[str, ...] = ()
        try:
            public = tuple(await self.daemon.public_services())
        except Unanswered:
            said, status = said or _("the daemon does not answer"), max(status, 503)
        return page(request, "login", status, said=said, name=name, public=public)

    async def _bounded(self, part: Any) -> AsyncIterator[bytes]:
        size = 0
        while chunk := await part.read_chunk(64 * 1024):
            size += len(chunk)
            if size > self.settings.limits.upload:
                raise _TooLarge
            yield chunk


class _TooLarge(Exception):
    """A file longer than the door takes."""


async def _carry(kind: str, value: Any, websocket: web.WebSocketResponse, console: ConsoleProcess) -> bool:
    """One message of the terminal in the page; whether somebody has touched it."""
    if kind == "stdin":
        await console.send_bytes(value.encode("utf-8", "replace"))
        return True
    if kind == "resize":
        await console.set_terminal_size(_bounded(value["width"], 80, WIDEST), _bounded(value["height"], 24, HIGHEST))
    elif kind == "ping":
        await websocket.send_json(["pong", str(value)[:64]])
    elif kind == "blur":
        await console.blur()
    elif kind == "focus":
        await console.focus()
    return False


def _bounded(value: Any, default: int, most: int) -> int:
    """A number of cells between the smallest terminal and the largest."""
    try:
        return min(max(int(value), SMALLEST if most == WIDEST else 5), most)
    except (TypeError, ValueError):
        return default


async def _text(part: Any) -> str:
    return str(await part.text())[:200] if hasattr(part, "text") else ""


def _is_form_key(part: Any, text: str, browser: Browser) -> bool:
    return part.name == "form_key" and hmac.compare_digest(text.encode(), browser.form_key.encode())
