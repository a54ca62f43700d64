"""How often the rows of each table were changed, and which, so that what was read from them can be kept until then."""

from __future__ import annotations

import re
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterable, Mapping, Set
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Column, Delete, Engine, Insert, Table, UniqueConstraint, Update, event
from sqlalchemy.sql import operators
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import BinaryExpression

__all__ = ["ANY", "Cell", "Standing", "Touches"]

ANY = ""
"""Stands for all tables: a statement that is no insert, update or delete of one."""
_TOUCHED = "gerbang touched"
"""Where a connection remembers what it has changed, until it is given back."""
_MOST_CELLS = 64
"""Of one connection and table; whoever changes more has changed any."""
_REMEMBERED = 128
"""Changes of one table whose cells are remembered."""
_HARMLESS = re.compile(r"\s*(SELECT|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|PRAGMA|SHOW|SET|EXPLAIN)\b", re.IGNORECASE)
_CARRIED = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})

Cell = tuple[str, Hashable]
"""A column and a value: what was changed are rows that have this value in this column, now or until they were removed.
Of rows that were removed the column is ``id``."""
_Cells = frozenset[Cell] | None
"""None: any rows."""


class Standing(NamedTuple):
    """Counts of changes at one moment. Take it before the snapshot that is read: what comes in between is then read
    again, never missed."""

    counts: Mapping[str, int]
    touches: Touches | None = None

    def of(self, tables: Iterable[str]) -> dict[str, int]:
        """The same two times: no row of these tables was changed in between."""
        return {name: self.counts.get(name, 0) for name in (ANY, *tables)}

    def cells_since(self, counts: Mapping[str, int], table: str) -> _Cells:
        """Where rows of this table were changed since the counts of an earlier ``of``, up to the snapshot that is being
        read: all of them, and perhaps more. None when that is not known, or another of the tables was changed."""
        return None if self.touches is None else self.touches.cells_since(counts, table)


class Touches:
    """Counts the changes that come through one engine. May be asked from any thread.

    A change is counted when its connection is given back, which is after it was kept and before anybody is told.
    One that was undone is counted too: it costs another look. What comes past the engine is not counted.
    """

    def __init__(self, engine: Engine) -> None:
        self._counts: Counter[str] = Counter()
        self._last: defaultdict[str, deque[_Cells]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))
        self._open: dict[int, dict[str, set[Cell] | None]] = {}
        """Changes of connections that were not given back yet: a snapshot may have them or not."""
        self._lock = threading.Lock()
        event.listen(engine, "before_cursor_execute", self._notice)
        for when in ("checkin", "invalidate", "soft_invalidate"):
            event.listen(engine, when, self._count, named=True)

    def standing(self) -> Standing:
        """The counts now."""
        with self._lock:
            return Standing(dict(self._counts), self)

    def cells_since(self, counts: Mapping[str, int], table: str) -> _Cells:
        """See ``Standing``."""
        with self._lock:
            for name, count in counts.items():
                if name != table and (self._counts[name] != count or any(name in one for one in self._open.values())):
                    return None
            behind, last = self._counts[table] - counts[table], self._last[table]
            if behind > len(last):
                return None
            changed: list[set[Cell] | _Cells] = [last[place] for place in range(len(last) - behind, len(last))]
            changed += [one[table] for one in self._open.values() if table in one]
            return None if None in changed else frozenset().union(*(one for one in changed if one is not None))

    def _count(self, connection_record: Any, **_more: Any) -> None:
        touched = connection_record.info.pop(_TOUCHED, None)
        if touched is None:
            return
        with self._lock:
            self._open.pop(id(touched), None)
            for name, cells in touched.items():
                self._counts[name] += 1
                self._last[name].append(None if cells is None else frozenset(cells))

    def _notice(
        self, connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _executemany: bool
    ) -> None:
        compiled = getattr(context, "compiled", None)
        changed = _changed(statement, compiled.statement if compiled is not None else None, context)
        if not changed:
            return
        with self._lock:
            touched = connection.info.setdefault(_TOUCHED, {})
            self._open[id(touched)] = touched
            for name, cells in changed.items():
                before = touched.setdefault(name, set())
                if before is None or cells is None or len(before) + len(cells) > _MOST_CELLS:
                    touched[name] = None
                else:
                    before.update(cells)


def _changed(statement: str, expression: Any, context: Any) -> dict[str, _Cells]:
    if not isinstance(expression, UpdateBase):
        return {} if _HARMLESS.match(statement) else {ANY: None}
    if not isinstance(expression.table, Table):
        return {ANY: None}
    carried: dict[str, _Cells] = dict.fromkeys(_with_carried(expression.table))
    if expression.table.fullname not in _carried_along(expression.table):
        carried[expression.table.fullname] = _cells(expression, expression.table, context)
    return carried


def _cells(expression: UpdateBase, table: Table, context: Any) -> _Cells:
    """Where the rows are that a statement changes, from the values that it is given."""
    given = context.compiled_parameters
    if not 0 < len(given) <= _MOST_CELLS:
        return None
    named = _named(expression, table, given[0], context.compiled.bind_names)
    if named is None or any(named[1] not in one for one in given):
        return None
    column, parameter = named
    try:
        return frozenset((column, one[parameter]) for one in given)
    except TypeError:
        return None


def _named(
    expression: UpdateBase, table: Table, given: Mapping[str, Any], parameters: Mapping[Any, str]
) -> tuple[str, str] | None:
    """A column that says which rows are changed, one of its own for each row if there is one, and the parameter with
    its value."""
    if isinstance(expression, Insert):
        # One that changes or replaces a row instead may find it by any of its unique columns.
        plain = expression._post_values_clause is None and not expression._prefixes
        return next(((key, key) for key in _keys(table) if plain and key in given), None)
    if not isinstance(expression, Update | Delete):
        return None
    found = {}
    for holds in expression._where_criteria:
        if isinstance(holds, BinaryExpression) and holds.operator is operators.eq:
            column, value = holds.left, holds.right
            if isinstance(column, Column) and column.table is table and isinstance(value, BindParameter):
                found[column.key] = parameters[value]
    lost = _lost(expression, table, given)
    staying = [key for key in (*_keys(table), *found) if key in found and key not in lost]
    return (staying[0], found[staying[0]]) if staying else None


def _lost(expression: Update | Delete, table: Table, given: Mapping[str, Any]) -> Set[str]:
    """Columns in which rows may have another value afterwards; of a row that is removed the id is enough."""
    if isinstance(expression, Delete):
        return {column.key for column in table.columns} - {"id"}
    by_itself = {column.key for column in table.columns if column.onupdate is not None}
    return {str(getattr(one, "key", one)) for one in expression._values or ()} | given.keys() | by_itself


@cache
def _keys(table: Table) -> tuple[str, ...]:
    """Columns that no two rows have the same value in."""
    several = [one.columns.values() for one in table.constraints if isinstance(one, UniqueConstraint)]
    alone = {columns[0].key for columns in several if len(columns) == 1}
    return ("id", *(one.key for one in table.columns if one.key != "id" and (one.unique or one.key in alone)))


def _with_carried(table: Table) -> frozenset[str]:
    """The table, and those to which the database carries a change of its rows along."""
    return frozenset({table.fullname}) | _carried_along(table)


@cache
def _carried_along(table: Table) -> frozenset[str]:
    found: set[Table] = set()
    waiting = [table]
    while waiting:
        changed = waiting.pop()
        for other in changed.metadata.tables.values():
            carries = any(
                key.column.table is changed and {key.onupdate, key.ondelete} & _CARRIED for key in other.foreign_keys
            )
            if carries and other not in found:
                found.add(other)
                waiting.append(other)
    return frozenset(one.fullname for one in found)
