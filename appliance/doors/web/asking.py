"""Who asks: from which page, and from which address."""

from __future__ import annotations

import ipaddress
import logging

from aiohttp import web

from appliance.doors.web.settings import WebSettings

__all__ = ["peer_of", "refuse_foreign"]

log = logging.getLogger("gerbang.web")


def refuse_foreign(request: web.Request, settings: WebSettings) -> None:
    """Only pages of this door may ask: the Origin is exactly ours (RFC 6455, 10.2). Raises HTTPForbidden."""
    origins = request.headers.getall("Origin", [])
    if origins != [settings.origin]:
        log.warning("refused %s with Origin %.200r from %s", request.path, origins, peer_of(request, settings))
        raise web.HTTPForbidden(text="this page may not ask that")


def peer_of(request: web.Request, settings: WebSettings) -> str:
    """The browser's address. A proxy of ours says it last in ``X-Forwarded-For``; what stands before is the
    browser's own, and may be invented."""
    remote = request.remote or ""
    said = ",".join(request.headers.getall("X-Forwarded-For", [])).rpartition(",")[2].strip()
    try:
        if said and ipaddress.ip_address(remote) in settings.proxies:
            return str(ipaddress.ip_address(said))
    except ValueError:
        pass
    return remote
