"""How texts are compared: without regard to case, in all scripts, by code point.

The small letters of Unicode, a final sigma as any other, and two letters left
alone whose small form is ASCII (KELVIN SIGN, I WITH DOT ABOVE), so that a word
of ASCII can be looked for in bytes. ``appliance.store.comparing`` says the same in SQL.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

__all__ = ["ALONE", "fold", "forms"]

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


def forms(letter: str) -> tuple[str, ...]:
    """All letters beyond ASCII that fold to this one: ``é`` and ``É``. One that nothing folds to has none."""
    return _forms().get(letter) or ((letter,) if fold(letter) == letter else ())


@cache
def _forms() -> Mapping[str, tuple[str, ...]]:
    """Of those that have more than themselves. Looked up when somebody searches for such a letter."""
    letters = "".join(map(chr, range(0x80, sys.maxunicode + 1)))
    found: dict[str, list[str]] = defaultdict(list)
    # All at once: no letter folds to two.
    for letter, folded in zip(letters, fold(letters), strict=True):
        if folded != letter:
            found[folded].append(letter)
    return {folded: (*((folded,) if folded not in ALONE.values() else ()), *others) for folded, others in found.items()}
