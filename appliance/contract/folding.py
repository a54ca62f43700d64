"""How texts are compared: without regard to case, in all scripts, by code point.

The small letters of Unicode, a final sigma as any other, and two letters left
alone whose small form is ASCII (KELVIN SIGN, I WITH DOT ABOVE), so that a word
of ASCII can be looked for in bytes. ``appliance.store.comparing`` says the same in SQL.
"""

from __future__ import annotations

__all__ = ["ALONE", "fold"]

ALONE = {"\u212a": "\x01", "\u0130": "\x02"}
"""What stands in their place: no text of a record has these characters."""


def fold(text: str) -> str:
    """A text as it is compared."""
    if text.isascii():
        return text.lower()
    for letter, mark in ALONE.items():
        if letter in text:
            text = text.replace(letter, mark)
    small = text.lower()
    return small.replace("ς", "σ") if "ς" in small else small
