"""How to see that a program serves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

from appliance.contract.programs import Ready

__all__ = ["answers", "describe", "until"]

_TRY = 1.0
"""Seconds for one connection."""
_PAUSE = 0.02


def describe(ready: Ready, expand: Callable[[str], str]) -> str:
    """What is waited for, in words."""
    if ready.tcp:
        return f"answers on {ready.tcp[0]} port {ready.tcp[1]}"
    if ready.unix:
        return f"answers on {expand(ready.unix)}"
    if ready.line:
        return f"says {ready.line!r}"
    return "says READY=1" if ready.notify else f"runs for {ready.settle:g} s"


async def answers(ready: Ready, expand: Callable[[str], str]) -> bool:
    """Whether something accepts connections where the program would; False when it is not known by connecting."""
    if ready.tcp:
        family = socket.AF_INET6 if ":" in ready.tcp[0] else socket.AF_INET
        return await _connects(family, ready.tcp)
    return bool(ready.unix) and await _connects(socket.AF_UNIX, expand(ready.unix))


async def until(
    ready: Ready, expand: Callable[[str], str], *, notified: asyncio.Event | None, heard: asyncio.Event
) -> None:
    """Wait until it serves; for ever when it never does, so bound it."""
    if ready.tcp or ready.unix:
        while not await answers(ready, expand):
            await asyncio.sleep(_PAUSE)
    elif ready.line:
        await heard.wait()
    elif notified is not None:
        await notified.wait()
    else:
        await asyncio.sleep(ready.settle)


async def _connects(family: int, address: tuple[str, int] | str) -> bool:
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe, suppress(OSError, TimeoutError):
        await asyncio.wait_for(loop.sock_connect(probe, address), _TRY)
        return True
    return False
