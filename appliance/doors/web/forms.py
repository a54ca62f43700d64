"""Forms of a few words, as browsers send them when nothing else is said (HTML, "application/x-www-form-urlencoded")."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import web

__all__ = ["fields_of"]

MOST = 10
"""Fields of a form."""


async def fields_of(request: web.Request, within: float) -> Mapping[str, str]:
    """The fields by their names, UTF-8 whatever is said; ``within`` is in seconds. aiohttp's own reader would take
    forms of many parts from strangers as well, packed and in any character set that Python has.

    Raises HTTPBadRequest, HTTPRequestTimeout and HTTPRequestEntityTooLarge.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPBadRequest(text="a form is expected")
    try:
        async with asyncio.timeout(within):
            body = await request.read()
        found = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the form did not come in time") from None
    except ValueError:  # more fields than a form of ours has
        raise web.HTTPBadRequest(text="a form is expected") from None
    return dict(found)
