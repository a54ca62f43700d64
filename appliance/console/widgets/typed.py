"""What people type, read as a value of a field's kind: ``300.000``, ``Rp 300,000``, ``15/2/2013``, ``yes``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from appliance.console.words import separators
from appliance.contract.fields import Field, Kind
from appliance.language import _

__all__ = ["Unreadable", "read_day", "read_typed"]

_DAY_FIRST = re.compile(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})")
_MOMENT = re.compile(r"(\S+)[T ]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?\s*(Z|[+-]\d{2}:?\d{2})?")
_YES = {"yes", "y", "true", "1", "ya"}
_NO = {"no", "n", "false", "0", "tidak"}
_DIGITS = 320
"""More digits than any bound has; int() of a million of them takes a second."""


class Unreadable(Exception):
    """Text that is no value of its kind. ``template`` is English with ``{names}`` of ``values``."""

    def __init__(self, template: str, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(template)
        self.template = template
        self.values = dict(values or {})


def read_typed(field: Field, text: str, language: str) -> Any:
    """The value that the text says, of the field's kind; not yet held against its bounds.

    Raises Unreadable.
    """
    stripped = text.strip()
    match field.kind:
        case Kind.WHOLE | Kind.NUMBER | Kind.RUPIAH | Kind.SHARE:
            return _whole(stripped, language)
        case Kind.DECIMALS:
            return _decimals(stripped, language)
        case Kind.DAY:
            return read_day(stripped)
        case Kind.MOMENT:
            return _moment(stripped)
        case Kind.YES_NO:
            return _yes_no(stripped)
        case Kind.CHOICE:
            return _choice(field, stripped)
        case _:
            return text


def read_day(text: str) -> date:
    """A day: ``2013-02-15``, ``15/2/2013``; the day stands before the month, as in Indonesia and Britain.

    Raises Unreadable.
    """
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = found.groups()
    elif found := _DAY_FIRST.fullmatch(text):
        day, month, year = found.groups()
    else:
        raise Unreadable(_("a day is expected: 2013-02-15 or 15/2/2013"))
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Unreadable(_("the calendar has no such day")) from None


def _grouped(text: str, language: str) -> str:
    """The text without thousands separators, with a point before decimals.

    A separator of the other language is understood where it can only be one: in
    ``300.000`` read in English, 300.000 is three decimals, and stays so.
    """
    thousands, point = separators(language)
    bare = text.replace(" ", "").replace("\u00a0", "").replace("_", "").removesuffix("%")
    bare = re.sub(r"^([+-]?)Rp\.?", r"\1", bare, flags=re.IGNORECASE).removesuffix(",-")
    whole, *decimals = bare.split(point)
    if thousands in whole and not re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(thousands)}\d{{3}})+", whole):
        raise Unreadable(_("thousands separators stand before each three digits: {example}"), {"example": 1234567})
    return ".".join([whole.replace(thousands, ""), *decimals])


def _whole(text: str, language: str) -> int:
    # Decimals are no whole number, so either language's separators can only be of thousands here.
    if re.fullmatch(r"(?:[+-]?\s*Rp\.?\s*)?[+-]?\d{1,3}(?:(?:\.\d{3})+|(?:,\d{3})+)\s*%?", text, flags=re.IGNORECASE):
        text = text.replace("Rp.", "Rp").replace("rp.", "Rp").replace(".", "").replace(",", "")
    bare = _grouped(text, language)
    if not re.fullmatch(r"[+-]?[0-9]+", bare) or len(bare) > _DIGITS:
        raise Unreadable(_("a whole number is expected"))
    return int(bare)


def _decimals(text: str, language: str) -> float:
    bare = _grouped(text, language)
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", bare) or len(bare) > _DIGITS:
        raise Unreadable(_("a number is expected"))
    return float(bare)


def _moment(text: str) -> datetime:
    expected = _("a day and a time are expected: 2013-02-15 14:30")
    found = _MOMENT.fullmatch(text)
    if not found:
        raise Unreadable(expected)
    day = read_day(found[1])
    offset = (found[5] or "").replace("Z", "+00:00")
    clock = f"{int(found[2]):02}:{found[3]}:{found[4] or '00'}"
    try:
        moment = datetime.fromisoformat(f"{day.isoformat()}T{clock}{offset}")
        # Without an offset it is meant where the reader is.
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError, OSError):
        raise Unreadable(expected) from None


def _yes_no(text: str) -> bool:
    folded = text.casefold()
    if folded in _YES or folded in _NO:
        return folded in _YES
    raise Unreadable(_("yes or no is expected"))


def _choice(field: Field, text: str) -> str:
    for choice in field.choices:
        if choice.casefold() == text.casefold():
            return choice
    raise Unreadable(_("one of these is expected: {choices}"), {"choices": field.choices})
