"""Rows in memory with the meaning that the daemon's listings have: for reports, choices and tests.

The meaning, so that two sources agree:

- a text is compared without regard to case (``str.casefold``), and sorted so;
- a value that is missing comes before all others, is less and greater than
  none, equals none, and so differs from each (``!=`` holds);
- ``empty`` is missing, an empty text, or no values;
- rows that are equal stay in the order in which they came, also when descending;
- ``search`` stands in one of the columns of text or choice.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from appliance.console.widgets.rows import Row
from appliance.contract.fields import Field, Kind, fields_of
from appliance.contract.listings import Column, Condition, Order, Question, columns_of

__all__ = ["ListSource", "comparable", "holds"]

SMALL = 2000
"""Rows that are sorted faster than a thread is begun."""
KEPT = 8
"""Sorted orders that are kept."""
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def comparable(field: Field, value: Any) -> Any:
    """The value as it is compared and sorted: folded text, a number, a day, a moment, or None."""
    if isinstance(value, Enum):
        value = value.value
    if value is None:
        return None
    match field.kind:
        case Kind.DAY if isinstance(value, str):
            return date.fromisoformat(value)
        case Kind.MOMENT:
            # Seconds, so that a moment of another offset and one without compare.
            return (datetime.fromisoformat(value) if isinstance(value, str) else value).timestamp()
        case Kind.SEVERAL | Kind.RECORD:
            return _text(value).casefold()
        case Kind.LINE | Kind.NOTE | Kind.CHOICE | Kind.SECRET:
            return str(value).casefold()
    return value


def holds(field: Field, condition: Condition) -> Callable[[Any], bool]:
    """The condition as a function of a comparable value of the field."""
    name = condition.operator
    if name == "empty":
        return lambda value: value is None or value == ""
    if name == "filled":
        return lambda value: value is not None and value != ""
    wanted = _wanted(field, condition.value)
    if name == "!=":
        return lambda value: bool(value != wanted)
    if name == "contains":
        return lambda value: value is not None and wanted in value
    if name == "starts":
        return lambda value: value is not None and value.startswith(wanted)
    compare = _COMPARE[name]
    return lambda value: value is not None and compare(value, wanted)


def _wanted(field: Field, text: str) -> Any:
    match field.kind:
        case Kind.WHOLE | Kind.RUPIAH | Kind.SHARE:
            return int(text)
        case Kind.DECIMALS:
            return float(text)
        case Kind.YES_NO:
            return text == "yes"
        case _:
            return comparable(field, text)


def _text(value: Any) -> str:
    if is_dataclass(value) and not isinstance(value, type):
        return " ".join(_text(getattr(value, field.name)) for field in fields_of(type(value)))
    if isinstance(value, Mapping):
        return " ".join(map(_text, value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(_text, value))
    return "" if value is None else str(value)


class ListSource:
    """A RowSource, PlacesRows and AddsUp over rows in memory."""

    def __init__(self, columns: Sequence[Column], rows: Iterable[Row], *, totals: Iterable[str] = ()) -> None:
        """``totals``: the columns that are added up."""
        self.columns = tuple(columns)
        self._index = {column.name: place for place, column in enumerate(self.columns)}
        self._totals = tuple(totals)
        self._newest = 0
        self.replace(rows)

    @classmethod
    def of(cls, record: type, values: Iterable[Any], *, totals: Iterable[str] = ()) -> ListSource:
        """A source of records; the id is the place, from 1."""
        columns = columns_of(record)
        names = [column.name for column in columns]
        rows = (Row(place, 1, [getattr(one, name) for name in names]) for place, one in enumerate(values, 1))
        return cls(columns, rows, totals=totals)

    def replace(self, rows: Iterable[Row]) -> None:
        """Other rows from now on; a grid sees them when it is refreshed."""
        self.rows = tuple(rows)
        self._keys: dict[int, list[Any]] = {}
        self._complete: set[int] = set()
        self._hay: list[str] | None = None
        self._orders: dict[tuple[Order, ...], Sequence[int]] = {}
        self._shown: Sequence[int] = range(len(self.rows))
        self._where = {row.id: place for place, row in enumerate(self.rows)}

    async def ask(self, question: Question) -> int:
        """Choose and sort, beside the screen when there are many; a later question wins."""
        self._newest += 1
        mine = self._newest
        if len(self.rows) <= SMALL:
            shown = self.chosen(question)
        else:
            shown = await asyncio.to_thread(self.chosen, question)
        if mine == self._newest:
            self._shown = shown
        return len(shown)

    async def page(self, offset: int, limit: int) -> Sequence[Row]:
        """These rows of the last question."""
        return [self.rows[place] for place in self._shown[offset : offset + limit]]

    async def place(self, identity: int) -> int | None:
        """Where the row with this id is in the last question's rows."""
        place = self._where.get(identity)
        return self._shown.index(place) if place is not None and place in self._shown else None

    async def totals(self) -> Mapping[str, Any]:
        """The sums of the columns that are added up; what is missing counts as nothing."""
        sums = {}
        for name in self._totals:
            values = self._comparables(self._index[name])
            sums[name] = sum(values[place] or 0 for place in self._shown)
        return sums

    def chosen(self, question: Question) -> Sequence[int]:
        """The places in ``rows`` of those that the question wants, in its order."""
        order = tuple(one for one in question.order if one.column in self._index)
        known = self._orders.get(order)
        places = self._filtered(question, range(len(self.rows)) if known is None else known)
        if known is not None or not order:
            return places
        ordered = self._sorted(order, places)
        if len(ordered) == len(self.rows):
            if len(self._orders) >= KEPT:
                self._orders.pop(next(iter(self._orders)))
            self._orders[order] = ordered
        return ordered

    def _filtered(self, question: Question, places: Sequence[int]) -> Sequence[int]:
        for condition in question.conditions:
            index = self._index[condition.column]
            keys, test = self._comparables(index), holds(self.columns[index].field, condition)
            places = [place for place in places if test(keys[place])]
        if needle := question.search.casefold():
            hay = self._haystack()
            places = [place for place in places if needle in hay[place]]
        return places

    def _sorted(self, order: tuple[Order, ...], places: Sequence[int]) -> Sequence[int]:
        # Sorting is stable, so the least important key goes first.
        for one in reversed(order):
            keys = self._comparables(self._index[one.column])
            if self._index[one.column] not in self._complete:
                missing = [place for place in places if keys[place] is None]
                there: Sequence[int] = [place for place in places if keys[place] is not None]
            else:
                missing, there = [], places
            ordered = sorted(there, key=keys.__getitem__, reverse=one.descending)
            places = [*ordered, *missing] if one.descending else [*missing, *ordered]
        return places

    def _comparables(self, index: int) -> list[Any]:
        if index not in self._keys:
            field = self.columns[index].field
            values = [row.values[index] for row in self.rows]
            types = set(map(type, values))
            if types <= {int, bool} or types == {float}:
                keys: list[Any] = values
            elif types == {str} and field.kind in {Kind.LINE, Kind.NOTE, Kind.CHOICE}:
                keys = list(map(str.casefold, values))
            else:
                keys = [comparable(field, value) for value in values]
            if None not in keys:
                self._complete.add(index)
            self._keys[index] = keys
        return self._keys[index]

    def _haystack(self) -> list[str]:
        if self._hay is None:
            texts = [
                self._comparables(index)
                for index, column in enumerate(self.columns)
                if column.field.kind in {Kind.LINE, Kind.NOTE, Kind.CHOICE}
            ]
            # A search is one line, so no match reaches over a line end from one column to the next.
            full = [[text or "" for text in column] if None in column else column for column in texts]
            self._hay = list(map("\n".join, zip(*full, strict=True))) if full else [""] * len(self.rows)
        return self._hay
