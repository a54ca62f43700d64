"""``tcp flags`` in all its forms, each as the set of flag bytes that it takes.

Without an operator a list of flags means ANY of them; with ``==`` or ``!=`` the
whole byte is compared; ``a / b`` and ``& b == a`` look only at the bits of b;
``! a`` and ``not a`` mean none of them. (nft 1.0.6, ``--debug=netlink``.)
"""

from __future__ import annotations

from functools import lru_cache

from compiler.dialects.nftables.datatypes import DATATYPES, DataType, NotThatType, interval
from compiler.dialects.nftables.tokens import Cursor
from compiler.integers import EMPTY, IntegerSet, full

__all__ = ["COMPARISONS", "compared", "read_bits", "read_flags"]

_TCP_FLAGS = DATATYPES["tcp_flag"]
_BYTE = full(8)

COMPARISONS = {
    "==": "==",
    "eq": "==",
    "!=": "!=",
    "ne": "!=",
    "<": "<",
    "lt": "<",
    ">": ">",
    "gt": ">",
    "<=": "<=",
    "le": "<=",
    ">=": ">=",
    "ge": ">=",
}
"""Operators and their names in words."""


@lru_cache(maxsize=4096)
def compared(operator: str, value: int, width: int) -> IntegerSet:
    """Numbers of ``width`` bits that stand so to ``value``."""
    top = (1 << width) - 1
    if operator == "==":
        return IntegerSet.values(value)
    if operator == "!=":
        return IntegerSet.of(((0, value - 1), (value + 1, top)))
    low, high = {"<": (0, value - 1), "<=": (0, value), ">": (value + 1, top), ">=": (value, top)}[operator]
    return IntegerSet.range(low, high)


@lru_cache(maxsize=4096)
def _masked(mask: int, wanted: IntegerSet) -> IntegerSet:
    return IntegerSet.of((byte, byte) for byte in range(256) if wanted.contains(byte & mask))


def read_flags(cursor: Cursor, kind: DataType = _TCP_FLAGS) -> IntegerSet:
    """The bytes that the words after ``tcp flags`` take; the cursor ends behind them.

    Any bit field of at most eight bits that nft knows by the names of ``kind`` is read alike (``ct state``).
    """
    words = cursor.words
    word = words[cursor.position]
    if word in ("&", "and"):
        cursor.position += 1
        mask = read_bits(cursor, kind, commas=False)
        operator = COMPARISONS.get(words[cursor.position])
        if operator is not None:
            cursor.position += 1
        return _masked(mask, _right_side(cursor, kind, operator or "=="))
    if word in ("!", "not"):
        cursor.position += 1
        return _masked(read_bits(cursor, kind), IntegerSet.values(0))
    operator = COMPARISONS.get(word)
    if operator is not None:
        cursor.position += 1
    return _unmasked(cursor, kind, operator)


def _unmasked(cursor: Cursor, kind: DataType, operator: str | None) -> IntegerSet:
    """What follows ``tcp flags [operator]``."""
    words = cursor.words
    if words[cursor.position] == "{":
        return _right_side(cursor, kind, operator or "==")
    span = _range(cursor, kind)
    if span is not None:
        return span.complement(8) if operator == "!=" else span
    value = read_bits(cursor, kind)
    if words[cursor.position] == "/":
        cursor.position += 1
        mask = read_bits(cursor, kind)
        if operator not in (None, "==", "!="):
            raise cursor.fault(f"'{operator}' with a mask of flags: expected == or !=")
        return _masked(mask, compared(operator or "==", value, 8))
    if operator is None:
        return _masked(value, _BYTE.difference(IntegerSet.values(0), 8))
    return compared(operator, value, 8)


def _right_side(cursor: Cursor, kind: DataType, operator: str) -> IntegerSet:
    """A value, a range or ``{ … }`` after an operator."""
    if cursor.words[cursor.position] != "{":
        span = _range(cursor, kind)
        if span is None:
            return compared(operator, read_bits(cursor, kind), 8)
    else:
        span = _set(cursor, kind)
    if operator not in ("==", "!="):
        raise cursor.fault(f"'{operator}' with a set or range of flags: expected == or !=")
    return span.complement(8) if operator == "!=" else span


def _set(cursor: Cursor, kind: DataType) -> IntegerSet:
    words = cursor.words
    cursor.position += 1
    found = EMPTY
    while True:
        while words[cursor.position] in ("\n", ","):
            cursor.position += 1
        if words[cursor.position] == "}":
            cursor.position += 1
            return found
        member = _set(cursor, kind) if words[cursor.position] == "{" else _range(cursor, kind)
        found = found.union(member if member is not None else IntegerSet.values(read_bits(cursor, kind, commas=False)))
        if words[cursor.position] not in (",", "}", "\n"):
            raise cursor.expected("',' or '}'")


def _range(cursor: Cursor, kind: DataType) -> IntegerSet | None:
    """``0x02-0x12`` as a set, or None when one value stands here."""
    try:
        low, high = interval(kind, cursor.words[cursor.position])
    except NotThatType:
        return None
    if low == high:
        return None
    cursor.position += 1
    return IntegerSet.range(low, high)


def read_bits(cursor: Cursor, kind: DataType, *, commas: bool = True) -> int:
    """``syn``, ``syn,ack``, ``syn | ack``, ``(syn | ack)``: the bits together."""
    words = cursor.words
    value = 0
    while True:
        word = words[cursor.position]
        if word == "(":
            cursor.position += 1
            value |= read_bits(cursor, kind, commas=False)
            if words[cursor.position] != ")":
                raise cursor.expected("')'")
        else:
            try:
                low, high = interval(kind, word)
            except NotThatType as error:
                raise cursor.expected(str(error)) from None
            if low != high:
                raise cursor.fault("a range of flags where single flags are expected")
            value |= low
        cursor.position += 1
        if words[cursor.position] not in ((",", "|", "or") if commas else ("|", "or")):
            return value
        cursor.position += 1
