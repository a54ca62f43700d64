"""Matches as numpy columns: draw packets inside many of them, and test many packets against many.

Packets are columns too, one value (or two 64-bit halves) for each field that
any match constrains; the other fields cannot tell the matches apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from compiler.addresses import AddressSet
from compiler.analysis.shadowing.columns import shape
from compiler.fields import WIDTH, Family
from compiler.integers import IntegerSet, full
from compiler.policy.match import Match

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Indices = npt.NDArray[np.intp]
    Numbers = npt.NDArray[Any]
    Columns = tuple[Numbers, ...]

__all__ = ["PackedMatches"]

_ADDRESSES = ("source", "destination")
_SMALL = ("protocol", "tcp_flags", "icmp_type", "icmp_code", "traffic_class", "ttl")
_WIDE = ("source_port", "destination_port", "week_minute", "date_minute")
_HALF = (1 << 64) - 1
_LAST = {"week_minute": 7 * 24 * 60 - 1}


class PackedMatches:
    """Matches of one family, none of them empty, over the fields of packets alone."""

    def __init__(self, matches: Sequence[Match], family: Family) -> None:
        self._fields: list[_Addresses | _Small | _Wide] = []
        self.names: list[str] = []
        """The fields that any match constrains: packets have their columns in this order."""
        for name in (*_SMALL, *_ADDRESSES, *_WIDE):
            sets = [getattr(match, name) for match in matches]
            if all(one is None for one in sets):
                continue
            self.names.append(name)
            if name in _ADDRESSES:
                self._fields.append(_Addresses(sets, family))
            elif name in _SMALL:
                self._fields.append(_Small(sets))
            else:
                self._fields.append(_Wide(sets, WIDTH[name], _LAST.get(name, (1 << WIDTH[name]) - 1)))

    def draw(self, positions: Indices, generator: np.random.Generator) -> list[Columns]:
        """One random packet inside each match named by ``positions`` (which may repeat)."""
        return [field.draw(positions, generator) for field in self._fields]

    def contain(self, positions: Indices, packets: list[Columns], chosen: Indices) -> Flags:
        """Whether match ``positions[k]`` contains packet ``chosen[k]``, for each k."""
        import numpy as np

        left = np.arange(len(positions))
        for field, columns in zip(self._fields, packets, strict=True):
            held = field.contain(positions[left], tuple(column[chosen[left]] for column in columns))
            left = left[held]
        flags = np.zeros(len(positions), dtype=bool)
        flags[left] = True
        return flags


class _Parts:
    """Distinct sets as blocks (base, free bits) and ranges (base, size), to draw from.

    ``first`` and ``count`` say which parts belong to a distinct set.
    """

    def __init__(self, sets: Sequence[Sequence[tuple[int, int, int]]], halves: tuple[int, ...]) -> None:
        import numpy as np

        parts = [part for one in sets for part in one]
        counts = [len(one) for one in sets]
        self.count = np.array(counts, dtype=np.int64)
        self.first = np.cumsum([0, *counts])[:-1]
        self.base = [np.array([base >> shift & _HALF for base, _, _ in parts], dtype=np.uint64) for shift in halves]
        self.free = [np.array([free >> shift & _HALF for _, free, _ in parts], dtype=np.uint64) for shift in halves]
        self.size = np.array([size for _, _, size in parts], dtype=np.uint64)

    def draw(self, numbers: Numbers, generator: np.random.Generator) -> Columns:
        import numpy as np

        total = len(numbers)
        chosen = self.first[numbers] + generator.integers(0, self.count[numbers])
        columns = []
        for base, free in zip(self.base, self.free, strict=True):
            columns.append(base[chosen] | generator.integers(0, _HALF, total, np.uint64, endpoint=True) & free[chosen])
        # Only in the lowest half: a range whose size is not a power of two.
        columns[-1] = columns[-1] + generator.integers(0, self.size[chosen], total, np.uint64)
        return tuple(columns)


def _number(sets: Sequence[Any]) -> tuple[list[Any], Numbers]:
    """The distinct sets, and for each position the number of its set."""
    import numpy as np

    numbers: dict[Any, int] = {}
    positions = np.array([numbers.setdefault(one, len(numbers)) for one in sets], dtype=np.int64)
    return list(numbers), positions


class _Addresses:
    def __init__(self, sets: Sequence[AddressSet | None], family: Family) -> None:
        import numpy as np

        whole = AddressSet.any(family.width)
        self._sets, self._number = _number([whole if one is None else one for one in sets])
        self._wide = family is Family.IPV6
        self._halves = (64, 0) if self._wide else (0,)
        shapes = [shape(one) for one in self._sets]
        self._low, self._high, self._value, self._care = (
            [np.array([end >> shift & _HALF for end in ends], dtype=np.uint64) for shift in self._halves]
            for ends in (
                [one.low for one in shapes],
                [one.high for one in shapes],
                [one.value for one in shapes],
                [one.care for one in shapes],
            )
        )
        self._odd = self._wide or any(one.odd for one in shapes)
        self._several = np.array([len(one.ranges) + len(one.wildcards) > 1 for one in self._sets], dtype=bool)
        self._any_several = bool(self._several.any())
        self._parts = _Parts([list(_blocks(one)) for one in self._sets], self._halves)

    def draw(self, positions: Indices, generator: np.random.Generator) -> Columns:
        return self._parts.draw(self._number[positions], generator)

    def contain(self, positions: Indices, columns: Columns) -> Flags:
        number = self._number[positions]
        held = self._at_least(columns, self._low, number) & self._at_most(columns, self._high, number)
        if self._odd:
            for column, value, care in zip(columns, self._value, self._care, strict=True):
                held &= (column ^ value[number]) & care[number] == 0
        if self._any_several:
            self._refine(held, number, columns)
        return held

    def _at_least(self, columns: Columns, ends: list[Numbers], number: Numbers) -> Flags:
        held: Flags = columns[0] >= ends[0][number]
        if self._wide:
            held &= (columns[0] > ends[0][number]) | (columns[1] >= ends[1][number])
        return held

    def _at_most(self, columns: Columns, ends: list[Numbers], number: Numbers) -> Flags:
        held: Flags = columns[0] <= ends[0][number]
        if self._wide:
            held &= (columns[0] < ends[0][number]) | (columns[1] <= ends[1][number])
        return held

    def _refine(self, held: Flags, number: Numbers, columns: Columns) -> None:
        """Look inside the sets of several parts, where the hull alone said yes."""
        import numpy as np

        doubtful = np.flatnonzero(held & self._several[number])
        for one in np.unique(number[doubtful]):
            here = doubtful[number[doubtful] == one]
            addresses = self._sets[one]
            if self._wide:
                held[here] = [
                    addresses.contains(int(columns[0][place]) << 64 | int(columns[1][place])) for place in here
                ]
                continue
            values = columns[0][here]
            inside = _in_ranges(addresses.ranges, values)
            for wildcard in addresses.wildcards:
                inside |= (values ^ np.uint64(wildcard.value)) & np.uint64(~wildcard.mask & 0xFFFFFFFF) == 0
            held[here] = inside


def _blocks(addresses: AddressSet) -> list[tuple[int, int, int]]:
    """The parts of a set as (base, free bits, size of a range that starts at the base)."""
    parts = [(wildcard.value, wildcard.mask, 1) for wildcard in addresses.wildcards]
    for low, high in addresses.ranges:
        free = low ^ high
        if not free & (free + 1) and not low & free:
            parts.append((low, free, 1))
        elif low >> 64 == high >> 64:
            parts.append((low, 0, high - low + 1))
        else:
            blocks = AddressSet.of(addresses.width, [(low, high)]).prefixes()
            parts.extend((block.value, block.mask, 1) for block in blocks)
    return parts


def _in_ranges(intervals: Sequence[tuple[int, int]], values: Numbers) -> Flags:
    """Whether each value lies in one of the disjoint ascending intervals."""
    import numpy as np

    if not intervals:
        return np.zeros(len(values), dtype=bool)
    lows = np.array([low for low, _ in intervals], dtype=values.dtype)
    highs = np.array([high for _, high in intervals], dtype=values.dtype)
    place = np.searchsorted(lows, values, side="right") - 1
    inside: Flags = (place >= 0) & (values <= highs[np.maximum(place, 0)])
    return inside


class _Small:
    """A field of 8 bits: one row of 256 answers for each distinct set."""

    def __init__(self, sets: Sequence[IntegerSet | None]) -> None:
        import numpy as np

        distinct, self._number = _number([full(8) if one is None else one for one in sets])
        self._table = np.zeros((len(distinct), 256), dtype=bool)
        for row, one in enumerate(distinct):
            for low, high in one.intervals:
                self._table[row, low : high + 1] = True
        members = [np.flatnonzero(row) for row in self._table]
        self._count = np.array([len(one) for one in members], dtype=np.int64)
        self._first = np.cumsum([0, *self._count])[:-1]
        self._members = np.concatenate(members)

    def draw(self, positions: Indices, generator: np.random.Generator) -> Columns:
        number = self._number[positions]
        return (self._members[self._first[number] + generator.integers(0, self._count[number])],)

    def contain(self, positions: Indices, columns: Columns) -> Flags:
        held: Flags = self._table[self._number[positions], columns[0]]
        return held


class _Wide:
    """A field of more than 8 bits: hulls, and the intervals of sets that have several.

    A free field holds every number, and draws none above ``last``.
    """

    def __init__(self, sets: Sequence[IntegerSet | None], width: int, last: int) -> None:
        import numpy as np

        found, self._number = _number(sets)
        self._sets: list[IntegerSet] = [full(width) if one is None else one for one in found]
        drawn = [IntegerSet.range(0, last) if one is None else one for one in found]
        self._low = np.array([one.intervals[0][0] for one in self._sets], dtype=np.uint64)
        self._high = np.array([one.intervals[-1][1] for one in self._sets], dtype=np.uint64)
        self._several = np.array([len(one.intervals) > 1 for one in self._sets], dtype=bool)
        self._any_several = bool(self._several.any())
        self._parts = _Parts([[(low, 0, high - low + 1) for low, high in one.intervals] for one in drawn], (0,))

    def draw(self, positions: Indices, generator: np.random.Generator) -> Columns:
        return self._parts.draw(self._number[positions], generator)

    def contain(self, positions: Indices, columns: Columns) -> Flags:
        import numpy as np

        number, values = self._number[positions], columns[0]
        held: Flags = (values >= self._low[number]) & (values <= self._high[number])
        if self._any_several:
            doubtful = np.flatnonzero(held & self._several[number])
            for one in np.unique(number[doubtful]):
                here = doubtful[number[doubtful] == one]
                held[here] = _in_ranges(self._sets[one].intervals, values[here])
        return held
