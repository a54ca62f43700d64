"""Texts that are kept elsewhere than in files: the appliance's policies, by their names and versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Kept", "KeptElsewhere", "Shelf", "ShelfFault"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A text as it is kept."""

    name: str
    text: str
    version: int


class ShelfFault(Exception):
    """It could not be read or kept; its text is for the reader."""


class KeptElsewhere(ShelfFault):
    """Somebody else has kept another text meanwhile: ``theirs``. ``who`` and ``when`` are for the reader."""

    def __init__(self, theirs: Kept, who: str, when: str) -> None:
        super().__init__(f"{who}, {when}")
        self.theirs = theirs
        self.who = who
        self.when = when


class Shelf(Protocol):
    """Where texts are kept. What goes wrong is a ShelfFault."""

    async def names(self) -> Sequence[tuple[str, str]]:
        """Names, and a few words about each."""

    async def read(self, name: str) -> Kept:
        """The text of now."""

    async def keep(self, name: str, text: str, version: int) -> Kept:
        """Keep it in place of this version, 0: of none. Raises KeptElsewhere."""
