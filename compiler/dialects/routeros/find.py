"""``[find where …]``: the items of a table that a statement is about.

::

    find       = "[" [path] "find" ["where"] [either] "]"
    either     = both {("or" | "||") both}
    both       = single {["and" | "&&"] single}
    single     = ("!" | "not") single | "(" either ")" | name operator value | flag
    operator   = "=" | "!=" | "~"

``~`` is an extended regular expression (POSIX). Source: MikroTik documentation,
"Scripting" (operators) and "Console" (find).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from compiler.dialects.routeros.quoting import BadEscape, linked, unquote

__all__ = ["FLAGS", "Finder", "NotFind", "parse_find"]

FLAGS = frozenset({"disabled", "dynamic", "invalid", "static"})
"""What an item is, apart from its properties; only ``disabled`` items ever stand in a text."""

_TEXTS = frozenset(
    {"action", "address", "address-list", "chain", "comment", "dst-address-list", "exclude", "in-interface"}
    | {"in-interface-list", "include", "interface", "jump-target", "list", "log-prefix", "name", "out-interface"}
    | {"out-interface-list", "reject-with", "src-address-list"}
)
"""Properties whose written value is what a router compares with."""

_TOKEN = re.compile(
    r"\s*+(?:\\\r?\n\s*+)*(?:"
    r'"(?P<string>[^"\\]*+(?:\\(?:\r\n|.)[^"\\]*+)*)"'
    r"|(?P<operator>&&|\|\||!=|=|~|!|\(|\)|<=?|>=?)"
    r"|(?P<word>[^\s\"=~!()<>&|;$\[\]{}\\]++)"
    r"|(?P<end>\]\Z)"
    r"|(?P<other>(?!\s|\\\r?\n).))",
    re.DOTALL,
)
_PATTERN = re.compile(r"(?:[A-Za-z0-9 _:;,@#%&='\"<>/!~`-]|\\[.\[\](){}^$*+?|\\/-]|\[\^?[^\]\[\\]+\]|[.^$|()*+?])*")
_REPEATED_GROUP = re.compile(r"\)[*+?{]|[*+?][*+?]|\(\?|(?:^|[(|])[*+?]")

Properties = Mapping[str, str]
Test = Callable[[Properties], bool]


class NotFind(Exception):
    """A substitution that cannot be evaluated here: ``str`` says why."""


class Finder(NamedTuple):
    """A parsed ``[find …]``: the menu it names (``()`` for the statement's own) and the test."""

    path: tuple[str, ...]
    test: Test


@lru_cache(maxsize=256)
def parse_find(text: str, texts: frozenset[str] = frozenset()) -> Finder:
    """The finder that ``text`` (with its brackets) is. Raises :class:`NotFind`.

    ``texts`` are text properties of the menu beside those of the firewall.
    """
    parser = _Parser(text, _TEXTS | texts)
    path: list[str] = []
    while True:
        kind, word = parser.take()
        if kind != "word":
            raise NotFind(f"{word or ']'} stands in the brackets; expected find")
        if word == "find":
            break
        path += [part for part in word.split("/") if part]
        if path and path[-1] == "find":
            path.pop()
            break
    if parser.peek() == ("word", "where"):
        parser.take()
    if parser.peek()[0] == "end":
        return Finder(tuple(path), lambda _properties: True)
    test = parser.either(0)
    kind, word = parser.take()
    if kind != "end":
        raise NotFind(f"{word} stands after the condition; expected and, or, or a closing bracket")
    return Finder(tuple(path), test)


class _Parser:
    def __init__(self, text: str, texts: frozenset[str]) -> None:
        self._texts = texts
        self._tokens: list[tuple[str, str]] = []
        position = 1
        while not self._tokens or self._tokens[-1][0] != "end":
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None or found.lastgroup == "other":
                raise NotFind(f"{found['other'] if found else text} cannot be evaluated without a running router")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()
        self._next = 0

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._next]

    def take(self) -> tuple[str, str]:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def either(self, depth: int) -> Test:
        tests = [self._both(depth)]
        while self.peek() in (("word", "or"), ("operator", "||")):
            self.take()
            tests.append(self._both(depth))
        return tests[0] if len(tests) == 1 else lambda properties: any(test(properties) for test in tests)

    def _both(self, depth: int) -> Test:
        tests = [self._single(depth)]
        while True:
            token = self.peek()
            if token in (("word", "and"), ("operator", "&&")):
                self.take()
            elif token[0] == "end" or token in (("word", "or"), ("operator", "||"), ("operator", ")")):
                break
            tests.append(self._single(depth))
        return tests[0] if len(tests) == 1 else lambda properties: all(test(properties) for test in tests)

    def _single(self, depth: int) -> Test:
        if depth > 30:
            raise NotFind("conditions are nested more than thirty deep")
        kind, word = self.take()
        if (kind, word) in (("operator", "!"), ("word", "not")):
            negated = self._single(depth + 1)
            return lambda properties: not negated(properties)
        if (kind, word) == ("operator", "("):
            inner = self.either(depth + 1)
            if self.take() != ("operator", ")"):
                raise NotFind("a parenthesis is not closed in the condition")
            return inner
        if kind != "word":
            raise NotFind(f"{word} stands in the condition; expected a property")
        operator = self.peek()
        if operator[0] != "operator" or operator[1] not in ("=", "!=", "~"):
            return _flag(word)
        self.take()
        kind, value = self.take()
        if kind == "string":
            if linked(value):
                raise NotFind(f'"{value}" cannot be known without a running router')
            try:
                value = unquote(value)
            except BadEscape as bad:
                raise NotFind(str(bad)) from None
        elif kind != "word":
            raise NotFind(f"{value} stands in the condition; expected a value for {word}")
        return _compare(word, operator[1], value, self._texts)


def _flag(name: str) -> Test:
    if name == "disabled":
        return lambda properties: properties.get("disabled", "no") in ("yes", "true")
    if name in FLAGS:
        wanted = name == "static"
        return lambda _properties: wanted
    raise NotFind(f"find by {name}: only text properties and the flags {', '.join(sorted(FLAGS))} are modelled")


def _compare(name: str, operator: str, value: str, texts: frozenset[str]) -> Test:
    if name in FLAGS and operator != "~" and value in ("yes", "no", "true", "false"):
        flag = _flag(name)
        wanted = (value in ("yes", "true")) == (operator == "=")
        return lambda properties: flag(properties) == wanted
    if name not in texts:
        raise NotFind(f"find by {name}: only text properties and the flags {', '.join(sorted(FLAGS))} are modelled")
    default = "accept" if name == "action" else ""
    if operator == "~":
        search = _pattern(value).search
        return lambda properties: search(properties.get(name, default)) is not None
    if operator == "=":
        return lambda properties: properties.get(name, default) == value
    return lambda properties: properties.get(name, default) != value


def _pattern(text: str) -> re.Pattern[str]:
    """A POSIX expression as ours, where both mean the same and matching takes little time."""
    repeats = sum(text.count(mark) for mark in "*+?")
    if not _PATTERN.fullmatch(text) or _REPEATED_GROUP.search(text) or repeats > 4 or len(text) > 200:
        raise NotFind(f"the regular expression {text!r} is outside what is modelled")
    try:
        return re.compile(text.replace("$", r"\Z") if not text.count("\\$") else text)
    except re.error as error:
        raise NotFind(f"{text!r} is not a regular expression: {error}") from None
