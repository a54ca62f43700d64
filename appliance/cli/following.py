"""Waiting for long work at a terminal: its progress goes to standard error, and Ctrl+C cancels it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.client.blocking import Client
    from appliance.client.protocol import Work

__all__ = ["followed"]


def _counted(work: Work) -> str:
    part = f"{work.done}/{work.total}" if work.total else str(work.done)
    return f"{part} {work.doing}".strip()


def followed(
    client: Client, identity: str, line: Callable[[Work], str] = _counted, cancelled: str = "cancelled"
) -> Work | None:
    """The work when it is done; None when it was cancelled. ``line`` says how far it is, ``cancelled`` what a
    Ctrl+C here has done."""
    shown = ""

    def watch(work: Work) -> None:
        nonlocal shown
        if (words := line(work)) and words != shown:
            shown = words
            print(words, file=sys.stderr, flush=True)

    try:
        work = client.wait(identity, watch)
    except KeyboardInterrupt:
        client.cancel(identity)
        print(cancelled, file=sys.stderr)
        raise
    if work.state == "cancelled":
        print("it was cancelled", file=sys.stderr)
        return None
    return work
