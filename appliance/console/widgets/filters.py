"""The filter line of a grid, read into conditions: ``rate>300000 status=free name~lotus note!=""``.

::

    line   = term *( blanks term )
    term   = column operator value
    column = name of a column, or its label with _ for blanks; no matter which case
    operator = "=" / "!=" / "<" / "<=" / ">" / ">=" / "~" (contains) / "^" (begins with)
    value  = word without blanks / '"' text '"', with \\" for a quote and \\\\ for a backslash

``column=""`` is empty, ``column!=""`` is filled. All terms hold. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from appliance.console.widgets.typed import Unreadable, read_day, read_typed
from appliance.contract.fields import Field, Kind
from appliance.contract.listings import Column, Condition
from appliance.language import DEFAULT, _

__all__ = ["FilterFault", "operators_of", "parse_filter"]

_ORDERED = ("=", "!=", "<", "<=", ">", ">=")
_TEXT = ("=", "!=", "~", "^", "<", "<=", ">", ">=")
_OPERATORS = {
    **dict.fromkeys((Kind.WHOLE, Kind.NUMBER, Kind.RUPIAH, Kind.SHARE, Kind.DECIMALS, Kind.DAY, Kind.MOMENT), _ORDERED),
    **dict.fromkeys((Kind.LINE, Kind.NOTE), _TEXT),
    **dict.fromkeys((Kind.YES_NO, Kind.CHOICE), ("=", "!=")),
    **dict.fromkeys((Kind.SEVERAL, Kind.RECORD), ("~",)),
}
_WORDED = {"~": "contains", "^": "starts"}
_COLUMN = re.compile(r"[^\s=!<>~^\"]+")
_OPERATOR = re.compile(r"!=|<=|>=|[=<>~^]")
_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]\S*)')
_NO_WORD = re.compile(r'[\s"]|^$|^=')
"""What is written in quotes: ``name<=a`` is another condition than ``name<"=a"``."""
_CONDITION = TypeAdapter(Condition)


class FilterFault(Exception):
    """What is wrong with a filter line, at ``place`` (the first character is 1). ``template`` is English with
    ``{names}`` of ``values``; ``column`` is the one whose value is no value, or empty."""

    def __init__(self, place: int, template: str, values: Mapping[str, Any] | None = None, *, column: str = "") -> None:
        super().__init__(f"{column}: {template}" if column else template)
        self.place = place
        self.column = column
        self.template = template
        self.values = dict(values or {})


def operators_of(field: Field) -> tuple[str, ...]:
    """The operators that fit the field."""
    return _OPERATORS.get(field.kind, ())


def parse_filter(line: str, columns: Sequence[Column], language: str = DEFAULT) -> tuple[Condition, ...]:
    """The conditions of the line; values as in JSON. Numbers are read as the language writes them.

    Raises FilterFault.
    """
    conditions = []
    at = _blanks(line, 0)
    while at < len(line):
        condition, at = _term(line, at, columns, language)
        conditions.append(condition)
        at = _blanks(line, at)
    return tuple(conditions)


def _blanks(line: str, at: int) -> int:
    while at < len(line) and line[at].isspace():
        at += 1
    return at


def _term(line: str, at: int, columns: Sequence[Column], language: str) -> tuple[Condition, int]:
    named = _COLUMN.match(line, at)
    if not named:
        raise FilterFault(at + 1, _("a column is expected"))
    field = _named(named[0], at, columns)
    operator = _OPERATOR.match(line, named.end())
    fitting = operators_of(field)
    expected = {"column": field.name, "operators": " ".join(fitting)}
    if not operator:
        raise FilterFault(named.end() + 1, _("after {column} one of these is expected: {operators}"), expected)
    start = operator.end()
    value = _VALUE.match(line, start)
    if not value:
        unclosed = line[start : start + 1] == '"'
        template = (
            _("a closing quote and a blank are expected") if unclosed else _('a value is expected; "" means empty')
        )
        raise FilterFault(start + 1, template)
    quoted = value[1] is not None
    text = re.sub(r"\\(.)", r"\1", value[1]) if quoted else value[2]
    if text == "" and operator[0] in {"=", "!="}:
        return Condition(column=field.name, operator="empty" if operator[0] == "=" else "filled"), value.end()
    if operator[0] not in fitting:
        raise FilterFault(operator.start() + 1, _("{column} is compared by one of these: {operators}"), expected)
    canonical = _typed(field, text, start, language)
    made = {"column": field.name, "operator": _WORDED.get(operator[0], operator[0]), "value": canonical}
    try:
        condition = _CONDITION.validate_json(json.dumps(made))
    except ValidationError:
        raise FilterFault(start + 1, _("this value is too long or holds characters that no text may hold")) from None
    return condition, value.end()


def _named(name: str, at: int, columns: Sequence[Column]) -> Field:
    folded = name.casefold()
    for column in columns:
        if folded in {column.name.casefold(), column.field.label.replace(" ", "_").casefold()}:
            return column.field
    known = ", ".join(column.name for column in columns)
    raise FilterFault(at + 1, _("there is no column {name}; there are: {known}"), {"name": name, "known": known})


def _typed(field: Field, text: str, at: int, language: str) -> str:
    if field.kind in {Kind.LINE, Kind.NOTE, Kind.SEVERAL, Kind.RECORD}:
        return text
    try:
        if field.kind is Kind.MOMENT and len(text) <= len("15-12-2013"):
            # A day alone is its beginning, where the reader is.
            value: Any = datetime.combine(read_day(text), datetime.min.time()).astimezone()
        else:
            value = read_typed(field, text, language)
    except Unreadable as fault:
        raise FilterFault(at + 1, fault.template, fault.values, column=field.name) from None
    except (ValueError, OverflowError, OSError):
        raise FilterFault(at + 1, _("this value is out of bounds"), column=field.name) from None
    return _canonical(value)


def _canonical(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)
