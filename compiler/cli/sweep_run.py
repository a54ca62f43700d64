"""``gerbang sweep run``: a Python function of every item."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from compiler.cli.sweep_source import Plan, Source

__all__ = ["source"]

_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)", re.ASCII)
_NAMED = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("function", metavar="MODULE:FUNCTION", help="what is called with each item")
    parser.add_argument(
        "items",
        nargs="+",
        metavar="ITEM",
        help="FIRST..LAST (whole numbers), @FILE (each line of it; @- is standard input), "
        "MODULE:FUNCTION (what it yields), or a text as it is",
    )


def _plan(arguments: Namespace) -> Plan:
    if "" not in sys.path:
        sys.path.insert(0, "")  # modules of the folder that we are in, as with python -m
    function = _attribute(arguments.function)
    parts = [_items(text) for text in arguments.items]
    return Plan(parts[0] if len(parts) == 1 else _Several(parts), function)


class _Several:
    """Several sources of items in a row."""

    def __init__(self, parts: list[Iterable[object]]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[object]:
        return chain.from_iterable(self._parts)


def _items(text: str) -> Iterable[object]:
    from compiler.errors import UsageError

    if found := _RANGE.fullmatch(text):
        first, last = int(found[1]), int(found[2])
        if first > last:
            raise UsageError(f"{text!r}: expected FIRST..LAST, in order")
        return range(first, last + 1)
    if text.startswith("@"):
        return _lines(text[1:])
    if _NAMED.fullmatch(text):
        return _yielded(text)
    return (text,)


def _lines(name: str) -> tuple[str, ...]:
    from compiler.placed.source_text import read_source

    return tuple(line for line in read_source(name).text.splitlines() if line.strip())


def _yielded(text: str) -> Iterable[object]:
    from compiler.errors import UsageError

    found: Any = _attribute(text)
    try:
        made: Iterable[object] = found() if callable(found) else found
        iter(made)
    except TypeError as error:
        raise UsageError(f"{text} gives no items: {error}") from error
    return made


def _attribute(text: str) -> Callable[..., Any]:
    """What ``module:name`` names. Raises UsageError."""
    from importlib import import_module

    from compiler.errors import UsageError

    if not _NAMED.fullmatch(text):
        raise UsageError(f"{text!r}: expected MODULE:FUNCTION")
    module, _, name = text.partition(":")
    try:
        found: Callable[..., Any] = getattr(import_module(module), name)
    except ImportError as error:
        raise UsageError(f"cannot import {module!r}: {error}") from error
    except AttributeError as error:
        raise UsageError(f"the module {module!r} has no {name!r}") from error
    return found


source = Source(
    "a Python function of every item: numbers, lines of a file, or what another function yields",
    _configure,
    _plan,
    ("sweep run checks:holds_with_seed 1..5000 --processes 4", "sweep run checks:site @sites.txt --timeout 30"),
)
