"""Files from browsers: read from the form piece by piece and sent on to the daemon, never whole in memory."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from appliance.doors.web.browsers import Browser
from appliance.doors.web.daemon import Daemon, LoginRefused
from appliance.doors.web.settings import Limits
from appliance.language import _

__all__ = ["TooLarge", "receive"]

KEY_LENGTH = 200
PIECE = 64 * 1024


class TooLarge(Exception):
    """A file longer than the door takes."""


async def receive(request: web.Request, browser: Browser, daemon: Daemon, limits: Limits) -> str:
    """Keep the one file of the form; its number.

    Raises HTTPBadRequest for what is no such form, HTTPForbidden for the form
    of another session, HTTPRequestTimeout for one that does not come, TooLarge,
    and LoginRefused and Unanswered of the daemon.
    """
    began = asyncio.get_running_loop().time()
    if not request.content_type.startswith("multipart/form-data"):
        raise web.HTTPBadRequest(text="a form with a file is expected")
    if (request.content_length or 0) > limits.upload + PIECE:
        raise TooLarge
    try:
        async with asyncio.timeout(limits.body):
            reader = await request.multipart()
            key = await reader.next()
            if not isinstance(key, BodyPartReader) or not await _is_key(key, browser):
                raise web.HTTPForbidden(text="this form is not of this session")
            part = await reader.next()
        if not isinstance(part, BodyPartReader) or part.name != "file" or not part.filename:
            raise LoginRefused(_("choose a file"))
        kind = part.headers.get("Content-Type", "application/octet-stream")
        kept = await daemon.keep_file(browser.token, plain_name(part.filename), kind, _bounded(part, limits, began))
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the file did not come in time") from None
    except (ValueError, AssertionError, HttpProcessingError):  # what aiohttp says of a form that is none, or breaks off
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


async def _bounded(part: Any, limits: Limits, began: float) -> AsyncIterator[bytes]:
    """The file, no longer than allowed and no slower; the daemon's own time counts as the browser's."""
    size = 0
    while True:
        async with asyncio.timeout_at(began + limits.body + size / limits.slowest):
            piece = await part.read_chunk(PIECE)
        if not piece:
            return
        size += len(piece)
        if size > limits.upload:
            raise TooLarge
        yield bytes(piece)
