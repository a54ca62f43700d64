"""TCP data that arrived before what comes before them."""

from __future__ import annotations

from bisect import bisect_left, insort
from operator import itemgetter

__all__ = ["Reassembly"]

_start = itemgetter(0)

Piece = tuple[int, int, bytes | None]
"""First place, the place behind the last, and the octets (None: zeros that were never made)."""


class Reassembly:
    """Pieces of a stream that wait for others. Places never overlap: what came first stays."""

    __slots__ = ("_pieces", "_ranges")

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._ranges: list[tuple[int, int]] = []
        """What is there, in maximal ranges; the one that changed last comes first (RFC 2018, 4)."""

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def blocks(self, most: int) -> list[tuple[int, int]]:
        """At most so many ranges to report."""
        return self._ranges[:most]

    def has(self, start: int, end: int) -> bool:
        """Whether all of it is there already."""
        return any(low <= start and end <= high for low, high in self._ranges)

    def add(self, start: int, end: int, data: bytes | None) -> None:
        """Keep what is new of a piece."""
        self._extend(start, end)
        place = max(0, bisect_left(self._pieces, start, key=_start) - 1)
        at = start
        new: list[Piece] = []
        for low, high, _ in self._pieces[place:]:
            if low >= end:
                break
            if high <= at:
                continue
            if low > at:
                new.append(_cut(start, data, at, low))
            at = max(at, high)
        if at < end:
            new.append(_cut(start, data, at, end))
        for piece in new:
            insort(self._pieces, piece, key=_start)

    def take(self, place: int) -> list[tuple[bytes | None, int]]:
        """What continues the stream at ``place``: octets and lengths, in order. It is gone from here then."""
        done = 0
        taken: list[tuple[bytes | None, int]] = []
        for low, high, data in self._pieces:
            if low > place:
                break
            done += 1
            if high > place:
                _, _, rest = _cut(low, data, place, high)
                taken.append((rest, high - place))
                place = high
        if done:
            del self._pieces[:done]
            self._ranges = [one for one in self._ranges if one[1] > place]
        return taken

    def _extend(self, start: int, end: int) -> None:
        apart = []
        for low, high in self._ranges:
            if high < start or low > end:
                apart.append((low, high))
            else:
                start, end = min(start, low), max(end, high)
        self._ranges = [(start, end), *apart]


def _cut(start: int, data: bytes | None, low: int, high: int) -> Piece:
    return low, high, None if data is None else data[low - start : high - start]
