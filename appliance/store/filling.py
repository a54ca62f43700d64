"""Migrations of tables that are filled: what rows that are there get in a new column, and rows for a test of it.

For authors of services. The daemon never imports this.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any

from alembic.operations import ops
from pydantic import TypeAdapter
from sqlalchemy import Column, Connection, DefaultClause, MetaData, UniqueConstraint, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from appliance.contract.fields import Field, Kind
from compiler.errors import UsageError

__all__ = ["fill_empty_tables", "values_for_old_rows"]

ROWS = 2
"""In each table: one does not show that a value must differ from row to row."""
NEUTRAL: dict[type, str] = {bool: "false", int: "0", float: "0", str: "", date: "1900-01-01"}
"""What a column that a downgrade brings back holds; its values are gone."""


def values_for_old_rows(found: ops.UpgradeOps | ops.DowngradeOps, tables: MetaData | None) -> None:
    """Give each new required column a value for the rows that are there: its field's default.

    A new column takes it as a ``server_default``, which the step after it drops
    again; one that was optional is filled first. Without ``tables``, of a
    downgrade, it is an empty value. Raises UsageError.
    """
    made: list[ops.MigrateOperation] = []
    for one in found.ops:
        if not isinstance(one, ops.ModifyTableOps):
            made.append(one)
            continue
        after: list[ops.MigrateOperation] = []
        for place, inner in enumerate(one.ops):
            if isinstance(inner, ops.AddColumnOp) and _needs_value(inner.column):
                column = inner.column._copy()
                column.server_default = DefaultClause(_text_for(inner.column, one.table_name, tables))
                one.ops[place] = ops.AddColumnOp(one.table_name, column, schema=one.schema)
                after.append(
                    ops.AlterColumnOp(
                        one.table_name,
                        column.name,
                        modify_server_default=None,
                        existing_type=column.type,
                        existing_nullable=False,
                    )
                )
            elif isinstance(inner, ops.AlterColumnOp) and inner.modify_nullable is False and tables is not None:
                column = tables.tables[one.table_name].c[inner.column_name]
                made.append(ops.ExecuteSQLOp(_filled(column, one.table_name, tables)))
        made.append(one)
        if after:
            made.append(ops.ModifyTableOps(one.table_name, after, schema=one.schema))
    found.ops[:] = made


def _needs_value(column: Column[Any]) -> bool:
    return not column.nullable and column.server_default is None and column.computed is None


def _filled(column: Column[Any], table: str, tables: MetaData) -> str:
    quoted = _text_for(column, table, tables).replace("'", "''").replace(":", "\\:")
    return f"UPDATE {table} SET {column.name} = '{quoted}' WHERE {column.name} IS NULL"


def _text_for(column: Column[Any], table: str, tables: MetaData | None) -> str:
    """The value as both databases read it from a quoted literal."""
    if tables is None:
        found = NEUTRAL.get(column.type.python_type)
        return "1900-01-01 00:00:00.000000" if found is None else found
    field = column.info.get("field")
    value = _default_of(column, field)
    name = f"{table}.{column.name}"
    advice = "make it optional (… | None = None) and fill it by a command"
    if value is None:
        raise UsageError(
            f"{name} is new and required, and has no default: the rows that are there have no value for it."
            f" Give it a default (a later version may take it away), or {advice}"
        )
    if column.foreign_keys:
        raise UsageError(f"{name} is new, required and refers to another record: no default is right; {advice}")
    if _is_unique(tables, table, column.name):
        raise UsageError(f"{name} is new, required and unique: one default does not do for several rows; {advice}")
    if isinstance(value, datetime):
        raise UsageError(f"{name} is a new moment: none is right for all the rows that are there; {advice}")
    return _written(value, field)


def _default_of(column: Column[Any], field: Field | None) -> Any:
    if field is not None:
        return None if field.required else field.default
    default = column.default
    return default.arg if isinstance(default, ScalarElementColumnDefault) else None


def _is_unique(tables: MetaData, table: str, name: str) -> bool:
    kept = tables.tables[table]
    sets = [[one.name for one in rule.columns] for rule in kept.constraints if isinstance(rule, UniqueConstraint)]
    sets += [[str(getattr(one, "name", "")) for one in index.expressions] for index in kept.indexes if index.unique]
    return bool(kept.c[name].unique) or [name] in sets


def _written(value: Any, field: Field | None) -> str:
    if field is not None and field.kind in {Kind.SEVERAL, Kind.RECORD}:
        return TypeAdapter(field.type).dump_json(value).decode()
    if isinstance(value, Enum):
        return str(value.value)
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def fill_empty_tables(connection: Connection, prefix: str) -> None:
    """Put two rows into each table of these names that has none, whatever its columns are."""
    kept = MetaData()
    kept.reflect(connection, only=lambda name, _kept: name.startswith(prefix))
    for table in kept.sorted_tables:
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            continue
        for number in range(1, ROWS + 1):
            row = {column.name: _sample(connection, column, number) for column in table.columns}
            try:
                with connection.begin_nested():
                    connection.execute(insert(table).values(row))
            except IntegrityError:
                break  # a condition of the table's own, which no made-up value meets


def _sample(connection: Connection, column: Column[Any], number: int) -> Any:
    """The value of this column in the row of this number; its references are to the rows of that number."""
    for link in column.foreign_keys:
        if link.column.table is column.table and column.nullable:
            return None
        known = connection.execute(select(link.column).order_by(link.column)).scalars().all()
        return known[min(number, len(known)) - 1] if known else None
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return None
    at = datetime(2000, 1, number, tzinfo=UTC if getattr(column.type, "timezone", False) else None)
    samples: dict[type, Any] = {bool: number % 2 == 0, datetime: at, date: at.date(), time: at.time(), str: str(number)}
    return samples.get(kind, number if kind in {int, float} else None)
