"""What is wrong with a typed value, in words of our own: pydantic's are English and of programmers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from appliance.console.widgets.typed import Unreadable, read_typed
from appliance.contract.fields import Field, Kind
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["TEMPLATES", "Fault", "build", "check", "needs_value", "read"]

NEEDED = _("a value is needed")
TEMPLATES: Mapping[str, str] = {
    "missing": NEEDED,
    "none_required": NEEDED,
    "string_type": _("a text is expected"),
    "string_too_short": _("at least {min_length} characters"),
    "string_too_long": _("at most {max_length} characters"),
    "string_unicode": _("a character in it is no character"),
    "too_short": _("at least {min_length} of them"),
    "too_long": _("at most {max_length} of them"),
    "greater_than_equal": _("at least {ge}"),
    "greater_than": _("more than {gt}"),
    "less_than_equal": _("at most {le}"),
    "less_than": _("less than {lt}"),
    "multiple_of": _("a multiple of {multiple_of}"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _("a whole number is expected")),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), _("a number is expected")),
    **dict.fromkeys(("bool_type", "bool_parsing"), _("yes or no is expected")),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        _("a day is expected: 2013-02-15 or 15/2/2013"),
    ),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"),
        _("a day and a time are expected: 2013-02-15 14:30"),
    ),
    **dict.fromkeys(("literal_error", "enum"), _("one of these is expected: {expected}")),
}
"""By pydantic's type of error; the names are of its context."""
PATTERNS: Mapping[str, str] = {
    r"^[A-Za-z0-9][A-Za-z0-9._/-]*$": _("letters, digits and . _ / - only, a letter or digit first"),
    r"^\+?[0-9][0-9 ()-]{3,23}$": _("a telephone number is expected: +62 361 123456"),
}
_CHARACTER = re.compile(r"the character (U\+[0-9A-F]+) cannot stand in a text")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong. ``template`` is English with ``{names}`` of ``values``."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def check(field: Field, value: Any) -> Any | Fault:
    """The value as the record takes it (blanks at its ends dropped), or what is wrong with it."""
    if value is None and not field.optional:
        return Fault(NEEDED)
    try:
        return _adapter(field.type).validate_python(value)
    except ValidationError as error:
        return _fault(field, error.errors(include_url=False)[0])


def read(field: Field, text: str, language: str) -> Any | Fault:
    """The value of a typed text, or what is wrong with it. An empty text is None where the field allows it."""
    if not text.strip() and (field.optional or field.kind not in {Kind.LINE, Kind.NOTE, Kind.SECRET}):
        return check(field, None)
    try:
        typed = read_typed(field, text, language)
    except Unreadable as fault:
        return Fault(fault.template, fault.values)
    checked = check(field, typed)
    if isinstance(checked, Fault) and not text.strip():
        return Fault(NEEDED)
    return checked


@cache
def needs_value(field: Field) -> bool:
    """Whether an empty entry is refused."""
    if field.kind in {Kind.YES_NO, Kind.SEVERAL}:
        return False
    return isinstance(read(field, "", "en"), Fault)


def build(record: type, values: Mapping[str, Any]) -> Any | tuple[str, Fault]:
    """The record of checked values, or the name of the field at fault (may be empty) and what is wrong."""
    try:
        return record(**values)
    except Refused as refused:
        return refused.field, Fault(refused.template, refused.values)
    except ValueError as error:
        return "", Fault(_("this is not accepted: {reason}"), {"reason": str(error)})


def _fault(field: Field, error: Any) -> Fault:
    kind, context = error["type"], dict(error.get("ctx", {}))
    if kind == "string_pattern_mismatch":
        return Fault(PATTERNS.get(context.get("pattern", ""), _("not in the form that is expected")))
    if kind == "value_error":
        return _of_exception(context.get("error"))
    if kind in {"literal_error", "enum"}:
        return Fault(TEMPLATES[kind], {"expected": field.choices})
    return Fault(TEMPLATES.get(kind, _("this value is not accepted")), context)


def _of_exception(error: Any) -> Fault:
    if isinstance(error, Refused):
        return Fault(error.template, error.values)
    if found := _CHARACTER.search(str(error)):
        return Fault(_("the character {character} cannot stand in a text"), {"character": found[1]})
    return Fault(_("this is not accepted: {reason}"), {"reason": str(error)})
