"""How values are shown: numbers, money, days and choices in the reader's language.

Indonesian writes 300.000 and 1,5 (PUEBI, "Tanda Titik" and "Tanda Koma"), and
15/02/2013; English 300,000 and 1.5, and the ISO day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from appliance.console.plain import plain_text
from appliance.contract.fields import Field, Kind, fields_of
from appliance.days import dated
from appliance.language import DEFAULT, Translate, _

__all__ = ["BYTES", "Reader", "number", "separators", "sized"]

HIDDEN = "••••••"
THINGS = frozenset({"what", "records"})
"""Values of templates that are no data, but what a record or a list is called (``appliance.contract.refusals``)."""
BYTES = "bytes"
"""The unit of numbers that are shown as people read sizes: 12.4 MB."""


def separators(language: str) -> tuple[str, str]:
    """What stands between thousands, and before decimals."""
    return (".", ",") if language == "id" else (",", ".")


def number(value: int | float, language: str) -> str:
    """A number with thousands separators; a float in the fewest digits that read back as itself."""
    text = f"{value:,}"
    if isinstance(value, float) and text.endswith(".0"):
        text = text[:-2]
    if language == "id":
        text = text.translate(str.maketrans(",.", ".,"))
    return text


def sized(octets: int, language: str) -> str:
    """``12.4 MB``: in powers of 1000 (ISO/IEC 80000-13), with a decimal below 100."""
    size = float(octets)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(size) < 999.5 or unit == "TB":
            break
        size /= 1000
    shown = round(size, 1) if abs(size) < 99.95 else round(size)
    return f"{number(shown, language)} {unit}"


class _Names(dict[str, str]):
    """Values of a template; a name that is not given stays as it is, because a screen does not fall over a word."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: turns templates and values into his words. All that it answers is plain, on one line."""

    translate: Translate = _
    language: str = DEFAULT

    def say(self, template: str, values: Mapping[str, Any] | None = None) -> str:
        """The template in the reader's language, with its values in their places: days and moments also as in JSON."""
        words = self.translate(template) if template else ""
        if not values:
            return plain_text(words)
        shown = _Names(
            (name, self.thing(value) if name in THINGS and isinstance(value, str) else self.value(dated(value)))
            for name, value in values.items()
        )
        try:
            return plain_text(words.format_map(shown))
        except (ValueError, IndexError, KeyError, AttributeError):  # braces in a translation that are no places
            return plain_text(words)

    def thing(self, name: str) -> str:
        """What a record or a list is called: ``guest``, ``bookings``; also as a screen has it in its title."""
        for known, shown in ((name, str), (name.capitalize(), str.lower)):
            if (words := self.translate(known)) != known:
                return plain_text(shown(words))
        return plain_text(name)

    def label(self, field: Field) -> str:
        """What the field is called."""
        return self.say(field.label)

    def unit(self, field: Field) -> str:
        """What a number of the field counts, or an empty text."""
        return self.say(field.unit)

    def value(self, value: Any) -> str:
        """A value of which only the Python type is known."""
        if value is None:
            return ""
        if isinstance(value, Enum):
            return self.value(value.value)
        if isinstance(value, bool):
            return self.say(_("yes") if value else _("no"))
        if isinstance(value, int | float):
            return number(value, self.language)
        if isinstance(value, date):
            return self._moment(value) if isinstance(value, datetime) else self._day(value)
        if is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return ", ".join(self.value(one) for one in value)
        return plain_text(str(value))

    def shown(self, field: Field, value: Any) -> str:
        """A value of this field, as a grid shows it: without its unit, but with Rp and %. None is an empty text.

        Days and moments may be as in JSON.
        """
        if value is None:
            return ""
        kind = field.kind
        if kind is Kind.SECRET:
            return HIDDEN if value else ""
        if kind is Kind.CHOICE:
            return self.say(str(value.value if isinstance(value, Enum) else value))
        if kind is Kind.SEVERAL and field.item is not None and not isinstance(value, str):
            item = field.item
            return ", ".join(self.shown(item, one) for one in value)
        if kind in {Kind.DAY, Kind.MOMENT} and isinstance(value, str):
            with suppress(ValueError):
                value = (date if kind is Kind.DAY else datetime).fromisoformat(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._whole(field, value)
        return self.value(value)

    def _whole(self, field: Field, value: int) -> str:
        shown = number(abs(value) if field.kind is Kind.RUPIAH else value, self.language)
        match field.kind:
            case Kind.NUMBER:
                return str(value)
            case Kind.RUPIAH:
                return f"-Rp {shown}" if value < 0 else f"Rp {shown}"
            case Kind.SHARE:
                return f"{shown} %"
            case Kind.WHOLE if field.unit == BYTES:
                return sized(value, self.language)
        return shown

    def _day(self, value: date) -> str:
        if self.language == "id":
            return f"{value.day:02}/{value.month:02}/{value.year:04}"
        return value.isoformat()

    def _moment(self, value: datetime) -> str:
        return f"{self._day(value.date())} {self.clock(value.hour, value.minute)}"

    def clock(self, *parts: int) -> str:
        """The time of day: hour and minute, and the second if it is given."""
        return ("." if self.language == "id" else ":").join(f"{one:02}" for one in parts)

    def _record(self, value: Any) -> str:
        parts = (self.shown(field, getattr(value, field.name)) for field in fields_of(type(value)))
        return " · ".join(part for part in parts if part)
