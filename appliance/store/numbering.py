"""Numbers that people read aloud: ``P201302002`` is the second of February 2013.

They begin anew each month. Changes run one after the other, so the highest that
is there is the last that was given; a number whose row was removed is given
again only when it was the highest.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select

from appliance.contract.context import Context

__all__ = ["next_number", "number_after"]


def next_number(context: Context, column: ColumnElement[Any], letter: str, *, digits: int = 3) -> str:
    """The next number of this month in a column of a table: ``next_number(context, BOOKINGS.c.number, "P")``."""
    start = _start(letter, context.today)
    asked = select(column).where(column.startswith(start, autoescape=True))
    return number_after(context.connection.execute(asked).scalars(), letter, context.today, digits=digits)


def number_after(taken: Iterable[str], letter: str, day: date, *, digits: int = 3) -> str:
    """The next number of the month of this day after those that are taken; what is no number of it does not count."""
    start = _start(letter, day)
    rest = (one.removeprefix(start) for one in taken if one.startswith(start))
    last = max((int(one) for one in rest if one.isascii() and one.isdecimal()), default=0)
    return f"{start}{last + 1:0{digits}d}"


def _start(letter: str, day: date) -> str:
    return f"{letter}{day:%Y%m}"
