"""The kinds of value that a record is made of: a Python type with its bounds, its unit, and how it is entered.

Every leaf of a record has one of these, because a bare ``str`` has no longest
length and a bare ``int`` no place in a database column.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AfterValidator, StringConstraints

__all__ = [
    "Code",
    "Count",
    "Day",
    "Decimals",
    "Entry",
    "Line",
    "Moment",
    "Name",
    "Note",
    "Number",
    "Phone",
    "Refers",
    "Rupiah",
    "Secret",
    "Share",
    "Unit",
    "Whole",
    "YesNo",
    "aware",
    "one_line",
    "several_lines",
]


@dataclass(frozen=True, slots=True)
class Entry:
    """How a value is entered and shown, where its Python type does not tell."""

    kind: Literal["line", "note", "secret", "rupiah", "share", "number"]


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts, as it is written behind it: ``nights``, ``litres``."""

    name: str


@dataclass(frozen=True, slots=True)
class Refers:
    """The value is the key of a record: ``Refers("rooms")`` of the same service."""

    to: str


def one_line(text: str) -> str:
    """The text, if a terminal, a database and a log can all hold it on one line; spaces at its ends are dropped."""
    _refuse_unprintable(text, allowed="")
    return text.strip()


def several_lines(text: str) -> str:
    """The text, if it has no control characters but line ends and tabs."""
    _refuse_unprintable(text.replace("\r\n", "\n"), allowed="\n\t")
    return text.replace("\r\n", "\n").rstrip()


def _refuse_unprintable(text: str, allowed: str) -> None:
    for place, character in enumerate(text):
        if character in allowed or (character.isascii() and character.isprintable()):
            continue
        if _refused(text, place):
            raise ValueError(f"the character U+{ord(character):04X} cannot stand in a text")


JOINERS = "\u200c\u200d"
"""ZWNJ and ZWJ: Persian and the scripts of India are not written rightly without them, emoji are put together by it."""
UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\u2800"
"""Drawn as nothing, though Unicode counts them as letters or marks."""
SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Format characters with a look: the signs of Arabic, Syriac and Kaithi that stand over a number."""


def _refused(text: str, place: int) -> bool:
    """Whether nobody would see this character, or it would change how the others are read.

    Cc: control; Cs: half of a surrogate pair, which no UTF-8 text holds; Co, Cn:
    no character, or one that each font draws its own way; Cf: format, among them
    the overrides of direction and the tags, that hide a text in a text (Unicode
    Technical Report 36, 2.10, and Standard Annex 31, 2.3 on joiners).
    """
    character = text[place]
    if character in JOINERS:
        # Between letters of ours it is only hidden: two keys that look alike.
        return text[place - 1].isascii() or not (_joins(text, place - 1) and _joins(text, place + 1))
    if "\U000e0100" <= character <= "\U000e01ef" or "\ufe00" <= character <= "\ufe0f":  # which form of the one before
        return not _joins(text, place - 1, besides="P")  # a keycap is made of #
    return character in UNSEEN or (
        unicodedata.category(character) in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"} and character not in SEEN
    )


def _joins(text: str, place: int, besides: str = "") -> bool:
    """Whether a letter, a mark on one, a number or a symbol stands there: what a joiner is between."""
    if not 0 <= place < len(text):
        return False
    return text[place] not in UNSEEN and unicodedata.category(text[place])[0] in f"LMNS{besides}"


def aware(moment: datetime) -> datetime:
    """The moment, if it has its offset from UTC and a year that every database and zone can hold."""
    if moment.tzinfo is None:
        raise ValueError("a moment without its offset from UTC")
    if not 1900 <= moment.year <= 2999:
        raise ValueError("a moment from 1900 to 2999")
    return moment


Line = Annotated[str, MaxLen(200), AfterValidator(one_line), Entry("line")]
"""A text of one line, up to 200 characters; may be empty."""
Name = Annotated[str, MinLen(1), MaxLen(100), AfterValidator(one_line), StringConstraints(min_length=1), Entry("line")]
"""A text of one line that is not empty."""
Code = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=32), MaxLen(32), Entry("line")
]
"""A short word without blanks, by which people name a record: ``104``, ``P201302002``."""
Note = Annotated[str, MaxLen(4000), AfterValidator(several_lines), Entry("note")]
"""A text of several lines."""
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()-]{3,23}$"), MaxLen(24), Entry("line")]
"""A telephone number as it is dialled."""
Secret = Annotated[str, MaxLen(256), Entry("secret")]
"""A password: never shown, never logged."""
Whole = Annotated[int, Ge(-(2**53) + 1), Le(2**53 - 1)]
"""A whole number that JSON's readers keep exactly."""
Count = Annotated[int, Ge(0), Le(1_000_000_000)]
"""How many."""
Number = Annotated[Count, Entry("number")]
"""By which something is called: a process, a line of a log. Written without thousands separators."""
Rupiah = Annotated[int, Ge(-(10**15)), Le(10**15), Entry("rupiah")]
"""Money in whole rupiah."""
Share = Annotated[int, Ge(0), Le(100), Entry("share"), Unit("%")]
"""A part of a hundred."""
Decimals = Annotated[float, Ge(-1e15), Le(1e15)]
"""A measured number; infinities and NaN are refused."""
Day = Annotated[date, Ge(date(1900, 1, 1)), Le(date(2999, 12, 31))]
"""A day of the calendar."""
Moment = Annotated[datetime, AfterValidator(aware)]
"""A moment with its offset from UTC."""
YesNo = bool
