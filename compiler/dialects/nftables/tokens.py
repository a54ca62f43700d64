"""The words of an nftables text, each with its place; variables are put in here.

One compiled expression cuts the whole text. Comments vanish, except those at
the head of the file. ``define`` is resolved by splicing tokens, within the
block where it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from compiler.errors import InputError, InputErrors, SyntaxFault, Unmodelled
from compiler.source import Span

__all__ = ["END", "Cursor", "tokenise"]

END = ""
"""The token after the last one."""

_TOKEN = re.compile(
    r""""[^"\n]*"|\#[^\n]*|==|!=|<=|>=|<<|>>|[{}(),;=!<>&|^\n]"""
    r"""|@[A-Za-z_][\w./\\-]*|\$[A-Za-z_]\w*|[^\s{}(),;=!<>&|^"#@$]+|\S""",
    re.ASCII,
)
_DEFINING = frozenset({"define", "redefine", "undefine"})
_PADDING = 8
"""Ends of the text, so that looking a few words ahead needs no care."""
_MOST_TOKENS = 5_000_000
"""A bound on what variables may grow to: definitions can double at each step."""


class _Tokens(NamedTuple):
    words: list[str]
    starts: list[int]


class Cursor:
    """A position among the tokens of one text; makes the errors that name a place.

    Where each token starts is found out only when it is asked for: a rule that
    has a line of its own needs no more than the number of that line.
    """

    __slots__ = ("_cuts", "_line_ends", "_newlines", "_starts", "lines", "position", "source", "text_read", "words")

    def __init__(self, words: list[str], text: str, source: str, *, continued: bool) -> None:
        self.words = words
        self.position = 0
        self.source = source
        self.text_read = text
        self.lines = tuple(text.split("\n"))
        self._starts: list[int] | None = None
        self._newlines = [-1]
        self._line_ends: list[int] = []
        self._cuts: list[tuple[int, int]] = []
        if not continued:
            self._line_ends = [index for index, word in enumerate(words) if word == "\n"]

    @property
    def starts(self) -> list[int]:
        """The offset of each token in the text."""
        if self._starts is None:
            joined = _joined(self.text_read)
            self._starts = [found.start() for found in _TOKEN.finditer(joined) if found.group()[0] != "#"]
            self._starts.extend((len(joined),) * _PADDING)
            offset = -1
            for line in self.lines:
                offset += len(line) + 1
                self._newlines.append(offset)
        return self._starts

    def replace_tokens(self, words: list[str], starts: list[int]) -> None:
        """Other tokens at the same places: variables put in."""
        self.words, self._starts, self._line_ends = words, starts, []

    def cut(self, index: int, parts: list[str]) -> None:
        """Token ``index`` becomes several, one behind the other."""
        start = self.starts[index]
        offsets = []
        for part in parts:
            offsets.append(start)
            start += len(part)
        self.words[index : index + 1] = parts
        self.starts[index : index + 1] = offsets
        self._cuts.append((index, len(parts) - 1))

    def settle(self) -> None:
        """From here on indexes noted before are brought up to date by :meth:`moved`."""
        self._cuts.clear()

    def moved(self, index: int) -> int:
        """Where the token now stands whose index was noted when the cursor was settled."""
        for place, more in self._cuts:
            index += more if place < index else 0
        return index

    def unmoved(self, index: int) -> int:
        """Where the token stood when the cursor was settled."""
        for place, more in reversed(self._cuts):
            index -= more if place < index else 0
        return index

    def span(self, index: int, last: int | None = None) -> Span:
        """The place of token ``index``, to the end of token ``last`` when that is on its line."""
        if self._starts is None and self._line_ends:
            return self._span_on_line(index, index if last is None or last < index else last)
        start = self.starts[index]
        line = bisect_right(self._newlines, start - 1)
        column = start - self._newlines[line - 1]
        final = index if last is None or last < index else last
        end = self.starts[final] + len(self.words[final]) - self._newlines[line - 1]
        longest = len(self.lines[line - 1]) + 1
        return Span(self.source, line, column, min(max(end, column + 1), max(longest, column + 1)))

    def _span_on_line(self, index: int, last: int) -> Span:
        """The place, found by cutting up one line only."""
        ends = self._line_ends
        number = bisect_left(ends, index)
        before = ends[number - 1] if number else -1
        after = ends[number] if number < len(ends) else len(self.words) - 1
        line = self.lines[number] if number < len(self.lines) else ""
        if index == before + 1 and last >= after - 1 and "#" not in line:
            column = len(line) - len(line.lstrip()) + 1
            return Span(self.source, number + 1, column, max(len(line.rstrip()), column) + 1)
        found = list(_TOKEN.finditer(line))
        start = index - before - 1
        if start >= len(found):  # the end of the line or of the text
            return Span(self.source, number + 1, len(line.rstrip()) + 1, len(line.rstrip()) + 2)
        final = found[min(last - before - 1, len(found) - 1)]
        return Span(self.source, number + 1, found[start].start() + 1, max(final.end(), found[start].end()) + 1)

    def line_of(self, span: Span) -> str:
        """The source line of a place."""
        return self.lines[span.line - 1] if 0 < span.line <= len(self.lines) else ""

    def fault(self, message: str, index: int | None = None) -> SyntaxFault:
        """A word that the grammar does not know at that token."""
        span = self.span(self.position if index is None else index)
        return SyntaxFault(message, span, self.line_of(span))

    def unmodelled(self, message: str, first: int, last: int | None = None) -> Unmodelled:
        """A clause, from its first to its last token, that is outside the model."""
        span = self.span(first, last)
        return Unmodelled(message, span, self.line_of(span))

    def expected(self, what: str, index: int | None = None) -> SyntaxFault:
        """What stands there and what should."""
        where = self.position if index is None else index
        return self.fault(f"{shown(self.words[where])} where {what} is expected", where)

    def text(self, first: int, last: int) -> str:
        """The tokens ``first`` to ``last - 1`` as one line, as nft prints them: ``a,b`` and ``{ a, b }``."""
        found, depth = "", 0
        for word in self.words[first:last]:
            depth += (word == "{") - (word == "}")
            if word == ",":
                found = found.rstrip(" ") + (", " if depth else ",")
            elif word != "\n":
                found += f"{word} "
        return found.rstrip(" ")


def shown(word: str) -> str:
    """A token in a message."""
    if word == "\n":
        return "the end of the line"
    return "the end of the text" if word == END else word if word.startswith('"') else f"'{word}'"


def tokenise(text: str, source: str) -> tuple[Cursor, tuple[str, ...]]:
    """A cursor over the text, and the comment lines at its head. Raises InputErrors."""
    joined = _joined(text)
    words = _TOKEN.findall(joined)
    header: list[str] = []
    if "#" in joined:
        for word in words:
            if word[0] == "#":
                header.append(word[1:].removeprefix(" ").rstrip())
            elif word != "\n":
                break
        words = [word for word in words if word[0] != "#"]
    words.extend((END,) * _PADDING)
    cursor = Cursor(words, text, source, continued=joined is not text)
    if "include" in words or not _DEFINING.isdisjoint(words) or "$" in joined:
        cursor.replace_tokens(*_Expander(cursor).expand())
    if header and header[0].startswith("!"):  # the interpreter line of a script
        del header[0]
    return cursor, tuple(header)


def _joined(text: str) -> str:
    """The text with continued lines joined, at the same length, so that places stay right."""
    return text.replace("\\\r\n", "   ").replace("\\\n", "  ") if "\\" in text else text


class _Expander:
    """Puts the value of each variable where its name stands."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.scopes: list[dict[str, list[str]]] = [{}]
        self.errors: list[InputError] = []

    def expand(self) -> tuple[list[str], list[int]]:
        cursor, words, starts = self.cursor, self.cursor.words, self.cursor.starts
        out = _Tokens([], [])
        index = 0
        at_start = True
        while index < len(words):
            word = words[index]
            if at_start and word in _DEFINING:
                index = self._define(index)
                continue
            if at_start and word == "include":
                self.errors.append(
                    cursor.unmodelled("include reads another file: give the text that nft list ruleset prints", index)
                )
            if word == "{":
                self.scopes.append({})
            elif word == "}" and len(self.scopes) > 1:
                self.scopes.pop()
            if word[:1] == "$":
                value = self._value(word, index)
                out.words.extend(value)
                out.starts.extend([starts[index]] * len(value))
            else:
                out.words.append(word)
                out.starts.append(starts[index])
            if len(out.words) > _MOST_TOKENS:
                self.errors.append(cursor.fault("the variables grow beyond five million words", index))
                break
            at_start = word in ("\n", ";", "{", "}")
            index += 1
        if self.errors:
            raise InputErrors(tuple(self.errors))
        return out.words, out.starts

    def _define(self, index: int) -> int:
        """Take in one definition; the index after it."""
        words = self.cursor.words
        kind, name = words[index], words[index + 1]
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            self.errors.append(self.cursor.expected("the name of a variable", index + 1))
            return index + 1
        if kind == "undefine":
            if name not in self.scopes[-1]:
                self.errors.append(self.cursor.fault(f"the variable {name} is not defined here", index + 1))
            self.scopes[-1].pop(name, None)
            return index + 2
        if words[index + 2] != "=":
            self.errors.append(self.cursor.expected("'='", index + 2))
            return index + 2
        if kind == "define" and name in self.scopes[-1]:
            self.errors.append(self.cursor.fault(f"the variable {name} is defined twice", index + 1))
        start = end = index + 3
        depth = 0
        while words[end] != END and (depth or words[end] not in ("\n", ";")):
            depth += (words[end] == "{") - (words[end] == "}")
            if depth < 0:
                break
            end += 1
        value: list[str] = []
        for position in range(start, end):
            word = words[position]
            value.extend(self._value(word, position) if word[:1] == "$" else (word,))
        if not value:
            self.errors.append(self.cursor.expected("a value", start))
        if len(value) > _MOST_TOKENS:
            self.errors.append(self.cursor.fault("the variables grow beyond five million words", index))
            value = value[:1]
        self.scopes[-1][name] = [word for word in value if word != "\n"]
        return end

    def _value(self, word: str, index: int) -> list[str]:
        for scope in reversed(self.scopes):
            if word[1:] in scope:
                return scope[word[1:]]
        self.errors.append(self.cursor.fault(f"the variable {word} is not defined", index))
        return ["0"]
