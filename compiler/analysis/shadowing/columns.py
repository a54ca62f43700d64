"""The columns of the overlap index: what is kept of one field of many matches."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from compiler.addresses import AddressSet
from compiler.fields import Family
from compiler.integers import IntegerSet

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Indices = npt.NDArray[np.intp]
    Numbers = npt.NDArray[Any]

__all__ = ["AddressColumn", "IntervalColumn", "SetColumn", "Shape", "shape"]

_HALF = (1 << 64) - 1


class Shape(NamedTuple):
    """What is quickly known of an address set: all members lie in ``low … high`` and agree on the bits of ``care``.

    ``odd`` tells that the bits say more than the interval does.
    """

    low: int
    high: int
    value: int
    care: int
    odd: bool


def shape(addresses: AddressSet) -> Shape:
    """The hull of a set that is not empty, and the bits that all its members share."""
    ones = (1 << addresses.width) - 1
    low, high = addresses.ranges[0] if len(addresses.ranges) == 1 and not addresses.wildcards else addresses.hull()
    if not addresses.wildcards:
        free = (1 << (low ^ high).bit_length()) - 1
        return Shape(low, high, low & ~free, ones & ~free, False)
    value = addresses.wildcards[0].value
    free = 0
    for wildcard in addresses.wildcards:
        free |= wildcard.mask | wildcard.value ^ value
    for first, last in addresses.ranges:
        free |= (1 << (first ^ last).bit_length()) - 1 | first ^ value
    return Shape(low, high, value & ~free, ones & ~free, True)


class AddressColumn:
    """One address field: hulls as ranks among all end points, so that any width costs one comparison."""

    def __init__(self, sets: Sequence[AddressSet | None], family: Family) -> None:
        import numpy as np

        self.constrained = any(one is not None for one in sets)
        if not self.constrained:
            return
        everything = Shape(0, (1 << family.width) - 1, 0, 0, False)
        self._shapes: dict[AddressSet, Shape] = {}
        shapes = [
            everything if one is None or one.width != family.width or one.is_empty else self.shape_of(one)
            for one in sets
        ]
        self._ends = sorted({one.low for one in shapes} | {one.high for one in shapes})
        rank = {end: position for position, end in enumerate(self._ends)}
        self._low = np.array([rank[one.low] for one in shapes], dtype=np.int32)
        self._high = np.array([rank[one.high] for one in shapes], dtype=np.int32)
        self.any_odd = any(one.odd for one in shapes)
        self._parts = _Parts(sets, shapes, family)
        self.any_several = self._parts.any_several
        self._halves: list[tuple[int, Numbers, Numbers]] = []
        if family is Family.IPV6:
            self._halves.append(_half(shapes, 64))
        self._halves.append(_half(shapes, 0))

    def shape_of(self, addresses: AddressSet) -> Shape:
        known = self._shapes.get(addresses)
        if known is None:
            known = self._shapes[addresses] = shape(addresses)
        return known

    def hull_overlaps(self, wanted: Shape, end: int) -> Flags:
        """Whether the interval of each of the first ``end`` sets meets the wanted one."""
        highest = bisect_right(self._ends, wanted.high) - 1
        lowest = bisect_left(self._ends, wanted.low)
        import numpy as np

        below = self._low[:end] <= highest
        return np.logical_and(below, self._high[:end] >= lowest, out=below)

    def parts_meet(self, wanted: AddressSet, positions: Indices) -> Flags:
        """Whether the ranges of the sets at ``positions`` meet those of the wanted set, where there are several."""
        return self._parts.meet(wanted, positions)

    def bits_agree(self, wanted: Shape, positions: Indices) -> Flags:
        """Whether the shared bits of the sets at ``positions`` contradict nothing of the wanted ones."""
        agree: Flags | None = None
        for shift, values, cares in self._halves:
            value = values.dtype.type(wanted.value >> shift & _HALF)
            care = cares.dtype.type(wanted.care >> shift & _HALF)
            here = (values[positions] ^ value) & cares[positions] & care == 0
            agree = here if agree is None else agree & here
        assert agree is not None
        return agree


class _Parts:
    """The sets of several ranges, such as object groups: their hulls meet far more often than they do."""

    def __init__(self, sets: Sequence[AddressSet | None], shapes: Sequence[Shape], family: Family) -> None:
        import numpy as np

        numbers: dict[AddressSet, int] = {}
        self._number = np.array(
            [-1 if one is None or len(one.ranges) < 2 else numbers.setdefault(one, len(numbers)) for one in sets],
            dtype=np.int32,
        )
        self._distinct = tuple(numbers)
        self.any_several = bool(numbers)
        self._narrow = family is Family.IPV4
        if self._narrow:
            self._low = np.array([one.low for one in shapes], dtype=np.int64)
            self._high = np.array([one.high for one in shapes], dtype=np.int64)
        self._answers: dict[tuple[int, AddressSet], bool] = {}

    def meet(self, wanted: AddressSet, positions: Indices) -> Flags:
        import numpy as np

        flags = np.ones(len(positions), dtype=bool)
        if wanted.wildcards:
            return flags
        if self._narrow and len(wanted.ranges) > 1:
            # The first wanted range that ends at or after each hull's begin must begin before the hull's end.
            lows = np.array([*(low for low, _ in wanted.ranges), 1 << 40], dtype=np.int64)
            highs = np.array([high for _, high in wanted.ranges], dtype=np.int64)
            flags = lows[np.searchsorted(highs, self._low[positions])] <= self._high[positions]
        if self.any_several:
            numbers = self._number[positions]
            for number in np.unique(numbers[flags]).tolist():
                if number >= 0 and not self._meets(number, wanted):
                    flags[numbers == number] = False
        return flags

    def _meets(self, number: int, wanted: AddressSet) -> bool:
        known = self._answers.get((number, wanted))
        if known is None:
            several = self._distinct[number]
            known = bool(several.wildcards) or any(
                _meets_range(several.ranges, low, high) for low, high in wanted.ranges
            )
            self._answers[(number, wanted)] = known
        return known


def _meets_range(ranges: Sequence[tuple[int, int]], low: int, high: int) -> bool:
    """Whether one of the ascending disjoint ranges meets ``low … high``."""
    place = bisect_right(ranges, (high, 1 << 129)) - 1
    return place >= 0 and ranges[place][1] >= low


def _half(shapes: Sequence[Shape], shift: int) -> tuple[int, Numbers, Numbers]:
    import numpy as np

    values = np.array([one.value >> shift & _HALF for one in shapes], dtype=np.uint64)
    cares = np.array([one.care >> shift & _HALF for one in shapes], dtype=np.uint64)
    return shift, values, cares


class IntervalColumn:
    """One integer field by its hull."""

    def __init__(self, sets: Sequence[IntegerSet | None]) -> None:
        import numpy as np

        self.constrained = any(one is not None for one in sets)
        if self.constrained:
            hulls = [
                (0, 1 << 40) if one is None or not one.intervals else (one.intervals[0][0], one.intervals[-1][1])
                for one in sets
            ]
            self._low = np.array([low for low, _ in hulls], dtype=np.int64)
            self._high = np.array([high for _, high in hulls], dtype=np.int64)

    def overlaps(self, wanted: IntegerSet, positions: Indices) -> Flags:
        """Whether the hull of each set at ``positions`` meets the hull of the wanted set."""
        low, high = wanted.intervals[0][0], wanted.intervals[-1][1]
        return (self._low[positions] <= high) & (self._high[positions] >= low)


class SetColumn:
    """One small field by its distinct sets: exact, since lists use few of them."""

    def __init__(self, sets: Sequence[IntegerSet | None]) -> None:
        import numpy as np

        self.constrained = any(one is not None for one in sets)
        if self.constrained:
            numbers: dict[IntegerSet | None, int] = {}
            self._number = np.array([numbers.setdefault(one, len(numbers)) for one in sets], dtype=np.int32)
            self._distinct = tuple(numbers)
            self._answers: dict[IntegerSet | None, Flags] = {}

    def overlaps(self, wanted: IntegerSet | None, positions: Indices) -> Flags:
        """Whether each set at ``positions`` has a member in common with the wanted one."""
        import numpy as np

        answers = self._answers.get(wanted)
        if answers is None:
            answers = np.array(
                [one is None or wanted is None or bool(one.intersection(wanted).intervals) for one in self._distinct],
                dtype=bool,
            )
            self._answers[wanted] = answers
        result: Flags = answers[self._number[positions]]
        return result
