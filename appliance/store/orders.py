"""Sorted ids of whole listings, kept until one of their tables is changed.

Whoever sorts a long list by another column and back, or filters it while it is sorted, does not wait for the
database to sort again; nor do all consoles that show the same list and look again after somebody's change.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Select, Table
from sqlalchemy.sql import functions, visitors
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.selectable import TableClause

from appliance.contract.listings import Listing, Order
from appliance.store.touches import Standing

__all__ = ["Orders", "Place", "place_of"]

MOST_BYTES = 64 * 1024 * 1024
MOST = 256
SECONDS = 60.0
"""How long an order is kept at most: what was changed past this process, by hand in the database, is seen by then."""
_OF_ROWS = frozenset({"aggregate_strings", "coalesce", "count", "length", "lower", "max", "min", "substr", "sum"})
"""Functions that give the same for the same rows. Others might tell the time."""


class Place(NamedTuple):
    """What one order of one listing is kept under, and the tables that it was read from."""

    key: Hashable
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Order:
    ids: array[int]
    counts: tuple[int, ...]
    until: float


class Orders:
    """A bounded number and size; what was looked at least lately goes first. May be asked from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._orders: OrderedDict[Hashable, _Order] = OrderedDict()
        self._bytes = 0

    def find(self, place: Place, standing: Standing) -> array[int] | None:
        """The ids, if no table of theirs was changed since. Not to be altered."""
        with self._lock:
            found = self._orders.get(place.key)
            if found is None:
                return None
            if found.counts != standing.of(place.tables) or self._clock() > found.until:
                self._drop(place.key)
                return None
            self._orders.move_to_end(place.key)
            return found.ids

    def keep(self, place: Place, standing: Standing, ids: array[int]) -> None:
        """``standing`` is from before the snapshot in which the ids were read."""
        order = _Order(ids, standing.of(place.tables), self._clock() + SECONDS)
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
    return Place(key, tables)


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
