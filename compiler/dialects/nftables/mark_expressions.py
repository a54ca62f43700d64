"""Arithmetic on marks: ``ct mark and 0xff or 0x100``.

With ``&``, ``|`` and ``^`` (``and``, ``or``, ``xor``) and numbers every such text
is one mask and one flip: ``(register & mask) ^ flip``, which is what nft sends to
the kernel (nft_bitwise.c). ``&`` binds closest, then ``^``, then ``|``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from compiler.dialects.nftables.datatypes import NotThatType, interval
from compiler.dialects.nftables.simulated_sets import MARK
from compiler.dialects.nftables.tokens import Cursor
from compiler.policy.stateful import Register

__all__ = ["ALL_BITS", "MarkExpression", "mark_register", "read_mark_expression"]

ALL_BITS = 0xFFFFFFFF

_OR, _XOR, _AND = ("|", "or"), ("^", "xor"), ("&", "and")
_DEEPEST = 20
_SHIFTS = ("<<", ">>")


class MarkExpression(NamedTuple):
    """``(register & mask) ^ flip``; without a register the number ``flip``."""

    register: Register | None
    mask: int = ALL_BITS
    flip: int = 0

    def value(self, mark: int) -> int:
        """What the expression is when the register holds ``mark``."""
        return (mark & self.mask if self.register else 0) ^ self.flip


def mark_register(words: list[str], index: int) -> tuple[Register, int] | None:
    """The register named at token ``index`` and in how many words; None when there is none."""
    if words[index] == "mark":
        return Register.PACKET, 1
    if words[index] in ("meta", "ct") and words[index + 1] == "mark":
        return (Register.PACKET if words[index] == "meta" else Register.CONNECTION), 2
    return None


def read_mark_expression(cursor: Cursor, depth: int = 0) -> MarkExpression:
    """The expression at the cursor. Raises InputError, also for shifts, which no mask says."""
    return _chain(cursor, _OR, _either, lambda: _chain(cursor, _XOR, _flipped, lambda: _and(cursor, depth)))


def _and(cursor: Cursor, depth: int) -> MarkExpression:
    return _chain(cursor, _AND, _both, lambda: _atom(cursor, depth))


def _chain(
    cursor: Cursor,
    operators: tuple[str, str],
    combine: Callable[[MarkExpression, int], MarkExpression],
    part: Callable[[], MarkExpression],
) -> MarkExpression:
    found = part()
    while cursor.words[cursor.position] in operators:
        cursor.position += 1
        first = cursor.position
        right = part()
        if right.register is not None:
            raise cursor.unmodelled("a mark on the right side of an operator (nft 1.1)", first, cursor.position)
        found = combine(found, right.flip)
    return found


def _both(left: MarkExpression, number: int) -> MarkExpression:
    return left._replace(mask=left.mask & number, flip=left.flip & number)


def _either(left: MarkExpression, number: int) -> MarkExpression:
    return left._replace(mask=left.mask & ~number, flip=left.flip & ~number | number)


def _flipped(left: MarkExpression, number: int) -> MarkExpression:
    return left._replace(flip=left.flip ^ number)


def _atom(cursor: Cursor, depth: int) -> MarkExpression:
    words, first = cursor.words, cursor.position
    if words[first] == "(":
        if depth == _DEEPEST:
            raise cursor.fault(f"more than {_DEEPEST} brackets in brackets")
        cursor.position += 1
        found = read_mark_expression(cursor, depth + 1)
        if words[cursor.position] != ")":
            raise cursor.expected("')'")
        cursor.position += 1
    elif register := mark_register(words, first):
        cursor.position += register[1]
        found = MarkExpression(register[0])
    else:
        try:
            low, high = interval(MARK, words[first])
        except NotThatType as error:
            raise cursor.expected(str(error)) from None
        if low != high:
            raise cursor.fault("a range where one mark is expected", first)
        cursor.position += 1
        found = MarkExpression(None, 0, low)
    if words[cursor.position] in _SHIFTS:
        raise cursor.unmodelled("a mark that is shifted", first, cursor.position + 1)
    return found
