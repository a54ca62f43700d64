"""Changes of the tree of widgets that go on to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

__all__ = ["to_its_end"]

_GOING: set[asyncio.Future[None]] = set()


async def to_its_end(change: Awaitable[object]) -> None:
    """Await the change; who is cancelled meanwhile leaves it to itself.

    Awaiting the removal of widgets is awaiting their own tasks: Textual 8 gathers
    them, and who is cancelled then cancels *them*. They end before their children
    do, and the application waits for ever. Whatever a newer worker may replace
    therefore removes widgets only by this.
    """

    async def alone() -> None:
        await change

    going = asyncio.ensure_future(alone())
    # The loop itself holds its tasks weakly, and who waits for this one may be gone before it ends.
    _GOING.add(going)
    going.add_done_callback(_GOING.discard)
    await asyncio.shield(going)
