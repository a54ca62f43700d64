"""Sorted ids of whole listings, kept as they were when their tables had so many changes.

Whoever sorts a long list by another column and back, or filters it while it is sorted, does not wait for the
database to sort again; nor do all consoles that show the same list and look again after somebody's change. An order
from before a change of few rows is still good for the others: ``appliance.store.placing``.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Column, Select, Table
from sqlalchemy.sql import functions, visitors
from sqlalchemy.sql.elements import Over, TextClause
from sqlalchemy.sql.selectable import FromClause, Join, SelectBase, TableClause

from appliance.contract.listings import Listing, Order
from appliance.store.touches import Standing

__all__ = ["Kept", "Orders", "Place", "place_of"]

MOST_BYTES = 64 * 1024 * 1024
MOST = 256
SECONDS = 600.0
"""How long after it was sorted an order is kept at most: what was changed past this process, by hand in the database,
is seen by then."""
_OF_ROWS = frozenset({"aggregate_strings", "coalesce", "count", "length", "lower", "max", "min", "substr", "sum"})
"""Functions that give the same for the same rows. Others might tell the time."""
_OF_MANY = frozenset({"aggregate_strings", "count", "max", "min", "sum"})


class Place(NamedTuple):
    """What one order of one listing is kept under, and the tables that it was read from."""

    key: Hashable
    tables: frozenset[str]
    base: Table | None = None
    """The table whose rows are those of the listing, each by itself and with the same ``id``; None when a row of the
    listing depends on several of one table."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An order: not to be altered."""

    ids: array[int]
    counts: Mapping[str, int]
    """Of changes, from before the ids were read."""
    until: float


class Orders:
    """A bounded number and size; what was looked at least lately goes first. May be asked from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._orders: OrderedDict[Hashable, Kept] = OrderedDict()
        self._bytes = 0

    def find(self, place: Place) -> Kept | None:
        """What is kept there, as it was when its tables had so many changes."""
        with self._lock:
            found = self._orders.get(place.key)
            if found is not None and self._clock() > found.until:
                self._drop(place.key)
                return None
            if found is not None:
                self._orders.move_to_end(place.key)
            return found

    def keep(self, place: Place, standing: Standing, ids: array[int], *, after: Kept | None = None) -> None:
        """``standing`` is from before the snapshot in which the ids were read; ``after``: an order that this one was
        made from, and ends with."""
        until = self._clock() + SECONDS if after is None else after.until
        order = Kept(ids, standing.of(place.tables), until)
        with self._lock:
            if place.key in self._orders:
                self._drop(place.key)
            self._orders[place.key] = order
            self._bytes += _size(ids)
            while len(self._orders) > 1 and (self._bytes > MOST_BYTES or len(self._orders) > MOST):
                self._drop(next(iter(self._orders)))

    def _drop(self, key: Hashable) -> None:
        self._bytes -= _size(self._orders.pop(key).ids)


def _size(ids: array[int]) -> int:
    return ids.itemsize * len(ids)


def place_of(listing: Listing, query: Select[Any], order: tuple[Order, ...]) -> Place | None:
    """Where the order of this listing's select is kept; None for a select that may give others without a change of
    its tables."""
    tables = _tables(query)
    known = query._generate_cache_key()
    if tables is None or known is None:
        return None
    key = (listing.row, known.key, tuple(one.effective_value for one in known.bindparams), order)
    try:
        hash(key)
    except TypeError:
        return None
    return Place(key, tables, _base(query))


def _tables(query: Select[Any]) -> frozenset[str] | None:
    found = set()
    for part in visitors.iterate(query):
        if isinstance(part, Table):
            found.add(part.fullname)
        elif isinstance(part, TextClause | TableClause) or _may_vary(part):
            return None
    return frozenset(found)


def _may_vary(part: Any) -> bool:
    return isinstance(part, functions.FunctionElement) and getattr(part, "name", "") not in _OF_ROWS


def _base(query: Select[Any]) -> Table | None:
    """See ``Place``."""
    identity = query.selected_columns.get("id")
    base = getattr(identity, "table", None)
    grouped = (query._group_by_clauses, query._having_criteria, query._distinct)
    cut = query._limit_clause is not None or query._offset_clause is not None
    if not isinstance(identity, Column) or not isinstance(base, Table) or any(grouped) or cut:
        return None
    for part in list(visitors.iterate(query))[1:]:
        if isinstance(part, functions.FunctionElement):
            if part.name in _OF_MANY:
                return None
        elif isinstance(part, Over | SelectBase) or (
            isinstance(part, FromClause) and not isinstance(part, Table | Join)
        ):
            return None
    tables = [one for root in query.get_final_froms() for one in _joined(root)]
    return base if tables.count(base) == 1 else None


def _joined(root: Any) -> list[Any]:
    return [*_joined(root.left), *_joined(root.right)] if isinstance(root, Join) else [root]
