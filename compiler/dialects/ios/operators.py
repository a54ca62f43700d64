"""``eq neq gt lt range`` over ports and TTL."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from compiler.dialects.ios.facts import PORT_LIMIT
from compiler.dialects.ios.ports import ELSEWHERE
from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.integers import EMPTY, IntegerSet, full, is_number

__all__ = ["OPERATORS", "comparison", "port_number"]

OPERATORS = frozenset(("eq", "neq", "gt", "lt", "range"))

_NO_NAMES: Mapping[str, int] = {}


@lru_cache(maxsize=65536)
def _evaluate(operator: str, operands: tuple[int, ...], width: int) -> IntegerSet | None:
    """The numbers meant; None when these are all."""
    top = (1 << width) - 1
    first = operands[0]
    if operator == "gt":
        found = IntegerSet.range(first + 1, top)
    elif operator == "lt":
        found = IntegerSet.range(0, first - 1)
    elif operator == "range":
        found = IntegerSet.range(first, operands[1])
    else:
        found = IntegerSet.values(*operands)
        if operator == "neq":
            found = found.complement(width)
    return None if found == full(width) else found


def port_number(line: Words, names: Mapping[str, int], width: int = 16, what: str = "port") -> int:
    """The next word as a port, by number or by name."""
    word = line.take(f"a {what}")
    value = _operand(word, names, (1 << width) - 1)
    if value is not None:
        return value
    raise _unknown(word, line.at - 1, names, width, what)


def comparison(
    line: Words, names: Mapping[str, int] = _NO_NAMES, width: int = 16, what: str = "port"
) -> IntegerSet | None:
    """The numbers of ``operator operand …``; None when these are all of ``width`` bits.

    Raises Fault for a comparison that nothing passes (``lt 0``).
    """
    words, start = line.words, line.at
    operator = words[start]
    line.at = start + 1
    operands = [port_number(line, names, width, what)]
    if operator == "range":
        operands.append(port_number(line, names, width, what))
        if operands[0] > operands[1]:
            raise Fault(
                f"the range ends before it begins; did you mean 'range {words[start + 2]} {words[start + 1]}'?",
                start,
                3,
            )
    elif operator in ("eq", "neq"):
        top = (1 << width) - 1
        while line.at < len(words):
            value = _operand(words[line.at], names, top)
            if value is None:
                break
            operands.append(value)
            line.at += 1
        if len(operands) > PORT_LIMIT:
            raise Fault(f"{len(operands)} {what}s; '{operator}' takes at most {PORT_LIMIT}", start + 1 + PORT_LIMIT)
    found = _evaluate(operator, tuple(operands), width)
    if found == EMPTY:
        raise Fault(f"'{operator} {words[start + 1]}' matches nothing", start, 2)
    return found


def _operand(word: str, names: Mapping[str, int], top: int) -> int | None:
    if is_number(word):
        return number(word, 0, top)
    return names.get(word)


def _unknown(word: str, index: int, names: Mapping[str, int], width: int, what: str) -> Fault:
    top = (1 << width) - 1
    if is_number(word):
        return Fault(f"'{word}' is not a {what}: expected 0 to {top}", index)
    if names and word in ELSEWHERE:
        return Fault(f"IOS has no {what} name '{word}' here; write {ELSEWHERE[word]}", index)
    return expected(
        word,
        index,
        f"a {what}: 0 to {top}" + (" or a name such as " + ", ".join(sorted(names)[:4]) if names else ""),
        names,
    )
