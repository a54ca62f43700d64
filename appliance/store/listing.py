"""The SQL behind a listing: the sorted ids of a question, pages of rows by their ids, totals.

Ids are kept as 64-bit numbers, 0.8 MB for 100,000; rows are read when they are
looked at, as they are then.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pydantic_core import from_json, to_jsonable_python
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Subquery,
    Text,
    func,
    literal_column,
    select,
    type_coerce,
)

from appliance.contract.fields import Field
from appliance.contract.listings import Asking, Listing, Question, columns_of
from appliance.contract.ordering import TEXTS, WHOLES
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.store.comparing import condition_on, has_text, sort_key, whole_sum
from appliance.store.orders import Orders, Place, place_of
from appliance.store.placing import among, changed_rows, placed
from appliance.store.touches import Standing

__all__ = ["Kept", "Known", "Row", "ask", "page", "rows_of", "totals"]

_LARGEST_PAGE = 5_000
_KNOWN: WeakKeyDictionary[Select[Any], Subquery | FromClause] = WeakKeyDictionary()
_PLAIN = {str, int, float, bool, type(None)}


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer to a question: the ids in its order."""

    ids: array[int]

    @property
    def count(self) -> int:
        """How many rows."""
        return len(self.ids)

    def position(self, identity: int) -> int | None:
        """Where this row stands, None when it is not among them."""
        try:
            return self.ids.index(identity)
        except (ValueError, OverflowError):
            return None


class Known(NamedTuple):
    """Orders that are kept, and the counts of changes from before the snapshot that is asked."""

    kept: Orders
    standing: Standing


class Row(NamedTuple):
    """One row. ``version`` is 0, and all values None, when it has been removed since."""

    id: int
    version: int
    values: list[Any]
    """JSON values, one a column of ``columns_of``."""


class _Asked:
    """A listing as one person may see it."""

    def __init__(self, connection: Connection, listing: Listing, asking: Asking) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self.fields: dict[str, Field] = {one.name: one.field for one in columns_of(listing.row)}
        if listing.select is None:
            raise TypeError(f"the listing {listing.name} has no select")
        self.select: Select[Any] = listing.select(asking)
        self.listing = listing

    @cached_property
    def rows(self) -> Subquery | FromClause:
        """What is selected from. A plain table is asked itself: its indexes serve, and nothing is to be flattened."""
        return _rows_of(self.select)

    def column(self, name: str, at: str) -> tuple[Field, ColumnElement[Any]]:
        """The column of this name; raises RuleBroken, with ``at`` as the field."""
        if name not in self.fields:
            known = ", ".join(self.fields)
            raise RuleBroken(_("there is no column {name}; there are: {known}"), field=at, name=name, known=known)
        if name not in self.rows.c:
            raise TypeError(f"the select of the listing {self.listing.name} has no column {name}")
        return self.fields[name], self.rows.c[name]

    def where(self, question: Question) -> list[ColumnElement[bool]]:
        """All that must hold."""
        holds = []
        for place, one in enumerate(question.conditions):
            field, value = self.column(one.column, f"conditions.{place}.column")
            at = f"conditions.{place}.value"
            holds.append(condition_on(field, one.operator, one.value, value, self.dialect, at))
        if question.search:
            texts = [self.rows.c[name] for name, field in self.fields.items() if field.kind in TEXTS]
            holds.append(has_text([_plain(one) for one in texts], question.search, self.dialect))
        return holds

    def order(self, question: Question) -> list[ColumnElement[Any]]:
        """The question's order, or else the listing's; the id at the end."""
        keys: list[ColumnElement[Any]] = []
        for place, one in enumerate(question.order or self.listing.order):
            field, value = self.column(one.column, f"order.{place}.column")
            keys.extend(sort_key(field, value, self.dialect, descending=one.descending))
        return [*keys, self.rows.c.id]


def _rows_of(query: Select[Any]) -> Subquery | FromClause:
    # What a query is made from is found by compiling it; one that is the same each time is looked at once.
    if (known := _KNOWN.get(query)) is None:
        known = _KNOWN[query] = _looked_at(query)
    return known


def _looked_at(query: Select[Any]) -> Subquery | FromClause:
    if query.whereclause is None and _bare(query):
        rows = query.get_final_froms()
        plain = len(rows) == 1 and getattr(rows[0], "primary_key", None) is not None
        if plain and rows[0].is_selectable and list(query.selected_columns) == list(rows[0].c):
            return rows[0]
    return query.order_by(None).subquery("listed")


def _bare(query: Select[Any]) -> bool:
    """Nothing but columns from a table: no limit, no grouping, no distinct."""
    clauses = (query._limit_clause, query._offset_clause)
    more = (query._group_by_clauses, query._having_criteria, query._distinct)
    return all(one is None for one in clauses) and not any(more)


def _plain(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return type_coerce(value, Text())


def ask(
    connection: Connection, listing: Listing, question: Question, asking: Asking, orders: Known | None = None
) -> Kept:
    """The ids of all rows that the question wants, in its order. Raises RuleBroken with the field that does not fit.

    ``orders``: where orders of the whole listing are found and kept.
    """
    asked = _Asked(connection, listing, asking)
    where, order = asked.where(question), asked.order(question)
    wanted = select(asked.rows.c.id).where(*where)
    place = None if orders is None else place_of(listing, asked.select, question.order or listing.order)
    if orders is None or place is None:
        return Kept(_ids(connection, wanted.order_by(*order)))
    known = _known(asked, order, orders, place)
    if known is None:
        ids = _ids(connection, wanted.order_by(*order))
        if not where:
            orders.kept.keep(place, orders.standing, ids)
        return Kept(ids)
    if not where:
        return Kept(known)
    return Kept(array("q", filter(frozenset(_ids(connection, wanted)).__contains__, known)))


def _known(asked: _Asked, order: list[ColumnElement[Any]], orders: Known, place: Place) -> array[int] | None:
    """The whole listing in this order, if that is kept, or kept from before a change of few rows."""
    before = orders.kept.find(place)
    if before is None or before.counts == orders.standing.of(place.tables):
        return None if before is None else before.ids
    cells = None if place.base is None else orders.standing.cells_since(before.counts, place.base.fullname)
    changed = None if cells is None or place.base is None else changed_rows(asked.connection, place.base, cells)
    if changed is None:
        return None

    def in_order(some: Collection[int]) -> Sequence[int]:
        wanted = select(asked.rows.c.id).where(among(asked.rows.c.id, some, asked.dialect)).order_by(*order)
        return asked.connection.execute(wanted).scalars().all()

    ids = placed(before.ids, changed, in_order)
    if ids is not None:
        orders.kept.keep(place, orders.standing, ids, after=before)
    return ids


def _ids(connection: Connection, query: Select[Any]) -> array[int]:
    # One long value is read faster than 100,000 rows.
    if connection.dialect.name == "postgresql":
        joined = func.array_to_string(func.array(query.scalar_subquery()), literal_column("','"))
        one = select(joined)
    else:
        # SQLite does not flatten a sorted subquery into an aggregate (https://www.sqlite.org/src/file/src/select.c,
        # flattenSubquery, restriction 16), so the ids are joined as they are sorted.
        one = select(func.group_concat(query.subquery("sorted").c.id))
    return array("q", from_json(f"[{connection.execute(one).scalar_one() or ''}]"))


def page(connection: Connection, listing: Listing, ids: Sequence[int], asking: Asking) -> list[Row]:
    """These rows in this order, as they are now. One that was removed, or that this person may no
    longer see, is empty."""
    asked = _Asked(connection, listing, asking)
    names = list(asked.fields)
    found: dict[int, Row] = {}
    for start in range(0, len(ids), _LARGEST_PAGE):
        some = among(asked.rows.c.id, ids[start : start + _LARGEST_PAGE], asked.dialect)
        columns = [asked.rows.c.id, asked.rows.c.version, *[asked.rows.c[name] for name in names]]
        for identity, version, *values in connection.execute(select(*columns).where(some)):
            found[identity] = Row(identity, version, [_json(value) for value in values])
    return [found.get(identity) or Row(identity, 0, [None] * len(names)) for identity in ids]


def rows_of(connection: Connection, listing: Listing, ids: Sequence[int], asking: Asking) -> Iterator[Row]:
    """All these rows, read a thousand at a time; those that were removed are passed over."""
    for start in range(0, len(ids), 1_000):
        yield from (row for row in page(connection, listing, ids[start : start + 1_000], asking) if row.version)


def totals(connection: Connection, listing: Listing, question: Question, asking: Asking) -> Mapping[str, int | float]:
    """The sums of the number columns over all rows that the question wants."""
    asked = _Asked(connection, listing, asking)
    names = [name for name, field in asked.fields.items() if field.numeric]
    if not names:
        return {}
    sums: list[ColumnElement[Any]] = []
    for name in names:
        value = asked.rows.c[name]
        if asked.fields[name].kind in WHOLES:
            sums.extend(whole_sum(value, asked.dialect))
        else:
            sums.append(func.sum(value))
    found = iter(connection.execute(select(*sums).select_from(asked.rows).where(*asked.where(question))).one())
    return {
        name: int(next(found) or 0) * 10**6 + int(next(found) or 0)
        if asked.fields[name].kind in WHOLES
        else float(next(found) or 0.0)
        for name in names
    }


def _json(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    return to_jsonable_python(value, fallback=str)
