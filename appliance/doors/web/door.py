"""The server: who may come in, and which console belongs to whom."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from aiohttp import web
from textual_serve.server import Server

from appliance.doors.web.asking import peer_of, refuse_foreign
from appliance.doors.web.browsers import Browser, Browsers
from appliance.doors.web.connections import GuardedSite, counted
from appliance.doors.web.consoles import Consoles
from appliance.doors.web.daemon import Daemon, LoginRefused, Unanswered
from appliance.doors.web.offers import Broken
from appliance.doors.web.pages import HEADERS, headers_of, page, protect, static
from appliance.doors.web.settings import WebSettings
from appliance.doors.web.uploads import TooLarge, receive
from appliance.language import _

__all__ = ["WebDoor"]

log = logging.getLogger("gerbang.web")
NO_ANSWER: tuple[Any, ...] = (_("the daemon does not answer"), {})


class WebDoor(Server):
    """One door to one daemon."""

    def __init__(self, settings: WebSettings, daemon: Daemon) -> None:
        super().__init__("console", host=settings.host, port=settings.port, title="Gerbang", public_url=settings.origin)
        self.settings = settings
        self.daemon = daemon
        self.browsers = Browsers(settings.limits.sessions)
        self.consoles = Consoles(settings)

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[counted, protect], client_max_size=64 * 1024)
        app[HEADERS] = headers_of(self.settings)
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
                web.get("/static/{name}", static),
            ]
        )
        app.on_shutdown.append(self.on_shutdown)
        return app

    def run(self, listening: socket.socket) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        asyncio.run(self._serve_until_told(listening))

    async def _serve_until_told(self, listening: socket.socket) -> None:
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        runner = await self.listen(listening)
        try:
            await ended.wait()
        finally:
            await runner.cleanup()

    async def listen(self, listening: socket.socket, shutdown_timeout: float = 5.0) -> web.AppRunner:
        """Serve from now on until the answer's ``cleanup``. ``shutdown_timeout`` is in seconds."""
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=shutdown_timeout)
        await runner.setup()
        await GuardedSite(runner, listening, self.settings, ssl_context=self.tls()).start()
        return runner

    def tls(self) -> ssl.SSLContext | None:
        """TLS 1.2 or later with the certificate of the settings, if there is one. Raises OSError and SSLError."""
        if self.settings.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.settings.certificate, self.settings.key)
        return context

    async def on_shutdown(self, app: web.Application) -> None:
        """End all consoles, and give the connections to the daemon back."""
        await self.consoles.stop()
        self.consoles.close()
        await self.daemon.close()

    # Coming and going

    async def handle_index(self, request: web.Request) -> Any:
        """The terminal, for who has come in and whose session the daemon still knows."""
        browser = self._browser(request)
        if browser is not None and not browser.visitor:
            with suppress(Unanswered):
                if not await self.daemon.knows(browser.token):
                    await self._leave(request)
                    browser = None
        if browser is None:
            raise web.HTTPSeeOther("/login")
        return page(request, "terminal", socket=f"{self.settings.websocket}/ws", browser=browser)

    async def show_login(self, request: web.Request) -> web.Response:
        """The form, with a way in for visitors when a service has something for them."""
        return await self._login_page(request)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Name and password become a session of the daemon and a cookie of the browser."""
        refuse_foreign(request, self.settings)
        try:
            async with asyncio.timeout(self.settings.limits.body):
                form = await request.post()
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="the form did not come in time") from None
        except (ValueError, LookupError, AssertionError):  # no form, or in no character set
            raise web.HTTPBadRequest(text="a form is expected") from None
        name, password = str(form.get("name", ""))[:100], str(form.get("password", ""))[:256]
        try:
            token, person = await self.daemon.log_in(name, password, peer_of(request, self.settings))
        except LoginRefused as refused:
            return await self._login_page(request, 401, (refused.template, refused.values), name)
        except Unanswered:
            return await self._login_page(request, 503, NO_ANSWER, name)
        return await self._enter(request, Browser(token=token, person=person))

    async def visit(self, request: web.Request) -> web.StreamResponse:
        """A console without a login, when a service is public."""
        refuse_foreign(request, self.settings)
        try:
            if not await self.daemon.public_services():
                raise web.HTTPForbidden(text="there is nothing for visitors")
        except Unanswered:
            return await self._login_page(request, 503, NO_ANSWER)
        return await self._enter(request, Browser(token="", person=""))

    async def log_out(self, request: web.Request) -> web.StreamResponse:
        """End the session here and at the daemon, and its consoles."""
        refuse_foreign(request, self.settings)
        await self._leave(request)
        response = web.HTTPSeeOther("/login")
        response.del_cookie(self.settings.cookie, path="/", secure=self.settings.secure, httponly=True)
        raise response

    async def _enter(self, request: web.Request, browser: Browser) -> web.StreamResponse:
        # Always a cookie that nobody knew before (session fixation), and who was in before is out.
        await self._leave(request)
        value, pushed_out = self.browsers.add(browser)
        if pushed_out is not None:
            await self._end(pushed_out)
        response = web.HTTPSeeOther("/")
        response.set_cookie(
            self.settings.cookie, value, httponly=True, samesite="Strict", secure=self.settings.secure, path="/"
        )
        raise response

    async def _leave(self, request: web.Request) -> None:
        browser = self.browsers.drop(request.cookies.get(self.settings.cookie))
        if browser is not None:
            await self._end(browser)

    async def _end(self, browser: Browser) -> None:
        async def tell() -> None:
            with suppress(Unanswered, LoginRefused):
                await self.daemon.log_out(browser.token)

        await asyncio.gather(self.consoles.stop(browser.consoles), *([] if browser.visitor else [tell()]))

    async def _login_page(
        self, request: web.Request, status: int = 200, said: tuple[Any, ...] = (), name: str = ""
    ) -> web.Response:
        public: tuple[str, ...] = ()
        try:
            public = tuple(await self.daemon.public_services())
        except Unanswered:
            said, status = said or NO_ANSWER, max(status, 503)
        return page(request, "login", status, said=said, name=name, public=public)

    # Files and consoles

    async def show_upload(self, request: web.Request) -> web.Response:
        """The form for a file: evidence, a picture."""
        return self._upload_page(request, self._person(request))

    async def upload(self, request: web.Request) -> web.Response:
        """Keep one file at the daemon."""
        refuse_foreign(request, self.settings)
        browser = self._person(request)
        try:
            number = await receive(request, browser, self.daemon, self.settings.limits)
        except TooLarge:
            return self._upload_page(request, browser, 413, (_("the file is too large"), {}))
        except LoginRefused as refused:
            return self._upload_page(request, browser, 422, (refused.template, refused.values))
        except Unanswered:
            return self._upload_page(request, browser, 503, NO_ANSWER)
        return self._upload_page(request, browser, number=number)

    def _upload_page(
        self, request: web.Request, browser: Browser, status: int = 200, said: tuple[Any, ...] = (), number: str = ""
    ) -> web.Response:
        return page(request, "upload", status, browser=browser, said=said, number=number)

    async def handle_download(self, request: web.Request) -> web.StreamResponse:
        """A file that a console of this browser offers; nobody else's, and once."""
        key = request.match_info["key"]
        browser = self._known(request)
        found = ((one.offers, offer) for one in browser.consoles if (offer := one.offers.take(key)) is not None)
        offers, offer = next(found, (None, None))
        if offers is None or offer is None:
            raise web.HTTPNotFound
        response = web.StreamResponse(
            headers={
                **headers_of(self.settings),
                "Content-Type": "application/octet-stream",
                "Content-Disposition": _attachment(offer.name),
                "Cache-Control": "no-store",
            }
        )
        await response.prepare(request)
        try:
            async for piece in offers.pieces(offer):
                await response.write(piece)
        except Broken:
            log.error("a console did not send all of a file")
            # Without the end of the last chunk the browser knows that the file is not whole.
            if request.transport is not None:
                request.transport.abort()
            return response
        await response.write_eof()
        return response

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One console for one page."""
        refuse_foreign(request, self.settings)
        return await self.consoles.serve(request, self._known(request))

    # Who it is

    def _browser(self, request: web.Request) -> Browser | None:
        return self.browsers.find(request.cookies.get(self.settings.cookie))

    def _known(self, request: web.Request) -> Browser:
        browser = self._browser(request)
        if browser is None:
            raise web.HTTPForbidden(text="log in first")
        return browser

    def _person(self, request: web.Request) -> Browser:
        browser = self._known(request)
        if browser.visitor:
            raise web.HTTPForbidden(text="log in first")
        return browser


def _attachment(name: str) -> str:
    """``Content-Disposition`` of a download, in any script (RFC 6266, RFC 8187)."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in " ._()-") else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
