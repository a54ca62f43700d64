"""A listing: rows that a grid shows, sorts, filters, searches and exports.

The daemon keeps the sorted ids of a query and hands out pages of rows, so that
a client moves through 100,000 rows without holding them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from appliance.contract.fields import Field, fields_of
from appliance.contract.kinds import Code, Line
from appliance.contract.records import record

__all__ = ["Column", "Condition", "Listing", "Order", "Question", "columns_of"]

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "contains", "starts", "empty", "filled"]


@record
class Order:
    """Sort by this column."""

    column: Code
    descending: bool = False


@record
class Condition:
    """A row is shown when this holds. ``value`` is written as in JSON or a form: ``2013-02-15``, ``yes``."""

    column: Code
    operator: Operator
    value: Line = ""


@record
class Question:
    """What a grid asks: all conditions hold, and ``search`` stands in one of the text columns."""

    order: tuple[Order, ...] = ()
    conditions: tuple[Condition, ...] = ()
    search: Line = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a grid, made from a field of the row's record."""

    field: Field

    @property
    def name(self) -> str:
        """The field's name."""
        return self.field.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rows that people look at. Pure: tables.py or commands.py gives it its ``select``."""

    name: str
    """``bookings``: unique in its service."""
    row: type
    """A record: its fields are the columns."""
    see: frozenset[str]
    """The roles that may look."""
    key: str = ""
    """The field that names a row to commands."""
    order: tuple[Order, ...] = ()
    """How it is sorted when nobody says."""
    select: Callable[[Any], Any] | None = None
    """From the person who asks to a SQLAlchemy Select with the columns ``id``, ``version`` and those of ``row``."""


def columns_of(row: type) -> tuple[Column, ...]:
    """The columns of a row's record, secrets left out."""
    return tuple(Column(field) for field in fields_of(row) if field.kind != "secret")
