"""Equivalence classes of one field: values that no rule of a list tells apart have one number.

The elementary intervals between all ends of all sets, merged where the same
sets hold them (Gupta and McKeown, "Packet Classification on Multiple Fields",
SIGCOMM 1999, phase 0). Exact for any set, ranges over two bytes included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from compiler.addresses import AddressSet
from compiler.fields import WIDTH
from compiler.integers import IntegerSet
from compiler.simulator.classify.columns import Column, PacketColumns

__all__ = ["AddressClasses", "FieldClasses", "field_classes"]

Interval = tuple[int, int]
T = TypeVar("T")


class FieldClasses(NamedTuple):
    """The classes of one integer field over the rules of a list.

    ``table`` gives the class of each value for widths up to 16 bits, else it
    is empty and ``starts`` are the first values of the intervals, with
    ``classes`` of them. ``held[c, s]`` tells whether distinct set ``s`` holds
    class ``c``, and ``number[r]`` which distinct set rule ``r`` has.
    """

    name: str
    constrained: bool
    size: int
    table: Column
    starts: Column
    classes: Column
    held: Column
    number: Column

    def of(self, packets: PacketColumns) -> Column:
        """The class of each packet (uint16 where there is a table, else uint32)."""
        values: Column = getattr(packets, self.name)
        if len(self.table):
            found: Column = self.table.take(values)
        else:
            found = self.classes.take(np.searchsorted(self.starts, values, side="right") - 1)
        return found


def field_classes(name: str, sets: Sequence[IntegerSet | None]) -> FieldClasses:
    """The classes of the field over one set for each rule; None is every value."""
    width = next(bits for bits in (8, 16, 32) if bits >= WIDTH[name])
    distinct, number = _distinct(sets)
    intervals = [((0, (1 << width) - 1),) if one is None else one.intervals for one in distinct]
    starts, held = _elementary(intervals, 1 << width)
    classes, held = _merged(held)
    beginnings = np.array(starts, dtype=np.int64)
    table: Column = np.zeros(0, dtype=np.uint16)
    if width <= 16:
        table = np.repeat(classes, np.diff(np.append(beginnings, 1 << width))).astype(np.uint16)
    constrained = any(one is not None for one in distinct)
    return FieldClasses(name, constrained, len(held), table, beginnings, classes.astype(np.uint32), held, number)


class AddressClasses:
    """The classes of one address field over sets of many ranges, found by binary search."""

    def __init__(self, name: str, sets: Sequence[AddressSet | None], width: int) -> None:
        self.name = name
        self._wide = width == 128
        distinct, self.number = _distinct(sets)
        top = 1 << width
        starts, held = _elementary([((0, top - 1),) if one is None else one.ranges for one in distinct], top)
        classes, self.held = _merged(held)
        self._classes = classes.astype(np.uint32)
        self._starts: Column = (
            np.frombuffer(b"".join(start.to_bytes(16, "big") for start in starts), dtype="S16")
            if self._wide
            else np.array(starts, dtype=np.uint32)
        )

    def of(self, packets: PacketColumns) -> Column:
        """The class of each packet (uint32)."""
        columns: tuple[Column, ...] = getattr(packets, self.name)
        # 16 bytes in network order compare as the number that they are.
        values = np.stack(columns, axis=1).astype(">u8").view("S16").ravel() if self._wide else columns[0]
        found: Column = self._classes.take(np.searchsorted(self._starts, values, side="right") - 1)
        return found


def _distinct(sets: Sequence[T]) -> tuple[list[T], Column]:
    numbers: dict[T, int] = {}
    positions = np.array([numbers.setdefault(one, len(numbers)) for one in sets], dtype=np.int64)
    return list(numbers), positions


def _elementary(sets: Sequence[Sequence[Interval]], top: int) -> tuple[list[int], Column]:
    """The first values of all elementary intervals, and which of the sets hold each."""
    ends = {0} | {low for one in sets for low, _ in one} | {high + 1 for one in sets for _, high in one}
    starts = sorted(end for end in ends if end < top)
    rank = {start: position for position, start in enumerate(starts)}
    held = np.zeros((len(starts), len(sets)), dtype=bool)
    for column, one in enumerate(sets):
        for low, high in one:
            held[rank[low] : rank.get(high + 1, len(starts)), column] = True
    return starts, held


def _merged(held: Column) -> tuple[Column, Column]:
    """The class of each interval, and one row for each class."""
    packed = np.packbits(held, axis=1)
    numbers: dict[bytes, int] = {}
    classes = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in packed], dtype=np.int64)
    _, first = np.unique(classes, return_index=True)
    return classes, held[first]
