"""Values under a mask: ``& mask == { a, b }``, and all but those."""

from __future__ import annotations

from functools import lru_cache

from compiler.addresses import AddressSet, Wildcard
from compiler.dialects.nftables.datatypes import DataType
from compiler.integers import EMPTY, IntegerSet, bit_pattern

__all__ = ["MOST_PIECES", "TooManyPieces", "other_values", "pattern"]

MOST_PIECES = 1024
"""Wildcards that one condition on addresses may stand for: sets of more take seconds to compare."""


class TooManyPieces(Exception):
    """A condition that stands for more wildcards than the model can work with."""

    def __init__(self) -> None:
        super().__init__(f"a condition on addresses that stands for more than {MOST_PIECES:,} wildcards")


@lru_cache(maxsize=4096)
def pattern(kind: DataType, mask: int, values: tuple[int, ...]) -> IntegerSet | AddressSet:
    """What is one of ``values`` under the mask. Raises TooManyPieces."""
    reachable = _reachable(mask, values)
    if kind.address:
        ignored = ((1 << kind.width) - 1) & ~mask
        if len(reachable) > MOST_PIECES and not _is_prefix(ignored):
            raise TooManyPieces
        return AddressSet.of(kind.width, (), [Wildcard.of(value, ignored, kind.width) for value in reachable])
    found = EMPTY
    for value in reachable:
        found = found.union(bit_pattern(value, mask, kind.width))
    return found


@lru_cache(maxsize=4096)
def other_values(kind: DataType, mask: int, values: tuple[int, ...]) -> IntegerSet | AddressSet:
    """What is none of ``values`` under the mask. Raises TooManyPieces.

    Complements of single wildcards, intersected, multiply. Under one mask the
    rest is a tree: where the values that agree so far leave out one side of the
    next compared bit, that side is one wildcard. So there is at most one for
    each value and compared bit, and all are disjoint.
    """
    if not kind.address:
        found = pattern(kind, mask, values)
        assert isinstance(found, IntegerSet)
        return found.complement(kind.width)
    reachable = _reachable(mask, values)
    if not reachable:
        return AddressSet.any(kind.width)
    pieces: list[Wildcard] = []
    ignored = ((1 << kind.width) - 1) & ~mask
    agreeing = {0}
    """The values, cut after the bits looked at so far."""
    seen = 0
    for bit in range(kind.width - 1, -1, -1):
        if not mask >> bit & 1:
            continue
        seen |= 1 << bit
        below = ignored | (1 << bit) - 1
        longer = {value & seen for value in reachable}
        missing = {side for value in agreeing for side in (value, value | 1 << bit)} - longer
        if len(pieces) + len(missing) > MOST_PIECES and not _is_prefix(below):
            raise TooManyPieces
        pieces += [Wildcard.of(side, below, kind.width) for side in missing]
        agreeing = longer
    return AddressSet.of(kind.width, (), pieces)


def _is_prefix(ignored: int) -> bool:
    """Whether the ignored bits are the last ones: ranges, of which there may be any number."""
    return not ignored & (ignored + 1)


def _reachable(mask: int, values: tuple[int, ...]) -> frozenset[int]:
    """A value with a bit outside the mask is never equal to anything masked."""
    return frozenset(value for value in values if not value & ~mask)
