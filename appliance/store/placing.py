"""Rows that were changed put to their places in an order from before the change.

The database says where: it sorts them among rows whose places are known, first far apart, then between the two that
they stand between. So its ORDER BY stays the only one, and few hundred rows are sorted in place of all.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from math import isqrt
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, Dialect, Table, any_, func, literal, or_, select

from appliance.store.touches import Cell

__all__ = ["among", "changed_rows", "placed"]

MOST = 64
"""Rows that were changed; of more all are sorted again."""
SHORT = 2_000
"""So many are sorted again before the places are found."""

InOrder = Callable[[Collection[int]], Sequence[int]]
"""Those of these ids that are in the listing now, in its order, each once."""


def among(column: ColumnElement[Any], ids: Iterable[int], dialect: Dialect) -> ColumnElement[bool]:
    """Whether the number is one of these, as one parameter: to write hundreds takes longer than to look them up."""
    if dialect.name == "postgresql":
        return column == any_(literal(list(ids), ARRAY(BigInteger)))
    listed = func.json_each(str(list(ids))).table_valued("value")
    return column.in_(select(listed.c.value))


def changed_rows(connection: Connection, table: Table, cells: Iterable[Cell]) -> frozenset[int] | None:
    """The ids of the rows that were changed, and perhaps more; None for too many."""
    values: defaultdict[str, list[Any]] = defaultdict(list)
    for column, value in cells:
        values[column].append(value)
    found = set(values.pop("id", ()))
    if values:
        holds = [table.c[column].in_(several) for column, several in values.items()]
        found.update(connection.execute(select(table.c.id).where(or_(*holds)).limit(MOST + 1)).scalars())
    return frozenset(found) if len(found) <= MOST else None


def placed(ids: array[int], changed: frozenset[int], in_order: InOrder) -> array[int] | None:
    """The order with these rows where they stand now, and without those that are gone.

    None when all are to be sorted again: for a short list, and when another row has left its place, as it may by a
    hand in the database.
    """
    if len(ids) < SHORT:
        return None
    rest = _without(ids, changed)
    # As many far apart as then between: of 100,000 some 300 each time for one row, and 2,500 for 64.
    step = max(isqrt(len(rest) // max(len(changed), 1)), 1)
    after = _following(rest, range(0, len(rest), step), changed, in_order)
    if not after:
        return rest if after is not None else None
    between = [range(place, min(place + step, len(rest))) for place in sorted(set(after.values())) if place >= 0]
    after = _following(rest, list(chain.from_iterable(between)), after.keys(), in_order)
    return None if after is None else _with(rest, after)


def _without(ids: array[int], gone: Collection[int]) -> array[int]:
    # Looked for in bytes, some eight times faster than number by number.
    rest, raw, size = array("q", ids), ids.tobytes(), ids.itemsize
    places = []
    for one in gone:
        wanted = array("q", (one,)).tobytes()
        place = raw.find(wanted)
        while place % size and place >= 0:
            place = raw.find(wanted, place + 1)
        if place >= 0:
            places.append(place // size)
    for place in sorted(places, reverse=True):
        del rest[place]
    return rest


def _following(
    rest: array[int], places: Sequence[int], changed: Collection[int], in_order: InOrder
) -> dict[int, int] | None:
    """Each changed row, in the order of the listing, with the place that it follows, -1 for none; None when the rows of
    these places are no more in their order."""
    found: dict[int, int] = {}
    known = iter(places)
    last = -1
    for one in in_order([*(rest[place] for place in places), *changed]):
        if one in found:
            return None
        if one in changed:
            found[one] = last
        elif (last := next(known, -1)) < 0 or rest[last] != one:
            return None
    return found if next(known, None) is None else None


def _with(rest: array[int], after: dict[int, int]) -> array[int]:
    whole, done = array("q"), 0
    for one, place in after.items():
        whole.extend(rest[done : place + 1])
        whole.append(one)
        done = place + 1
    whole.extend(rest[done:])
    return whole
