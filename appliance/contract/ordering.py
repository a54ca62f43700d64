"""How values of a listing are compared, sorted and searched: pure, for rows in memory.

The rules are said in ``appliance.contract.listings``; ``appliance.store.comparing`` says the same in SQL, and a test
holds both to the same answers.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from pydantic_core import to_json

from appliance.contract.fields import Field, Kind
from appliance.contract.folding import fold
from appliance.contract.listings import Condition
from appliance.contract.refusals import RuleBroken
from appliance.language import _

__all__ = ["TEXTS", "WHOLES", "comparable", "fitting", "holds", "is_empty", "ranks", "read_value"]

TEXTS = frozenset({Kind.LINE, Kind.NOTE, Kind.SEVERAL, Kind.RECORD})
"""Kinds that are searched. Several values and records are compared as the JSON text that they are kept as."""
WHOLES = frozenset({Kind.WHOLE, Kind.NUMBER, Kind.RUPIAH, Kind.SHARE})

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_YES = {"yes": True, "true": True, "no": False, "false": False}
_WORDED = frozenset({"contains", "starts"})
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def ranks(field: Field) -> Mapping[str, int]:
    """Each choice's place in its declaration."""
    return {choice: place for place, choice in enumerate(field.choices)}


def comparable(field: Field) -> Callable[[Any], Any]:
    """From a value of the field, of Python or as in JSON, to what is compared: folded text, a number, a day, a moment,
    or None."""
    compared = _compared(field)
    return lambda value: None if value is None else compared(value)


def _compared(field: Field) -> Callable[[Any], Any]:
    match field.kind:
        case Kind.DAY:
            return _day
        case Kind.MOMENT:
            return _moment
        case Kind.SEVERAL | Kind.RECORD:
            return _json
        case Kind.CHOICE:
            places, after = ranks(field), len(field.choices)
            return lambda value: places.get(value.value if isinstance(value, Enum) else value, after)
        case Kind.LINE | Kind.NOTE:
            return fold
    return lambda value: value


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _moment(value: Any) -> datetime:
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC)


def _json(value: Any) -> str:
    return fold(to_json(value).decode())


def is_empty(field: Field, compared: Any) -> bool:
    """Whether a comparable value is missing, an empty text, or no values."""
    if compared is None:
        return True
    if field.kind is Kind.SEVERAL:
        return bool(compared == "[]")
    return field.kind in TEXTS and compared == ""


def fitting(field: Field, sign: str, at: str) -> None:
    """Raises RuleBroken, with ``at`` as its field, for an operator that the field's kind does not have."""
    if field.kind in TEXTS or sign in {"empty", "filled", "=", "!="}:
        return
    if sign in _WORDED or field.kind is Kind.YES_NO:
        raise RuleBroken(_("{column} cannot be compared by {operator}"), field=at, column=field.name, operator=sign)


def holds(field: Field, condition: Condition, at: str) -> Callable[[Any], bool]:
    """The condition as a function of a comparable value. Raises RuleBroken, with ``at`` as its field, for what does not
    fit."""
    name = condition.operator
    if name == "empty":
        return lambda value: is_empty(field, value)
    if name == "filled":
        return lambda value: not is_empty(field, value)
    fitting(field, name, at)
    wanted = fold(condition.value) if field.kind in TEXTS else read_value(field, condition.value, at)
    if name == "!=":
        return lambda value: bool(value != wanted)
    if name == "contains":
        return lambda value: value is not None and wanted in value
    if name == "starts":
        return lambda value: value is not None and value.startswith(wanted)
    compare = _SIGNS[name]
    return lambda value: value is not None and compare(value, wanted)


def read_value(field: Field, written: str, at: str) -> Any:
    """The value of a condition, by the kind of its column; a choice as its place. Raises RuleBroken, with ``at`` as its
    field."""
    wrong = RuleBroken(_("{value} is no value of {column}"), field=at, value=written, column=field.name)
    text = written.strip()
    try:
        match field.kind:
            case kind if kind in WHOLES and _WHOLE.fullmatch(text) and abs(int(text)) < 2**63:
                return int(text)
            case Kind.DECIMALS if math.isfinite(float(text)):
                return float(text)
            case Kind.DAY:
                return date.fromisoformat(text)
            case Kind.MOMENT if (moment := datetime.fromisoformat(text)).tzinfo is not None:
                return moment.astimezone(UTC)
            case Kind.YES_NO if text.lower() in _YES:
                return _YES[text.lower()]
            case Kind.CHOICE if text in field.choices:
                return field.choices.index(text)
    except (ValueError, OverflowError):
        pass
    raise wrong
