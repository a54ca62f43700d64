"""How often the rows of each table were changed, so that what was read from them can be kept until then."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Engine, Table, event
from sqlalchemy.sql.dml import UpdateBase

__all__ = ["Standing", "Touches"]

_TOUCHED = "gerbang touched"
"""Where a connection remembers what it has changed, until it is given back."""
_ANY = ""
"""Stands for all tables: a statement that is no insert, update or delete of one."""
_HARMLESS = re.compile(r"\s*(SELECT|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|PRAGMA|SHOW|SET|EXPLAIN)\b", re.IGNORECASE)
_CARRIED = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


class Standing(NamedTuple):
    """Counts of changes at one moment. Take it before the snapshot that is read: what comes in between is then read
    again, never missed."""

    counts: dict[str, int]

    def of(self, tables: Iterable[str]) -> tuple[int, ...]:
        """The same two times: no row of these tables was changed in between."""
        return (self.counts.get(_ANY, 0), *(self.counts.get(name, 0) for name in sorted(tables)))


class Touches:
    """Counts the changes that come through one engine. May be asked from any thread.

    A change is counted when its connection is given back, which is after it was kept and before anybody is told.
    One that was undone is counted too: it costs another look. What comes past the engine is not counted.
    """

    def __init__(self, engine: Engine) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        event.listen(engine, "before_cursor_execute", _notice)
        for when in ("checkin", "invalidate", "soft_invalidate"):
            event.listen(engine, when, self._count, named=True)

    def standing(self) -> Standing:
        """The counts now."""
        with self._lock:
            return Standing(dict(self._counts))

    def _count(self, connection_record: Any, **_more: Any) -> None:
        if touched := connection_record.info.pop(_TOUCHED, None):
            with self._lock:
                self._counts.update(touched)


def _notice(connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _executemany: bool) -> None:
    compiled = getattr(context, "compiled", None)
    changed = _changed(statement, compiled.statement if compiled is not None else None)
    if changed:
        connection.info.setdefault(_TOUCHED, set()).update(changed)


def _changed(statement: str, expression: Any) -> frozenset[str]:
    if isinstance(expression, UpdateBase):
        return _with_carried(expression.table) if isinstance(expression.table, Table) else frozenset({_ANY})
    return frozenset() if _HARMLESS.match(statement) else frozenset({_ANY})


@cache
def _with_carried(table: Table) -> frozenset[str]:
    """The table, and those to which the database carries a change of its rows along."""
    found, waiting = {table}, [table]
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
