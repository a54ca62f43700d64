"""Rows as records, and changes that notice when somebody else was first.

All changes run one after the other in the daemon's writer, so what is looked up
here holds until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from pydantic_core import to_jsonable_python
from sqlalchemy import (
    ClauseElement,
    Column,
    ForeignKey,
    Index,
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
from typing_extensions import TypedDict  # pydantic's own, below Python 3.12

from appliance.contract.context import Context
from appliance.contract.fields import fields_of
from appliance.contract.refusals import AlreadyThere, Conflict, InUse, NotFound, RuleBroken
from appliance.language import _

__all__ = ["add_row", "change_row", "made", "remove_row", "row_of", "values_of"]

Made = TypeVar("Made")
_STRICT = ConfigDict(strict=True, allow_inf_nan=False, hide_input_in_errors=True)


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
    unique += [found for index in table.indexes if index.unique and (found := _whole(table, index))]
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


def _whole(table: Table, index: Index) -> tuple[Column[Any], ...]:
    """The columns of a unique index; none for one of expressions or of some rows only, which the database looks at."""
    if any(index.dialect_options[name].get("where") is not None for name in ("sqlite", "postgresql")):
        return ()
    columns = tuple(table.c[one.name] for one in index.expressions if isinstance(one, Column))
    return columns if len(columns) == len(index.expressions) else ()


@cache
def _reader(table: Table) -> TypeAdapter[Any]:
    """Reads some fields of its record, each by its own kind: what is made in Python was looked at by nobody."""
    kinds = {column.name: column.info["field"].type for column in table.columns if "field" in column.info}
    fields: Any = TypedDict("Fields", kinds, total=False)  # type: ignore[misc]
    return TypeAdapter(with_config(_STRICT)(fields))


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
    """Add a row and return its number.

    Raises AlreadyThere, and RuleBroken for a reference to nothing or a value that is none of its field's kind.
    """
    values = _read(table, values)
    _refuse_second(context, table, key, values, what, besides=None)
    _refuse_strangers(context, table, values)
    kept = {**values, "version": 1, "changed_by": context.person.name, "changed_at": context.now}
    return int(context.connection.execute(_adding(table), kept).scalar_one())


def change_row(
    context: Context,
    table: Table,
    key: str,
    value: Any,
    version: int,
    values: Mapping[str, Any],
    what: str,
    *,
    number: int | None = None,
) -> int:
    """Change a row that the caller has seen in this version; returns the new version.

    ``number`` is the row's id, of callers that know it: who has it is told of a
    key that somebody else has changed. Raises Conflict, and what ``add_row`` does.
    """
    row = _seen(context, table, key, value, version, what, number)
    values = _read(table, values)
    _refuse_second(context, table, key, values, what, besides=row["id"])
    _refuse_strangers(context, table, values)
    kept = {**values, "version": version + 1, "changed_by": context.person.name, "changed_at": context.now}
    context.connection.execute(update(table).where(table.c.id == row["id"]).values(kept))
    return version + 1


def remove_row(
    context: Context, table: Table, key: str, value: Any, version: int, what: str, *, number: int | None = None
) -> None:
    """Remove a row that the caller has seen in this version; raises Conflict and InUse. ``number`` as above."""
    row = _seen(context, table, key, value, version, what, number)
    for other in table.metadata.tables.values():
        for link in other.foreign_keys:
            if link.column.table is table:
                _refuse_used(context, link.parent, row[link.column.name], other, what, value)
    context.connection.execute(delete(table).where(table.c.id == row["id"]))


def _read(table: Table, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values as their fields' kinds keep them. Raises RuleBroken for the first that is none of its kind."""
    plain = {name: value for name, value in values.items() if not isinstance(value, ClauseElement)}
    try:
        return {**values, **_reader(table).validate_python(plain)}
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(one) for one in first["loc"])
        raised = first.get("ctx", {}).get("error")
        if isinstance(raised, RuleBroken):
            raise RuleBroken(raised.template, field=raised.field or field, **raised.values) from None
        reason = str(to_jsonable_python(raised, fallback=str)) if raised is not None else first["msg"]
        raise RuleBroken(_("{name}: {reason}"), field=field, name=field, reason=reason) from None


def _seen(
    context: Context, table: Table, key: str, value: Any, version: int, what: str, number: int | None
) -> RowMapping:
    row = _numbered(context, table, number)
    if row is None:
        row = row_of(context, table, key, value, what)
        same = number is None
    else:
        same = row[key] == value
    if row["version"] != version or not same:
        raise Conflict(
            what,
            value,
            changed_by=row["changed_by"],
            changed_at=row["changed_at"].astimezone(context.zone),
            version=row["version"],
            renamed=None if row[key] == value else row[key],
        )
    return row


def _numbered(context: Context, table: Table, number: int | None) -> RowMapping | None:
    if number is None:
        return None
    return context.connection.execute(_of_key(table, "id"), {"wanted": number}).mappings().one_or_none()


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
                _("there is no {value} among {records}"), field=name, value=values[name], records=_plain(target)
            )


def _plain(target: Column[Any]) -> str:
    """``rooms`` of ``hotel_rooms``."""
    return target.table.name.partition("_")[2].replace("_", " ")


def _refuse_used(context: Context, column: Column[Any], value: Any, other: Table, what: str, key: Any) -> None:
    count = context.connection.execute(select(func.count()).select_from(other).where(column == value)).scalar_one()
    if count:
        raise InUse(what, key, count, other.name.partition("_")[2].replace("_", " "))
