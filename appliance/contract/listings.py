"""A listing: rows that a grid shows, sorts, filters, searches and exports.

The daemon keeps the sorted ids of a query and hands out pages of rows, so that
a client moves through 100,000 rows without holding them.

What a question means, of a database and of rows in memory alike (``ordering``
says it in Python, ``appliance.store.comparing`` in SQL):

- A text is compared as ``folding.fold`` folds it: without regard to case, by
  code point. Several values and a record are texts: the JSON that they are kept as.
- A choice stands in the order of its declaration; one that is declared no more
  stands after the others. No stands before yes.
- A value that is missing comes last, ascending and descending. It is less and
  greater than none, equals none, and so differs from each: ``!=`` holds.
- ``empty`` is missing, an empty text, or no values.
- ``contains`` and ``starts`` are of texts. Yes or no is not greater or less.
- ``search`` stands in one of the columns of text; a choice is none.
- Rows that are equal by all columns of the order, or by none, stand by their
  ids; in memory, as they came.
- A column that is not there, and a value that is none of its column's kind, are
  refused with RuleBroken, whose ``field`` is as in ``conditions.0.value``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import MaxLen

from appliance.contract.fields import Field, fields_of
from appliance.contract.kinds import Code, Line
from appliance.contract.people import Person
from appliance.contract.records import record

__all__ = ["Asking", "Column", "Condition", "Listing", "Order", "Question", "columns_of"]

MOST_ORDERS, MOST_CONDITIONS = 32, 64
"""Of one question: a database takes so many terms and no more."""
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

    order: Annotated[tuple[Order, ...], MaxLen(MOST_ORDERS)] = ()
    conditions: Annotated[tuple[Condition, ...], MaxLen(MOST_CONDITIONS)] = ()
    search: Line = ""


Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the select of a listing may go by: who asks, and when."""

    person: Person
    now: datetime
    """Aware, in the zone where the appliance stands."""
    settings_of: Callable[[type[Any]], Any]
    """As in Context."""

    @property
    def today(self) -> date:
        """The day of ``now`` where the appliance stands."""
        return self.now.date()

    def settings(self, record: type[Settings]) -> Settings:
        """The service's settings as this record."""
        return self.settings_of(record)  # type: ignore[no-any-return]


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
    select: Callable[[Asking], Any] | None = None
    """From who asks, and when, to a SQLAlchemy Select with the columns ``id``, ``version`` and those of ``row``."""


def columns_of(row: type) -> tuple[Column, ...]:
    """The columns of a row's record, secrets left out."""
    return tuple(Column(field) for field in fields_of(row) if field.kind != "secret")
