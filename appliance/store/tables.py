"""Tables from records: a column a field, and beside them the row's number, its version, and who changed it when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, UniqueConstraint
from sqlalchemy.schema import SchemaItem

from appliance.contract.fields import fields_of
from appliance.contract.master_data import MasterData
from appliance.store.types import Identity, Utc, column_type

__all__ = ["NAMING", "OWN", "master_tables", "metadata", "record_table"]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Each constraint has a name, so that a later migration can drop it on either database."""

OWN = frozenset({"id", "version", "changed_by", "changed_at"})
"""The columns that each table has beside those of its record."""


def metadata() -> MetaData:
    """An empty set of tables of one service."""
    return MetaData(naming_convention=NAMING)


def master_tables(service: str, all_master_data: Iterable[MasterData], into: MetaData) -> dict[str, Table]:
    """The tables of a service's master data, by the names of the master data."""
    known = {master.name: master for master in all_master_data}
    return {
        master.name: record_table(
            f"{service}_{master.name}",
            master.record,
            into,
            key=master.key,
            unique=master.unique,
            refers={name: f"{service}_{name}.{other.key}" for name, other in known.items()},
        )
        for master in known.values()
    }


def record_table(
    name: str,
    record: type,
    into: MetaData,
    *more: SchemaItem,
    key: str = "",
    unique: Iterable[tuple[str, ...]] = (),
    refers: Mapping[str, str] | None = None,
) -> Table:
    """The table of a record. ``refers`` says which column stands behind ``Refers("rooms")``: ``hotel_rooms.code``.

    A key that is referred to may be changed (the database carries the change
    along), and a row that is referred to cannot be removed.
    """
    targets = refers or {}
    columns: list[SchemaItem] = []
    fields = fields_of(record)
    if key and key not in {field.name for field in fields}:
        raise TypeError(f"{name}: the key {key!r} is no field of {record.__name__}")
    for field in fields:
        if field.name in OWN:
            raise TypeError(f"{name}: {record.__name__}.{field.name} has the name of a column that each table has")
        if field.refers and field.refers not in targets:
            raise TypeError(f"{name}: {record.__name__}.{field.name} refers to {field.refers!r}: {_known(targets)}")
        links = [_link(targets[field.refers])] if field.refers else []
        columns.append(
            Column(
                field.name,
                column_type(field),
                *links,
                nullable=field.optional,
                unique=True if field.name == key else None,
                index=True if links else None,
                info={"field": field},
            )
        )
    constraints: list[Any] = [UniqueConstraint(*names) for names in unique]
    return Table(
        name,
        into,
        Column("id", Identity, primary_key=True),
        *columns,
        Column("version", Integer, nullable=False, default=1),
        Column("changed_by", String(100), nullable=False),
        Column("changed_at", Utc, nullable=False),
        *constraints,
        *more,
        sqlite_autoincrement=True,
    )


def _known(targets: Mapping[str, str]) -> str:
    return f"there are {', '.join(sorted(targets))}" if targets else "there is nothing that can be referred to"


def _link(target: str) -> ForeignKey:
    """Deferrable, so that a restore may put rows before those that they refer to."""
    return ForeignKey(target, onupdate="CASCADE", ondelete="RESTRICT", deferrable=True, initially="IMMEDIATE")
