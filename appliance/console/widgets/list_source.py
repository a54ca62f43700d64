"""Rows in memory with the meaning that the daemon's listings have (``appliance.contract.listings``): for reports,
choices and tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from appliance.console.widgets.rows import Row
from appliance.contract.fields import Kind
from appliance.contract.folding import fold
from appliance.contract.listings import Column, Order, Question, columns_of
from appliance.contract.ordering import TEXTS, comparable, holds
from appliance.contract.refusals import RuleBroken
from appliance.language import _

__all__ = ["ListSource"]

SMALL = 2000
"""Rows that are sorted faster than a thread is begun."""
KEPT = 8
"""Sorted orders that are kept."""


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
        """The places in ``rows`` of those that the question wants, in its order. Raises RuleBroken with the field that
        does not fit."""
        order = question.order
        for place, one in enumerate(order):
            self._at(one.column, f"order.{place}.column")
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

    def _at(self, name: str, at: str) -> int:
        if name not in self._index:
            known = ", ".join(self._index)
            raise RuleBroken(_("there is no column {name}; there are: {known}"), field=at, name=name, known=known)
        return self._index[name]

    def _filtered(self, question: Question, places: Sequence[int]) -> Sequence[int]:
        for number, condition in enumerate(question.conditions):
            index = self._at(condition.column, f"conditions.{number}.column")
            test = holds(self.columns[index].field, condition, f"conditions.{number}.value")
            keys = self._comparables(index)
            places = [place for place in places if test(keys[place])]
        if needle := fold(question.search):
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
            places = [*ordered, *missing]
        return places

    def _comparables(self, index: int) -> list[Any]:
        if index not in self._keys:
            field = self.columns[index].field
            values = [row.values[index] for row in self.rows]
            types = set(map(type, values))
            if types <= {int, bool} or types == {float}:
                keys: list[Any] = values
            elif types == {str} and field.kind in {Kind.LINE, Kind.NOTE}:
                keys = list(map(fold, values))
            else:
                keys = list(map(comparable(field), values))
            if None not in keys:
                self._complete.add(index)
            self._keys[index] = keys
        return self._keys[index]

    def _haystack(self) -> list[str]:
        if self._hay is None:
            texts = [
                self._comparables(index) for index, column in enumerate(self.columns) if column.field.kind in TEXTS
            ]
            # A search is one line, so no match reaches over a line end from one column to the next.
            full = [[text or "" for text in column] if None in column else column for column in texts]
            self._hay = list(map("\n".join, zip(*full, strict=True))) if full else [""] * len(self.rows)
        return self._hay
