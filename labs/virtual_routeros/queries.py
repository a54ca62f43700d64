"""Query words: a stack of truths, worked through for each row.

::

    ?name  ?-name  ?name=value  ?=name=value  ?<name=value  ?>name=value  ?#operations

Operations are letter by letter: ``!`` inverts the top, ``&`` and ``|`` join
the two topmost, ``.`` copies the top, an index copies that value from the
bottom of the stack to the top. A row is chosen when no value left is false.
Source: MikroTik documentation, "API" (queries).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from compiler.dialects.routeros.durations import duration
from labs.virtual_routeros.traps import Category, Trap

__all__ = ["parse_query"]

Properties = Mapping[str, str]
_Step = Callable[[list[bool], Properties], None]

_OPERATIONS = re.compile(r"\d+|[!&|.]")
_TRUTHS = {"yes": "true", "no": "false"}


def parse_query(words: Sequence[str]) -> Callable[[Properties], bool]:
    """The test that query words (each with its ``?``) make. Raises Trap for a word that is none."""
    steps: list[_Step] = []
    depth = 0
    for word in words:
        step, depth = _parse(word, depth)
        steps.append(step)

    def test(properties: Properties) -> bool:
        stack: list[bool] = []
        for step in steps:
            step(stack, properties)
        return all(stack)

    return test


def _parse(word: str, depth: int) -> tuple[_Step, int]:
    """One word's step, and how many values are on the stack behind it."""
    body = word[1:]
    if body.startswith("#"):
        return _operations(word, body[1:], depth)
    comparison = body[:1] if body[:1] in ("<", ">", "=") else ""
    name, equals, value = body[len(comparison) :].partition("=")
    if not comparison and not equals:
        wanted = not name.startswith("-")
        name = name.removeprefix("-")
    if not name or (comparison and not equals):
        raise _wrong(word)
    if not comparison and not equals:
        return lambda stack, properties: stack.append((properties.get(name, "") != "") is wanted), depth + 1
    if comparison in ("", "="):
        return lambda stack, properties: stack.append(_is_equal(properties.get(name), value)), depth + 1
    return lambda stack, properties: stack.append(_is_beyond(comparison, properties.get(name), value)), depth + 1


def _operations(word: str, text: str, depth: int) -> tuple[_Step, int]:
    letters = _OPERATIONS.findall(text)
    if "".join(letters) != text or not letters:
        raise _wrong(word)
    for letter in letters:
        needed = {"&": 2, "|": 2}.get(letter, 1)
        if depth < needed or (letter.isdigit() and int(letter) >= depth):
            raise _wrong(word)
        depth += {"&": -1, "|": -1, "!": 0}.get(letter, 1)

    def work(stack: list[bool], _: Properties) -> None:
        for letter in letters:
            top = stack[int(letter)] if letter.isdigit() else stack[-1] if letter == "." else stack.pop()
            if letter == "!":
                top = not top
            elif letter == "&":
                top = stack.pop() and top
            elif letter == "|":
                top = stack.pop() or top
            stack.append(top)

    return work, depth


def _is_equal(held: str | None, value: str) -> bool:
    """A property that a row lacks equals nothing, not even the empty word."""
    return held is not None and _TRUTHS.get(held, held) == _TRUTHS.get(value, value)


def _is_beyond(comparison: str, held: str | None, value: str) -> bool:
    if held is None:
        return False
    left, right = _key(held), _key(value)
    if (left[0], right[0]) != (0, 0):
        left, right = (1, held), (1, value)
    return left < right if comparison == "<" else left > right


def _key(text: str) -> tuple[int, int | str]:
    """Numbers and durations in their order; all else as text."""
    if re.fullmatch(r"-?\d+", text):
        return 0, int(text) * 1_000_000_000
    length = duration(text)
    return (0, length) if length is not None else (1, text)


def _wrong(word: str) -> Trap:
    return Trap(f"invalid query word {word}", Category.API)
