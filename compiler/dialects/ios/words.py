"""A line as words, and what is wrong with one of them.

Columns cost time, so words carry none: a fault names the word by its number,
and only then the line is cut again to find the column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from compiler.errors import InputError, SyntaxFault, Unmodelled
from compiler.integers import is_number
from compiler.source import Span

__all__ = ["Fault", "Words", "expected", "locate", "number"]

_WORD = re.compile(r"\S+")


class Fault(Exception):
    """Words ``index`` to ``index + count - 1`` of a line cannot be read.

    ``index`` may be one past the last word: something is missing at the end.
    """

    def __init__(self, message: str, index: int, count: int = 1, *, unmodelled: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.index = index
        self.count = count
        self.unmodelled = unmodelled

    def as_error(self, source: str, line: int, text: str) -> InputError:
        """The error with its place, for the user."""
        kind = Unmodelled if self.unmodelled else SyntaxFault
        return kind(self.message, locate(source, line, text, self.index, self.count), text)


class Words:
    """The words of a line with the place up to which they are understood.

    With ``bound``, clauses outside the model are collected in ``unmodelled`` as
    ``(text, index, count)`` and not faults; with ``simulate`` only those whose
    meaning the simulator knows (:meth:`remember`).
    """

    __slots__ = ("at", "bound", "simulate", "unmodelled", "words")

    def __init__(self, words: list[str], at: int = 0, *, bound: bool = False, simulate: bool = False) -> None:
        self.words = words
        self.at = at
        self.bound = bound
        self.simulate = simulate
        self.unmodelled: list[tuple[str, int, int]] = []

    def peek(self) -> str:
        """The next word, or the empty string at the end."""
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, what: str) -> str:
        """The next word; a fault that says ``what`` was expected at the end."""
        if self.at >= len(self.words):
            raise Fault(f"the line ends here; expected {what}", self.at)
        self.at += 1
        return self.words[self.at - 1]

    def end(self) -> None:
        """A fault when words are left."""
        if self.at < len(self.words):
            raise Fault(f"'{self.words[self.at]}' is too much: expected the end of the line", self.at)

    def refuse(self, why: str, start: int, count: int) -> None:
        """Words from ``start`` are outside the model: a fault, or a kept clause when bounding."""
        stop = min(start + count, len(self.words))
        if not self.bound:
            text = " ".join(self.words[start:stop])
            raise Fault(f"'{text}' is not modelled: {why}", start, stop - start, unmodelled=True)
        self._keep(start, stop)

    def remember(self, why: str, start: int, count: int) -> None:
        """The same for a clause about state: kept for the simulator too."""
        if self.simulate:
            self._keep(start, min(start + count, len(self.words)))
        else:
            self.refuse(why, start, count)

    def _keep(self, start: int, stop: int) -> None:
        self.unmodelled.append((" ".join(self.words[start:stop]), start, stop - start))
        self.at = max(self.at, stop)


def expected(word: str, index: int, what: str, known: Iterable[str] = ()) -> Fault:
    """The fault of an unknown word, with the known word that is nearest."""
    if not word:
        return Fault(f"the line ends here; expected {what}", index)
    near = get_close_matches(word.lower(), list(known), 1, 0.65)
    # A known word in the wrong place is no slip of the pen.
    hint = f"; did you mean '{near[0]}'?" if near and near[0] != word else ""
    return Fault(f"'{word}' is not known here; expected {what}{hint}", index)


def number(word: str, low: int, high: int) -> int | None:
    """The decimal number in ``low … high``, or None."""
    if not is_number(word):
        return None
    value = int(word)
    return value if low <= value <= high else None


def locate(source: str, line: int, text: str, index: int, count: int = 1) -> Span:
    """The place of the words in the line; just behind the line when they are missing."""
    places = [found.span() for found in _WORD.finditer(text)]
    if index >= len(places):
        column = (places[-1][1] if places else 0) + 1
        return Span(source, line, column, column + 1)
    last = places[min(index + max(count, 1), len(places)) - 1]
    return Span(source, line, places[index][0] + 1, last[1] + 1)
