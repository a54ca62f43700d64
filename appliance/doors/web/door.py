"""The server: who may come in, and which console belongs to whom."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from aiohttp import web
from textual_serve.server import Server

from appliance.daemon.sockets import ServedCertificate, keep_renewed
from appliance.doors.web.asking import peer_of, refuse_foreign
from appliance.doors.web.browsers import Browser, Browsers
from appliance.doors.web.connections import GuardedSite, counted, place_of
from appliance.doors.web.consoles import Consoles
from appliance.doors.web.daemon import Daemon, LoginRefused, Unanswered
from appliance.doors.web.forms import fields_of
from appliance.doors.web.offers import Broken
from appliance.doors.web.pages import POLICY, headers_of, page, policy_of, protect, static, strictly
from appliance.doors.web.settings import WebSettings
from appliance.doors.web.uploads import TooLarge, receive
from appliance.language import _

__all__ = ["WebDoor"]

log = logging.getLogger("gerbang.web")
NO_ANSWER: tuple[Any, ...] = (_("the daemon does not answer"), {})


class WebDoor(Server):
    """One door to one daemon."""

    def __init__(self, settings: WebSettings, daemon: Daemon) -> None:
        """Raises UsageError for files of the settings that are no certificate with its key."""
        super().__init__("console", host=settings.host, port=settings.port, title="Gerbang", public_url=settings.origin)
        self._served: ServedCertificate | None = None
        if settings.certificate is not None and settings.key is not None:
            self._served = ServedCertificate(settings.certificate, settings.key)
        self.settings = settings
        self.daemon = daemon
        self.browsers = Browsers(settings.limits.sessions)
        self.consoles = Consoles(settings)

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[counted, protect], client_max_size=64 * 1024)
        app.on_response_prepare.append(strictly(headers_of(self.settings)))
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
        app.cleanup_ctx.append(self._renewing)
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
        await GuardedSite(runner, listening, self.settings, ssl_context=self._served and self._served.context).start()
        return runner

    async def _renewing(self, _app: web.Application) -> AsyncIterator[None]:
        """Serve a certificate that was renewed without a new start, which would end all consoles."""
        if self._served is None:
            yield
            return
        looking = asyncio.create_task(keep_renewed(self._served, log, self.settings.limits.renewed))
        yield
        looking.cancel()

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
        response = page(request, "terminal", socket=f"{self.settings.websocket}/ws", browser=browser)
        # The terminal sets its colours by a style element of its own.
        response.headers[POLICY] = policy_of(self.settings, "'self' 'unsafe-inline'")
        return response

    async def show_login(self, request: web.Request) -> web.Response:
        """The form, with a way in for visitors when a service has something for them."""
        return await self._login_page(request)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Name and password become a session of the daemon and a cookie of the browser."""
        refuse_foreign(request, self.settings)
        form = await fields_of(request, self.settings.limits.body)
        name, password = form.get("name", "")[:100], form.get("password", "")[:256]
        try:
            token, person = await self.daemon.log_in(name, password, peer_of(request, self.settings))
        except LoginRefused as refused:
            return await self._login_page(request, 401, (refused.template, refused.values), name)
        except Unanswered:
            return await self._login_page(request, 503, NO_ANSWER, name)
        return await self._enter(request, Browser(token=token, person=person, whose=person))

    async def visit(self, request: web.Request) -> web.StreamResponse:
        """A console without a login, when a service is public."""
        refuse_foreign(request, self.settings)
        try:
            if not await self.daemon.public_services():
                raise web.HTTPForbidden(text="there is nothing for visitors")
        except Unanswered:
            return await self._login_page(request, 503, NO_ANSWER)
        place = place_of(peer_of(request, self.settings))
        return await self._enter(request, Browser(token="", person="", whose=place))

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
