"""What parsers of capture files stand on: a file seen through a window that moves, and the records in the window."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BufferedIOBase
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from compiler.errors import InputError

__all__ = ["LARGEST", "Chain", "Column", "Octets", "Records", "Walk", "Window", "headers_at", "walk_chain"]

Column = npt.NDArray[Any]
Octets = np.ndarray[tuple[int], np.dtype[np.uint8]]

LARGEST = 16 << 20
"""Octets of a record or block that are believed; what says more is damaged."""

_AT_ONCE = 8 << 20
"""Octets that a window grows by: many records for few calls, and little memory whatever the file's size."""


class Records(NamedTuple):
    """Packets that follow each other in a file, one array entry for each.

    ``begin`` and ``end`` (int64) bound its octets in ``data``, ``length`` (int64)
    is what it had on the wire: more than that where only its first octets were
    captured. ``link_type`` (uint16) is a LINKTYPE number. Its time since 1970
    is ``seconds`` and ``nanoseconds`` (int64) together, 0 where unknown.
    ``interface`` (int64) is its interface's place in ``names``, which are empty where none is given.
    """

    data: Octets
    begin: Column
    end: Column
    length: Column
    link_type: Column
    seconds: Column
    nanoseconds: Column
    interface: Column
    names: tuple[str, ...]


class Chain(NamedTuple):
    """How a record tells where the next one begins: its length is a word of 4 octets, ``place`` octets from its start.

    ``beside`` octets are not counted in that; lengths are multiples of ``unit``,
    and a record has ``least`` octets at least. A record whose first word is
    ``halt`` begins a chain of its own.
    """

    is_big: bool
    place: int
    beside: int
    unit: int
    least: int
    halt: int


Walk = Callable[[Octets, int, Chain, Column], tuple[int, int]]
"""Writes where the records begin that are all there, from a position on; how many, and where the walk stopped.

It stops before a record that is not all there, whose length cannot be, or that begins another chain.
"""


def walk_chain(data: Octets, position: int, chain: Chain, starts: Column) -> tuple[int, int]:
    """The plain :data:`Walk`; ``compiler.simulator.classify.walking`` has the same compiled."""
    word = Struct(">I" if chain.is_big else "<I").unpack_from
    _, place, beside, unit, least, halt = chain
    view, size, last = data.data, len(data), len(data) - least
    first = position
    found: list[int] = []
    while position <= last:
        length = word(view, position + place)[0] + beside
        after = position + length
        if after > size or length < least or length % unit:
            break
        if word(view, position)[0] == halt and position != first:
            break
        found.append(position)
        position = after
    starts[: len(found)] = found
    return len(found), position


def headers_at(data: Octets, starts: Column, layout: np.dtype[np.void]) -> Column:
    """What is laid out like this at each start; all of it must be within the data."""
    if not len(starts):
        return np.zeros(0, layout)
    size = layout.itemsize
    # Overlapping items: one gather takes a header whole, wherever it begins.
    every = np.ndarray((len(data) - size + 1,), f"V{size}", data, strides=(1,))
    return every[starts].view(layout)


class Window:
    """A part of a file in memory: ``data``, which begins at octet ``base`` of the file (as it is uncompressed)."""

    def __init__(self, path: str, file: BufferedIOBase, walk: Walk) -> None:
        self.path = path
        self.data: Octets = np.zeros(0, np.uint8)
        self.base = 0
        self._file = file
        self._walk = walk
        self._damage: Exception | None = None

    def more(self, position: int) -> bool:
        """Go on to ``position`` and read what follows; False at the end of the file.

        Raises InputError where the file cannot be read on.
        """
        if self._damage is not None:
            raise self.fault(len(self.data), f"cannot be read: {self._damage}") from self._damage
        kept = self.data[position:]
        # Not the old array again: who holds its records may read them still.
        data = np.empty(len(kept) + _AT_ONCE, np.uint8)
        data[: len(kept)] = kept
        filled = len(kept)
        try:
            while filled < len(data) and (count := self._file.readinto1(data.data[filled:])):
                filled += count
        except (OSError, EOFError, zlib.error) as error:
            self._damage = error  # what was read before it comes first
        self.base += position
        self.data = data[:filled]
        if filled == len(kept) and self._damage is not None:
            raise self.fault(filled, f"cannot be read: {self._damage}") from self._damage
        return filled > len(kept)

    def has(self, count: int) -> bool:
        """Whether so many octets follow the window's begin in the file; then they are in it. InputError as ``more``."""
        while len(self.data) < count:
            if not self.more(0):
                return False
        return True

    def walk(self, position: int, chain: Chain) -> tuple[Column, int]:
        """Where the records in the window begin, and where the walk stopped."""
        starts = np.empty(max(len(self.data) - position, 0) // chain.least + 1, np.int64)
        count, stopped = self._walk(self.data, position, chain, starts)
        return starts[:count], stopped

    def fault(self, position: int, message: str) -> InputError:
        """The error that the message is about an octet of the window."""
        return InputError(f"{self.path}: octet {self.base + position}: {message}")
