"""Files from browsers: read from the form piece by piece and sent on to the daemon, never whole in memory."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import BodyPartReader, web

from appliance.doors.web.browsers import Browser
from appliance.doors.web.daemon import Daemon, LoginRefused
from appliance.language import _

__all__ = ["TooLarge", "receive"]

KEY_LENGTH = 200
PIECE = 64 * 1024


class TooLarge(Exception):
    """A file longer than the door takes."""


async def receive(request: web.Request, browser: Browser, daemon: Daemon, most: int) -> str:
    """Keep the one file of the form; its number. ``most`` is in bytes.

    Raises HTTPBadRequest for what is no such form, HTTPForbidden for the form
    of another session, TooLarge, and LoginRefused and Unanswered of the daemon.
    """
    if not request.content_type.startswith("multipart/form-data"):
        raise web.HTTPBadRequest(text="a form with a file is expected")
    if (request.content_length or 0) > most + PIECE:
        raise TooLarge
    try:
        reader = await request.multipart()
        key = await reader.next()
        if not isinstance(key, BodyPartReader) or not await _is_key(key, browser):
            raise web.HTTPForbidden(text="this form is not of this session")
        part = await reader.next()
        if not isinstance(part, BodyPartReader) or part.name != "file" or not part.filename:
            raise LoginRefused(_("choose a file"))
        kind = part.headers.get("Content-Type", "application/octet-stream")
        kept = await daemon.keep_file(browser.token, plain_name(part.filename), kind, _bounded(part, most))
    except (ValueError, AssertionError):  # what aiohttp says of a form that breaks off
        raise web.HTTPBadRequest(text="a form with a file is expected") from None
    return str(kept["file"])


def plain_name(said: str) -> str:
    """The name without folders and without letters that move the cursor."""
    name = said.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter if letter.isprintable() else "_" for letter in name).strip(" .")
    return kept[:120] or "file"


async def _is_key(part: BodyPartReader, browser: Browser) -> bool:
    said = await part.read_chunk(KEY_LENGTH)
    return part.name == "form_key" and part.at_eof() and hmac.compare_digest(bytes(said), browser.form_key.encode())


async def _bounded(part: Any, most: int) -> AsyncIterator[bytes]:
    size = 0
    while piece := await part.read_chunk(PIECE):
        size += len(piece)
        if size > most:
            raise TooLarge
        yield bytes(piece)
