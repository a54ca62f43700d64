"""The pages around the terminal: login, terminal, upload. Their templates are in ``templates/web``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from appliance.data import data
from appliance.language import DEFAULT, LANGUAGES, translator

__all__ = ["HEADERS", "language_of", "page", "protect"]

HEADERS = {
    # The terminal sets its colours by a style element of its own; everything else comes from this door.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(data("templates/web")), autoescape=True, undefined=StrictUndefined)


def page(request: web.Request, template: str, /, status: int = 200, **values: Any) -> web.Response:
    """A page in the browser's language."""
    language = language_of(request.headers)
    text = (
        _environment()
        .get_template(f"{template}.html.j2")
        .render(_=translator(language), language=language, languages=LANGUAGES, **values)
    )
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})


def language_of(headers: Mapping[str, str]) -> str:
    """The first language of Accept-Language (RFC 9110, 12.5.4) that we speak, by the browser's weights."""
    wanted: list[tuple[float, str]] = []
    for part in headers.get("Accept-Language", "")[:200].split(","):
        tag, _, parameters = part.strip().partition(";")
        weight = 1.0
        if parameters.strip().startswith("q="):
            try:
                weight = float(parameters.strip()[2:])
            except ValueError:
                weight = 0.0
        wanted.append((-weight, tag.split("-")[0].lower()))
    return next((tag for weight, tag in sorted(wanted, key=lambda one: one[0]) if weight and tag in LANGUAGES), DEFAULT)


@web.middleware
async def protect(request: web.Request, handler: Any) -> web.StreamResponse:
    """The headers that keep browsers strict, on every answer."""
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise
    if not response.prepared:
        response.headers.update(HEADERS)
        if request.app["settings"].secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
