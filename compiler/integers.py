"""Sets of small integers as sorted, disjoint, non-adjacent intervals.

The form is canonical: two sets are equal exactly when their tuples are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

__all__ = ["EMPTY", "IntegerSet", "bit_pattern", "full", "is_number"]

Interval = tuple[int, int]


class IntegerSet(NamedTuple):
    """Integers as maximal inclusive intervals ``((low, high), …)``, ascending."""

    intervals: tuple[Interval, ...]

    @classmethod
    def of(cls, pairs: Iterable[Interval]) -> IntegerSet:
        """The union of inclusive intervals in any order; empty ones vanish."""
        merged: list[Interval] = []
        for low, high in sorted(pair for pair in pairs if pair[0] <= pair[1]):
            if merged and low <= merged[-1][1] + 1:
                if high > merged[-1][1]:
                    merged[-1] = (merged[-1][0], high)
            else:
                merged.append((low, high))
        return cls(tuple(merged))

    @classmethod
    def values(cls, *numbers: int) -> IntegerSet:
        """The set of these numbers."""
        return cls.of((number, number) for number in numbers)

    @classmethod
    def range(cls, low: int, high: int) -> IntegerSet:
        """``low`` to ``high``, both included; empty when ``low > high``."""
        return cls(((low, high),)) if low <= high else EMPTY

    def contains(self, number: int) -> bool:
        """Whether ``number`` is a member."""
        return any(low <= number <= high for low, high in self.intervals)

    def union(self, other: IntegerSet) -> IntegerSet:
        """Members of either."""
        return IntegerSet.of(self.intervals + other.intervals)

    def intersection(self, other: IntegerSet) -> IntegerSet:
        """Members of both."""
        pairs = []
        for low, high in self.intervals:
            for other_low, other_high in other.intervals:
                if other_low > high:
                    break
                pairs.append((max(low, other_low), min(high, other_high)))
        return IntegerSet.of(pairs)

    def complement(self, width: int) -> IntegerSet:
        """Members of ``0 … 2**width - 1`` that are not in this set."""
        pairs = []
        start = 0
        for low, high in self.intervals:
            pairs.append((start, low - 1))
            start = high + 1
        pairs.append((start, (1 << width) - 1))
        return IntegerSet.of(pairs)

    def difference(self, other: IntegerSet, width: int) -> IntegerSet:
        """Members of this set that are not in the other."""
        return self.intersection(other.complement(width))

    def issubset(self, other: IntegerSet) -> bool:
        """Whether each member is a member of the other."""
        return self.intersection(other) == self

    def size(self) -> int:
        """How many members."""
        return sum(high - low + 1 for low, high in self.intervals)

    def single(self) -> int | None:
        """The only member, or None."""
        if len(self.intervals) == 1 and self.intervals[0][0] == self.intervals[0][1]:
            return self.intervals[0][0]
        return None

    def members(self) -> Iterator[int]:
        """Each member, ascending."""
        for low, high in self.intervals:
            yield from range(low, high + 1)


EMPTY = IntegerSet(())


@cache
def full(width: int) -> IntegerSet:
    """``0 … 2**width - 1``."""
    return IntegerSet(((0, (1 << width) - 1),))


@lru_cache(maxsize=4096)
def bit_pattern(value: int, mask: int, width: int) -> IntegerSet:
    """Numbers ``n`` of ``width`` bits (at most 16) with ``n & mask == value``.

    ``mask`` has ones where bits are COMPARED (the nftables sense).
    """
    if value & ~mask:
        return EMPTY
    return IntegerSet.of((number, number) for number in range(1 << width) if number & mask == value)


def is_number(text: str) -> bool:
    """Whether the text is a decimal number of at most ten ASCII digits: what ``int`` takes in any dialect."""
    return text.isascii() and text.isdigit() and len(text) <= 10
