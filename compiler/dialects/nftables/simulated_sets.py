"""Sets that rules fill and maps to values: what the simulator keeps of them and proofs do not.

A map to values is ``{ key : value }`` with an address, a port, an address and a
port, or a mark behind the colon.
"""

from __future__ import annotations

import re

from compiler.dialects.nftables.datatypes import DATATYPES, DataType, integer_type
from compiler.dialects.nftables.elements import (
    Atom,
    SetState,
    part_colon,
    read_atom,
    read_elements,
    read_properties,
)
from compiler.dialects.nftables.keys import KEYS
from compiler.dialects.nftables.tokens import Cursor

__all__ = ["MARK", "NAME", "Value", "change_simulated", "duration", "keep_for_simulation", "read_values"]

MARK = integer_type(32)._replace(name="mark", noun="a mark (a number below 4294967296)")
"""A mark of packets or connections. Names of /etc/iproute2/rt_marks are not read."""
NAME = DataType("string", 0, {}, "a quoted name")
"""The name of an object, as ``ct helper set udp dport map { 69 : "tftp" }`` has it."""

Value = tuple[tuple[Atom, ...] | None, tuple[Atom, ...]]
"""A key, None for ``*``, and what it is mapped to."""

_DATA = frozenset({"ipv4_addr", "ipv6_addr", "inet_service", "mark"})
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
_UNITS = (604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)


def duration(cursor: Cursor) -> int:
    """Nanoseconds of ``1m30s``, ``100ms`` or a plain number of seconds; the cursor stays on the word."""
    word = cursor.words[cursor.position]
    if word.isascii() and word.isdecimal() and len(word) < 12:
        return int(word) * 1_000_000_000
    found = _DURATION.fullmatch(word)
    if not word or not found or len(word) > 40:
        raise cursor.expected("a time such as 1m30s")
    return sum(int(part) * unit for part, unit in zip(found.groups(), _UNITS, strict=True) if part) * 1_000_000


def keep_for_simulation(cursor: Cursor, state: SetState, typed: int, elements: int) -> None:
    """Read what the model leaves out: token ``typed`` is ``type`` or ``typeof``, ``elements`` the bracket or 0."""
    keys, data = _types(cursor, typed)
    if keys is None or (data and not all(kind.name in _DATA for kind in data)):
        return
    plain = state.unmodelled.startswith(("its elements come", "a map to values", "it holds mark", "it holds meta mark"))
    if not plain and not state.unmodelled.startswith("it holds ct mark"):
        return
    if state.unmodelled.startswith("its elements come") and (state.is_map or len(keys) != 1 or not keys[0].address):
        return
    state.kinds = keys
    if data:
        state.data = data
    elif state.unmodelled.startswith("its elements come"):
        state.filled = True
    else:
        state.unmodelled = ""
    if elements:
        cursor.position = elements
        _fill(cursor, state)


def change_simulated(cursor: Cursor, state: SetState, action: str) -> None:
    """``add element`` for a set that rules fill or a map to values."""
    if action not in ("add", "create"):
        raise cursor.unmodelled(f"'{action} element' of a map to values or of a set that rules fill", cursor.position)
    _fill(cursor, state)


def _fill(cursor: Cursor, state: SetState) -> None:
    first = cursor.position
    if state.data:
        state.values.extend(read_values(cursor, state.kinds, state.data))
        return
    state.elements.extend(read_elements(cursor, state.kinds, is_map=state.is_map))
    if state.timeout and state.filled and state.elements:
        raise cursor.unmodelled("elements of a set with a timeout: the text does not tell when they end", first)


def read_values(cursor: Cursor, keys: tuple[DataType, ...], data: tuple[DataType, ...]) -> list[Value]:
    """``{ a . b : value, … }``; the last part of ``data`` may be missing in all elements alike."""
    words, first = cursor.words, cursor.position
    if words[first] != "{":
        raise cursor.expected("'{'")
    cursor.position += 1
    found: list[Value] = []
    while True:
        while words[cursor.position] == "\n":
            cursor.position += 1
        if words[cursor.position] == "}":
            cursor.position += 1
            break
        found.append(_value(cursor, keys, data))
        while words[cursor.position] == "\n":
            cursor.position += 1
        if words[cursor.position] == ",":
            cursor.position += 1
        elif words[cursor.position] != "}":
            raise cursor.expected("',' or '}'")
    if len({len(value) for _, value in found}) > 1:
        raise cursor.fault("elements with and without the last part of the value", first)
    return found


def _value(cursor: Cursor, keys: tuple[DataType, ...], data: tuple[DataType, ...]) -> Value:
    words = cursor.words
    key: tuple[Atom, ...] | None = None
    if words[cursor.position] == "*":
        cursor.position += 1
    else:
        key = tuple(_parts(cursor, keys, all_of_them=True))
    read_properties(cursor)
    if words[cursor.position] != ":":
        raise cursor.expected("':' and a value")
    cursor.position += 1
    value = tuple(_parts(cursor, data, all_of_them=False))
    read_properties(cursor)
    return key, value


def _parts(cursor: Cursor, kinds: tuple[DataType, ...], *, all_of_them: bool) -> list[Atom]:
    atoms: list[Atom] = []
    for place, kind in enumerate(kinds):
        if place:
            if cursor.words[cursor.position] != ".":
                if all_of_them:
                    raise cursor.expected("'.' and the next part of the key")
                break
            cursor.position += 1
        if all_of_them:
            part_colon(cursor)
        atoms.append(_name(cursor) if kind is NAME else read_atom(cursor, kind))
    return atoms


def _name(cursor: Cursor) -> str:
    word = cursor.words[cursor.position]
    if word[:1] != '"' or len(word) < 3:
        raise cursor.expected(NAME.noun)
    cursor.position += 1
    return word[1:-1]


def _types(cursor: Cursor, typed: int) -> tuple[tuple[DataType, ...] | None, tuple[DataType, ...]]:
    """Keys and data of ``type a . b : c``; no keys where one is unknown to the simulator too."""
    words, index = cursor.words, typed + 1
    expressions = words[typed] == "typeof"
    sides: list[list[DataType]] = [[]]
    while True:
        word = words[index]
        if word == ":" and len(sides) == 1:
            sides.append([])
            index += 1
            continue
        if word == "verdict":
            return tuple(sides[0]), ()
        if word in ("interval", "."):
            index += 1
            continue
        kind, length = _expression(words[index : index + 2]) if expressions else (_named(word), 1)
        if kind is None:
            return (None, ()) if word not in ("\n", ";", "}", "") or not sides[-1] else (tuple(sides[0]), _data(sides))
        sides[-1].append(kind)
        index += length


def _data(sides: list[list[DataType]]) -> tuple[DataType, ...]:
    return tuple(sides[1]) if len(sides) == 2 else ()


def _named(word: str) -> DataType | None:
    return MARK if word == "mark" else DATATYPES.get(word)


def _expression(words: list[str]) -> tuple[DataType | None, int]:
    if words[0] == "mark":
        return MARK, 1
    if words[0] in ("ct", "meta") and words[1] == "mark":
        return MARK, 2
    seconds = KEYS.get(words[0], {})
    if "" in seconds:
        return seconds[""].kind, 1
    return (seconds[words[1]].kind, 2) if words[1] in seconds else (None, 0)
