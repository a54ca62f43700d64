"""The pages around the terminal: login, terminal, upload. Their templates are in ``templates/web``."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import textual_serve
from aiohttp import ETag, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from appliance.data import data
from appliance.doors.web.settings import WebSettings
from appliance.language import DEFAULT, LANGUAGES, translator

__all__ = ["POLICY", "headers_of", "language_of", "page", "policy_of", "protect", "static", "strictly"]

log = logging.getLogger("gerbang.web")

TERMINAL = Path(textual_serve.__file__).parent / "static"
STATIC = {
    "terminal.js": (TERMINAL / "js" / "textual.js", "text/javascript"),
    "xterm.css": (TERMINAL / "css" / "xterm.css", "text/css"),
}
"""Two files of textual-serve; the others are in templates/web."""
POLICY = "Content-Security-Policy"
OWN = {"door.css": "text/css", "door.js": "text/javascript", "terminal.css": "text/css"}


def policy_of(settings: WebSettings, styles: str = "'self'") -> str:
    """The policy of a page: everything comes from this door (CSP 3)."""
    return (
        f"default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:; font-src 'self'; "
        f"connect-src {settings.websocket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def headers_of(settings: WebSettings) -> dict[str, str]:
    """The headers of every answer.

    ``Referrer-Policy`` is not ``no-referrer``: with it browsers send ``Origin: null`` with our own forms (Fetch,
    "append a request Origin header").
    """
    headers = {
        POLICY: policy_of(settings),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Server": "Gerbang",
    }
    if settings.secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(data("templates/web")), autoescape=True, undefined=StrictUndefined)


def page(request: web.Request, template: str, /, status: int = 200, **values: Any) -> web.Response:
    """A page in the browser's language. ``said`` is a template with its values, or an empty tuple."""
    language = language_of(request.headers)
    translate = translator(language)
    if "said" in values:
        values["said"] = _filled(translate, *values["said"]) if values["said"] else ""
    text = _environment().get_template(f"{template}.html.j2").render(_=translate, language=language, **values)
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})


def _filled(translate: Any, template: str, values: Mapping[str, Any]) -> str:
    try:
        return str(translate(template)).format_map(values)
    except (KeyError, ValueError, IndexError, AttributeError):
        return template


def language_of(headers: Mapping[str, str]) -> str:
    """The first language of Accept-Language (RFC 9110, 12.5.4) that we speak, by the browser's weights."""
    wanted: list[tuple[float, str]] = []
    for part in headers.get("Accept-Language", "")[:200].split(","):
        tag, _semicolon, parameters = part.strip().partition(";")
        weight = 1.0
        if parameters.strip().startswith("q="):
            try:
                weight = float(parameters.strip()[2:])
            except ValueError:
                weight = 0.0
        wanted.append((-weight, tag.split("-")[0].lower()))
    return next((tag for weight, tag in sorted(wanted, key=lambda one: one[0]) if weight and tag in LANGUAGES), DEFAULT)


@cache
def _content(name: str) -> tuple[bytes, str, ETag]:
    path, kind = STATIC[name] if name in STATIC else (data("templates/web") / name, OWN[name])
    body = path.read_bytes()
    return body, kind, ETag(hashlib.sha256(body).hexdigest()[:32])


async def static(request: web.Request) -> web.StreamResponse:
    """Five files, by their names; there is no folder to look into."""
    name = request.match_info["name"]
    if name not in STATIC and name not in OWN:
        raise web.HTTPNotFound
    body, kind, tag = _content(name)
    headers = {"Cache-Control": "no-cache"}
    if tag in (request.if_none_match or ()):
        response = web.Response(status=304, headers=headers)
    else:
        response = web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)
        response.enable_compression()
    response.etag = tag
    return response


def strictly(headers: Mapping[str, str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Adds the headers that keep browsers strict to every answer, the refused and the failed ones too. A page that
    brings a policy of its own keeps it."""

    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        own = response.headers.get(POLICY)
        response.headers.update(headers)
        if own is not None:
            response.headers[POLICY] = own

    return add


@web.middleware
async def protect(request: web.Request, handler: Any) -> web.StreamResponse:
    """What fails is logged, and told in a few words."""
    try:
        response: web.StreamResponse = await handler(request)
    except (web.HTTPException, ConnectionError, TimeoutError):
        raise
    except Exception:
        log.exception("failed at %s", request.path)
        return web.Response(status=500, text="the door failed; its log says why")
    return response
