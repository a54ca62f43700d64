"""How values of a listing are compared and sorted, the same on SQLite and PostgreSQL.

The rules are said in ``appliance.contract.listings``; ``appliance.contract.ordering`` says the same for rows in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Dialect,
    LargeBinary,
    String,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    type_coerce,
)

from appliance.contract.fields import Field, Kind
from appliance.contract.folding import ALONE, fold, forms
from appliance.contract.ordering import TEXTS, fitting, ranks, read_value

__all__ = ["condition_on", "has_text", "sort_key", "whole_sum"]

_BEYOND = re.compile(r"[^\x03-\x7f]")
"""What LIKE cannot look for: letters beyond ASCII, and the marks of ``folding.ALONE``, which stand for two of them."""
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _folded(value: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any]:
    """``fold`` in SQL. A text of ASCII, as most are, is spared the way through Python or ICU."""
    if dialect.name == "sqlite":
        plain = func.length(value) == func.length(cast(value, LargeBinary))
        return case((plain, func.lower(value)), else_=func.fold_text(value))
    plain = func.char_length(value) == func.octet_length(value)
    marked: ColumnElement[Any] = func.translate(value, "".join(ALONE), "".join(ALONE.values()))
    other = func.translate(func.lower(marked.collate("und-x-icu")), "ς", "σ")
    return case((plain, func.lower(value.collate("C"))), else_=other.collate("C")).collate("C")


def _as_text(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as the text that is kept, past its own type."""
    return type_coerce(value, Text())


def _rank(field: Field, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A choice's place in its declaration; one that is declared no more is after the others."""
    kept = type_coerce(value, String())
    places = [(kept == choice, literal(place)) for choice, place in ranks(field).items()]
    return case((kept.is_(None), null()), *places, else_=literal(len(places)))


def sort_key(
    field: Field, value: ColumnElement[Any], dialect: Dialect, *, descending: bool
) -> list[ColumnElement[Any]]:
    """What to sort by."""
    if field.kind in TEXTS:
        key = _folded(_as_text(value), dialect)
    elif field.kind is Kind.CHOICE:
        key = _rank(field, value)
    else:
        key = value
    ordered = key.desc() if descending else key.asc()
    return [ordered.nulls_last() if field.optional or field.kind is Kind.CHOICE else ordered]


def condition_on(
    field: Field, operator: str, written: str, value: ColumnElement[Any], dialect: Dialect, at: str
) -> ColumnElement[bool]:
    """The condition in SQL. Raises RuleBroken, with ``at`` as its field, for what does not fit."""
    if operator in {"empty", "filled"}:
        empty: ColumnElement[bool] = value.is_(None)
        if field.kind in TEXTS:
            empty = or_(empty, _as_text(value).in_(["", "[]"] if field.kind is Kind.SEVERAL else [""]))
        return empty if operator == "empty" else not_(empty)
    if field.kind in TEXTS:
        return _text_condition(operator, written, _as_text(value), dialect)
    fitting(field, operator, at)
    wanted = read_value(field, written, at)
    if field.kind is Kind.CHOICE:
        if operator in _SIGNS:
            return _SIGNS[operator](_rank(field, value), wanted)  # type: ignore[no-any-return]
        value, wanted = type_coerce(value, String()), field.choices[wanted]
    if operator == "=":
        return type_coerce(value == wanted, Boolean())
    if operator == "!=":
        return value.is_distinct_from(wanted)
    return _SIGNS[operator](value, wanted)  # type: ignore[no-any-return]


def _text_condition(operator: str, written: str, value: ColumnElement[Any], dialect: Dialect) -> ColumnElement[bool]:
    needle = fold(written)
    if operator == "contains":
        return has_text([value], written, dialect)
    there = value.is_not(None)
    if operator == "starts":
        found = _like(value, f"{_pattern(needle)}%", dialect)
        if _BEYOND.search(needle):
            found = and_(found, func.substr(_folded(value, dialect), 1, len(needle)) == needle)
        return and_(there, found)
    if operator in _SIGNS:
        return and_(there, _SIGNS[operator](_folded(value, dialect), literal(needle)))
    same = _like(value, _pattern(needle), dialect)
    if _BEYOND.search(needle):
        same = and_(same, _folded(value, dialect) == needle)
    same = and_(there, same)
    return same if operator == "=" else not_(same)


def has_text(values: list[ColumnElement[Any]], written: str, dialect: Dialect) -> ColumnElement[bool]:
    """Whether the text stands in one of the columns."""
    needle = fold(written)
    pattern = f"%{_pattern(needle)}%"
    found: list[ColumnElement[bool]] = []
    for value in values:
        like = _like(value, pattern, dialect)
        if beyond := _BEYOND.search(needle):
            # The letter in each of its forms, and the pattern, are quick looks in bytes; only what passes is folded.
            within = func.instr if dialect.name == "sqlite" else func.strpos
            there = or_(false(), *(within(value, form) > 0 for form in forms(beyond.group())))
            if len(needle) > 1:
                there = and_(there, like, within(_folded(value, dialect), needle) > 0)
            like = there
        found.append(func.coalesce(like, false()) if len(values) > 1 else and_(value.is_not(None), like))
    return or_(false(), *found)


def _pattern(needle: str) -> str:
    """For LIKE: anything may stand for letters beyond ASCII, which LIKE does not fold alike on both databases."""
    escaped = re.sub(r"([\\%_])", r"\\\1", needle)
    return re.sub(f"{_BEYOND.pattern}+", "%", escaped)


def _like(value: ColumnElement[Any], pattern: str, dialect: Dialect) -> ColumnElement[bool]:
    """LIKE that folds ASCII only: SQLite's own; PostgreSQL's in the C locale."""
    if dialect.name == "sqlite":
        return value.like(pattern, escape="\\")
    return value.collate("C").ilike(pattern, escape="\\")


def whole_sum(value: ColumnElement[Any], dialect: Dialect) -> list[ColumnElement[Any]]:
    """Sums that give, as high * 10**6 + low, the sum of whole numbers: SQLite's own stops at 64 bits."""
    million = literal_column("1000000", BigInteger())
    if dialect.name == "sqlite":
        return [func.sum(value.op("/")(million)), func.sum(value.op("%")(million))]
    return [literal_column("0"), func.sum(value)]
