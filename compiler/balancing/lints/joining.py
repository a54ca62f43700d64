"""Lines that a page or a mail has broken, put together again for reading.

A router reads a line end as the end of a command. Scripts that were printed
break elsewhere: after a hyphen, before ``name=value``, after ``=``. What comes
back is as long as what went in, so that every offset is still the user's.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from compiler.dialects.routeros.script import COMMANDS

__all__ = ["Break", "BreakKind", "joined"]


class BreakKind(Enum):
    """How a line was broken; the values complete a sentence that begins with "the command"."""

    LINE = "is broken before {0}, without a backslash: a router runs each part alone"
    HYPHEN = "is broken inside the word {0}: a router knows neither half"
    BLANK = "has a blank after {0}: the value stands alone, and the property has none"
    GLUED = "has no blank before the backslash at {0}: a router reads both words as one"
    CAPITAL = "begins with {0}: words of the console are written small"


class Break(NamedTuple):
    """One place that was put together. ``offset`` is in the text, ``word`` what stands there."""

    kind: BreakKind
    offset: int
    word: str


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NAMED = re.compile(r"[ \t]*([a-z][a-z0-9-]*)=")
_HYPHEN = re.compile(r"([a-z][a-z0-9-]*-)[ \t]*\r?\n[ \t]*([a-z0-9][a-z0-9-]*=)")
_BLANK = re.compile(r"(?<=[ \t])([a-z][a-z0-9-]*=)([ \t]+)(?=([^\s=\"\[\](){}$;\\]+)(?:[ \t\r\n;]|\Z))")
_GLUED = re.compile(r"(?<=[^\s\\=])\\\r?\n(?=([a-z][a-z0-9-]*=))")
_CAPITAL = re.compile(r"(?m)^([ \t]*)([A-Z][A-Za-z]*)(?=[ \t])")


def joined(text: str) -> tuple[str, tuple[Break, ...]]:
    """The text with its commands on whole lines, of the same length, and what was put together."""
    found: list[Break] = []
    safe = _masked(text)
    out = list(text)
    for match in _CAPITAL.finditer(safe):
        if match[2].lower() in COMMANDS:
            found.append(Break(BreakKind.CAPITAL, match.start(2), match[2]))
            out[match.start(2) : match.end(2)] = match[2].lower()
    for match in _HYPHEN.finditer(safe):
        found.append(Break(BreakKind.HYPHEN, match.start(1), match[1] + match[2].rstrip("=")))
        _close(out, match.end(1), match.start(2), _word_end(safe, match.start(2)))
    for match in _BLANK.finditer(safe):
        found.append(Break(BreakKind.BLANK, match.start(1), match[1]))
        _close(out, match.start(2), match.end(2), match.end(3))
    for match in _GLUED.finditer(safe):
        found.append(Break(BreakKind.GLUED, match.start(1), match[1].rstrip("=")))
    found += _lines(safe, out)
    return "".join(out), tuple(sorted(found, key=lambda one: one.offset))


def _masked(text: str) -> str:
    """The text with nothing in its strings and comments that looks like a word."""
    safe = _STRING.sub(lambda one: '"' + "_" * (len(one[0]) - 2) + '"', text)
    return re.sub(r"(?m)^([ \t]*#)([^\n]*)", lambda one: one[1] + "#" * len(one[2]), safe)


def _close(out: list[str], begin: int, end: int, stop: int) -> None:
    """Move what stands from ``end`` to ``stop`` to ``begin``; the gap comes after it."""
    moved = out[end:stop]
    out[begin : begin + len(moved)] = moved
    out[begin + len(moved) : stop] = " " * (stop - begin - len(moved))


def _word_end(text: str, start: int) -> int:
    found = re.compile(r'[^\s";\\]*(?:"[^"]*")?').match(text, start)
    return found.end() if found else start


def _lines(safe: str, out: list[str]) -> list[Break]:
    """Lines that begin with ``name=value`` belong to the command above them."""
    found = []
    for match in re.finditer("\n", safe):
        named = _NAMED.match(safe, match.end())
        before = safe[: match.start()].rsplit("\n", 1)[-1].strip()
        if named is None or out[match.start()] != "\n" or not before or before.startswith("#"):
            continue
        if before.endswith((";", "{", "\\")):
            continue
        begin = match.start() - (safe[match.start() - 1] == "\r")
        out[begin : match.end()] = " " * (match.end() - begin)
        found.append(Break(BreakKind.LINE, named.start(1), named[1]))
    return found
