"""Tables as JSON lines, exactly: what comes out goes in again, on the other database too.

A table is read as it stands in the database, not as the code would have it, so
that a backup of an older revision is read alike.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pydantic_core import from_json
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    Double,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TableClause,
    Text,
    column,
    func,
    insert,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.types import TypeEngine

from appliance.store.failures import StoreFault
from appliance.store.revisions import REVISIONS
from appliance.store.types import Utc

__all__ = ["Shape", "UnreadableRow", "counter_of", "dump", "load", "set_counter", "shapes_of"]

_TYPES: dict[str, TypeEngine[Any]] = {
    "moment": Utc(),
    "day": Date(),
    "yes-no": Boolean(),
    "whole": BigInteger(),
    "decimals": Double(),
    "bytes": LargeBinary(),
    "text": Text(),
}
_KINDS: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (DateTime, "moment"),
    (Date, "day"),
    (Boolean, "yes-no"),
    (Integer, "whole"),
    (Float, "decimals"),
    (LargeBinary, "bytes"),
    (String, "text"),
)
_JSON: dict[str, tuple[type, ...]] = {
    "yes-no": (bool,),
    "whole": (int,),
    "decimals": (float, int),
    "moment": (str,),
    "day": (str,),
    "bytes": (str,),
    "text": (str,),
}
_READ: dict[str, Callable[[Any], Any]] = {
    "moment": lambda written: datetime.fromisoformat(written).astimezone(UTC),
    "day": date.fromisoformat,
    "bytes": lambda written: base64.b64decode(written, validate=True),
    "decimals": float,
}
_BATCH = 1_000


class UnreadableRow(StoreFault):
    """A line that is no row of its table."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as it stands in a database."""

    name: str
    columns: Mapping[str, str]
    """The kind of each, in their order."""
    key: tuple[str, ...]
    counted: bool
    """Its ``id`` counts up by itself."""

    @property
    def clause(self) -> TableClause:
        """For statements."""
        return table(self.name, *[column(name, _TYPES[kind]) for name, kind in self.columns.items()])


def shapes_of(connection: Connection, services: Iterable[str]) -> dict[str, list[Shape]]:
    """The tables of each service, those that are referred to first. A table is of the longest name it begins with."""
    found = MetaData()
    found.reflect(connection)
    names = sorted(services, key=len, reverse=True)
    shapes: dict[str, list[Shape]] = {name: [] for name in names}
    for one in found.sorted_tables:
        owner = next((name for name in names if one.name.startswith(f"{name}_")), None)
        if owner is not None and one.name != REVISIONS.name:
            shapes[owner].append(_shape(one))
    return shapes


def _shape(one: Table) -> Shape:
    columns = {column.name: _kind(one.name, column.name, column.type) for column in one.columns}
    key = tuple(column.name for column in one.primary_key.columns)
    return Shape(one.name, columns, key, counted=key == ("id",) and columns["id"] == "whole")


def _kind(table_name: str, name: str, kind: TypeEngine[Any]) -> str:
    for known, word in _KINDS:
        if isinstance(kind, known):
            return word
    raise StoreFault(f"the column {name} of {table_name} is of the type {kind}, which no backup can hold")


def dump(connection: Connection, shape: Shape, where: Any = None) -> Iterator[bytes]:
    """The rows in the order of their keys, a line of JSON each. Never the whole table in memory."""
    kept = shape.clause
    server = connection.dialect.name == "postgresql"
    order = [
        kept.c[name].collate("C") if server and shape.columns[name] == "text" else kept.c[name] for name in shape.key
    ]
    query = select(*kept.c).order_by(*order)
    if where is not None:
        query = query.where(where(kept))
    kinds = list(shape.columns.values())
    rows = connection.execution_options(yield_per=_BATCH).execute(query)
    for row in rows:
        yield _line(row, kinds)


def _line(row: Sequence[Any], kinds: Sequence[str]) -> bytes:
    values = [_encoded(value, kind) for value, kind in zip(row, kinds, strict=True)]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def _encoded(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "decimals":  # 1.0 and 1 are the same number, in one database this and in the other that
        return float(value)
    return value.isoformat() if kind in {"moment", "day"} else value


def _decoded(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if not isinstance(value, _JSON[kind]) or (isinstance(value, bool) and kind != "yes-no"):
        raise ValueError(f"{value!r} is no {kind}")
    read = _READ.get(kind)
    return read(value) if read else value


def load(connection: Connection, shape: Shape, lines: Iterable[bytes]) -> int:
    """Insert the rows; returns how many. Raises UnreadableRow with the number of the line."""
    names, kinds = list(shape.columns), list(shape.columns.values())
    batch: list[dict[str, Any]] = []
    count = 0
    for line in lines:
        count += 1
        try:
            values = [_decoded(one, kind) for one, kind in zip(from_json(line), kinds, strict=True)]
        except (ValueError, TypeError, OverflowError) as error:
            raise UnreadableRow(f"line {count} of {shape.name} is no row of it: {error}") from None
        batch.append(dict(zip(names, values, strict=True)))
        if len(batch) >= _BATCH:
            connection.execute(insert(shape.clause), batch)
            batch = []
    if batch:
        connection.execute(insert(shape.clause), batch)
    return count


def counter_of(connection: Connection, shape: Shape) -> int:
    """The highest number that a row of the table ever had."""
    kept = shape.clause
    highest = connection.execute(select(func.max(kept.c.id))).scalar_one() or 0
    if connection.dialect.name == "sqlite":
        if not inspect(connection).has_table("sqlite_sequence"):
            return int(highest)
        row = connection.execute(
            text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": shape.name}
        ).scalar_one_or_none()
        return max(int(highest), int(row or 0))
    sequence = _sequence(connection, shape)
    if sequence is None:
        return int(highest)
    last, called = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
    return max(int(highest), int(last) if called else 0)


def set_counter(connection: Connection, shape: Shape, number: int) -> None:
    """The next row gets a number above this one, and above any that was ever given here."""
    number = max(number, counter_of(connection, shape))
    if connection.dialect.name == "sqlite":
        if inspect(connection).has_table("sqlite_sequence"):
            named = {"name": shape.name, "number": number}
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), named)
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"), named)
        return
    sequence = _sequence(connection, shape)
    if sequence is not None and number > 0:
        connection.execute(
            text("SELECT setval(cast(:name AS regclass), :number)"), {"name": sequence, "number": number}
        )


def _sequence(connection: Connection, shape: Shape) -> str | None:
    """Its name, quoted where it must be."""
    quoted = connection.dialect.identifier_preparer.quote(shape.name)
    found = connection.execute(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": quoted}).scalar_one()
    return None if found is None else str(found)
