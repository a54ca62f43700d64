"""Files that a console offers to its browser: asked for piece by piece, as fast as the browser takes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

__all__ = ["Broken", "Offer", "Offers"]

PIECE = 64 * 1024
"""Bytes asked for at once."""
MOST = 32
"""Offers of one console that nobody has fetched; the oldest goes."""


class Broken(Exception):
    """The console did not send all of it."""


@dataclass(slots=True)
class Offer:
    """One file. ``name`` is what the console calls it, without folders."""

    key: str
    name: str
    kind: str
    label: str | None
    pieces: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(2))


class Offers:
    """Those of one console, by their keys, each fetched once."""

    def __init__(self, ask: Callable[[dict[str, Any]], Awaitable[bool]], patience: float) -> None:
        """``ask`` sends a message to the console; ``patience`` is in seconds."""
        self._ask = ask
        self._patience = patience
        self._open: dict[str, Offer] = {}
        self._fetched: dict[str, Offer] = {}

    def add(self, said: Mapping[str, Any]) -> str:
        """What ``deliver_file_start`` says; its key. Raises KeyError."""
        key, label = str(said["key"]), said.get("name")
        name = PurePath(str(said["path"])).name
        self._open[key] = Offer(key, name, str(said.get("mime_type") or ""), None if label is None else str(label))
        while len(self._open) > MOST:
            del self._open[next(iter(self._open))]
        return key

    def take(self, key: str) -> Offer | None:
        """The offer, which is none any more for anybody else."""
        offer = self._open.pop(key, None)
        if offer is not None:
            self._fetched[key] = offer
        return offer

    def arrived(self, key: str, piece: bytes | str) -> None:
        """A piece of it from the console; one that nobody asked for is let go."""
        offer = self._fetched.get(key)
        if offer is not None and not offer.pieces.full():
            offer.pieces.put_nowait(piece.encode() if isinstance(piece, str) else piece)

    def end(self) -> None:
        """The console has ended."""
        self._open.clear()
        for offer in self._fetched.values():
            while offer.pieces.full():
                offer.pieces.get_nowait()
            offer.pieces.put_nowait(None)

    async def pieces(self, offer: Offer) -> AsyncIterator[bytes]:
        """All of it. Raises Broken."""
        try:
            while True:
                wanted = {"type": "deliver_chunk_request", "key": offer.key, "size": PIECE, "name": offer.label}
                if not await self._ask(wanted):
                    raise Broken
                try:
                    piece = await asyncio.wait_for(offer.pieces.get(), self._patience)
                except TimeoutError:
                    raise Broken from None
                if piece is None:
                    raise Broken
                if not piece:
                    return
                yield piece
        finally:
            self._fetched.pop(offer.key, None)
