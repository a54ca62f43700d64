"""Rows as records, and changes that notice when somebody else was first.

All changes run one after the other in the daemon's writer, so what is looked up
here holds until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ForeignKey,
    RowMapping,
    Select,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from appliance.contract.context import Context
from appliance.contract.fields import fields_of
from appliance.contract.refusals import AlreadyThere, Conflict, InUse, NotFound, RuleBroken
from appliance.language import _

__all__ = ["add_row", "change_row", "made", "remove_row", "row_of", "values_of"]

Made = TypeVar("Made")


# Statements are made once a table: to put one together takes longer than to run it.
@cache
def _of_key(table: Table, key: str) -> Select[Any]:
    return select(table).where(table.c[key] == bindparam("wanted", type_=table.c[key].type))


@cache
def _adding(table: Table) -> Any:
    return insert(table).returning(table.c.id)


@cache
def _twins(table: Table) -> tuple[tuple[tuple[str, ...], Select[Any]], ...]:
    """The table's unique sets, each with the look for another row that has these values. No row has the id 0."""
    unique = [tuple(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    unique += [(column,) for column in table.columns if column.unique]
    return tuple(
        (
            tuple(column.name for column in columns),
            select(table.c.id)
            .where(*[column == bindparam(f"wanted_{column.name}", type_=column.type) for column in columns])
            .where(table.c.id != bindparam("besides"))
            .limit(1),
        )
        for columns in unique
    )


@cache
def _target(link: ForeignKey) -> Select[Any]:
    target = link.column
    return select(target).where(target == bindparam("wanted", type_=target.type)).limit(1)


def values_of(value: Any) -> dict[str, Any]:
    """A record's fields as the values of a row."""
    return {field.name: getattr(value, field.name) for field in fields_of(type(value))}


def made(record: type[Made], row: RowMapping | Mapping[str, Any]) -> Made:
    """The record that stands in a row."""
    return record(**{field.name: row[field.name] for field in fields_of(record)})


def row_of(context: Context, table: Table, key: str, value: Any, what: str) -> RowMapping:
    """The row of this key; raises NotFound."""
    row = context.connection.execute(_of_key(table, key), {"wanted": value}).mappings().one_or_none()
    if row is None:
        raise NotFound(what, value)
    return row


def add_row(context: Context, table: Table, key: str, values: Mapping[str, Any], what: str) -> int:
    """Add a row and return its number; raises AlreadyThere, or RuleBroken for a reference to nothing."""
    _refuse_second(context, table, key, values, what, besides=None)
    _refuse_strangers(context, table, values)
    kept = {**values, "version": 1, "changed_by": context.person.name, "changed_at": context.now}
    return int(context.connection.execute(_adding(table), kept).scalar_one())


def change_row(
    context: Context, table: Table, key: str, value: Any, version: int, values: Mapping[str, Any], what: str
) -> int:
    """Change a row that the caller has seen in this version; returns the new version. Raises Conflict."""
    row = _seen(context, table, key, value, version, what)
    _refuse_second(context, table, key, values, what, besides=row["id"])
    _refuse_strangers(context, table, values)
    kept = {**values, "version": version + 1, "changed_by": context.person.name, "changed_at": context.now}
    context.connection.execute(update(table).where(table.c.id == row["id"]).values(kept))
    return version + 1


def remove_row(context: Context, table: Table, key: str, value: Any, version: int, what: str) -> None:
    """Remove a row that the caller has seen in this version; raises Conflict and InUse."""
    row = _seen(context, table, key, value, version, what)
    for other in table.metadata.tables.values():
        for link in other.foreign_keys:
            if link.column.table is table:
                _refuse_used(context, link.parent, row[link.column.name], other, what, value)
    context.connection.execute(delete(table).where(table.c.id == row["id"]))


def _seen(context: Context, table: Table, key: str, value: Any, version: int, what: str) -> RowMapping:
    row = row_of(context, table, key, value, what)
    if row["version"] != version:
        raise Conflict(
            what,
            value,
            changed_by=row["changed_by"],
            changed_at=row["changed_at"].astimezone(context.zone),
            version=row["version"],
        )
    return row


def _refuse_second(
    context: Context, table: Table, key: str, values: Mapping[str, Any], what: str, besides: int | None
) -> None:
    """Look for another row with the same values in any of the table's unique sets."""
    for names, found in _twins(table):
        if not all(name in values and values[name] is not None for name in names):
            continue
        wanted = {f"wanted_{name}": values[name] for name in names}
        if context.connection.execute(found, {**wanted, "besides": besides or 0}).first() is not None:
            field = key if key in names else names[0]
            raise AlreadyThere(what, ", ".join(str(values[name]) for name in names), field=field)


def _refuse_strangers(context: Context, table: Table, values: Mapping[str, Any]) -> None:
    for link in table.foreign_keys:
        name = link.parent.name
        if values.get(name) is None:
            continue
        target = link.column
        if context.connection.execute(_target(link), {"wanted": values[name]}).first() is None:
            raise RuleBroken(
                _("there is no {value} among {others}"), field=name, value=values[name], others=_plain(target)
            )


def _plain(target: Column[Any]) -> str:
    """``rooms`` of ``hotel_rooms``."""
    return target.table.name.partition("_")[2].replace("_", " ")


def _refuse_used(context: Context, column: Column[Any], value: Any, other: Table, what: str, key: Any) -> None:
    count = context.connection.execute(select(func.count()).select_from(other).where(column == value)).scalar_one()
    if count:
        raise InUse(what, key, count, other.name.partition("_")[2].replace("_", " "))
