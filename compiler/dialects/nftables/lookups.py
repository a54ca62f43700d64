"""Values that are looked up: ``ip saddr map { … }``, ``numgen inc mod 2 map @name``, ``ct mark map { … }``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from compiler.dialects.nftables.conditions import alternatives, check_disjoint, presuppose
from compiler.dialects.nftables.datatypes import DataType
from compiler.dialects.nftables.draft import Draft, FieldValue
from compiler.dialects.nftables.elements import Atom, Element, SetState
from compiler.dialects.nftables.keys import KEYS, Key
from compiler.dialects.nftables.mark_expressions import mark_register, read_mark_expression
from compiler.dialects.nftables.numbers import NUMBER, all_numbers, read_number
from compiler.dialects.nftables.simulated_sets import MARK, Value, read_values
from compiler.dialects.nftables.states import STATES, state_in
from compiler.dialects.nftables.tokens import Cursor
from compiler.integers import IntegerSet
from compiler.policy.stateful import MarkIn, Number, StateIn

__all__ = ["Case", "Drawn", "begins_lookup", "read_lookup"]

Atoms = tuple[Atom, ...]


class Case(NamedTuple):
    """One element: what the packet (or its mark) must be, and what is found then."""

    fields: tuple[tuple[str, FieldValue], ...]
    condition: MarkIn | StateIn | None
    found: Atoms


class Drawn(NamedTuple):
    """A number and what it is mapped to; no table where the number itself is the value."""

    number: Number
    table: tuple[tuple[IntegerSet, Atoms], ...]


def begins_lookup(words: list[str], index: int) -> bool:
    """Whether an expression that is looked up or drawn begins there."""
    word = words[index]
    if word in ("numgen", "jhash"):
        return True
    if mark_register(words, index) or words[index : index + 2] == ["ct", "state"]:
        return _maps_ahead(words, index)
    seconds = KEYS.get(word)
    return seconds is not None and ("" in seconds or words[index + 1] in seconds)


def _maps_ahead(words: list[str], index: int) -> bool:
    """Whether ``map`` follows the mark and its mask."""
    while words[index] not in ("\n", ";", "}", "", "{", "map", "comment", "counter", "set"):
        index += 1
    return words[index] == "map"


def read_lookup(
    cursor: Cursor,
    draft: Draft,
    sets: Mapping[str, SetState],
    read_key: Callable[[], Key],
    data: tuple[DataType, ...],
) -> list[Case] | Drawn:
    """The lookup at the cursor, which ends behind it."""
    words, first = cursor.words, cursor.position
    if words[first] in ("numgen", "jhash"):
        number = read_number(cursor, draft, read_key)
        if words[cursor.position] != "map":
            return Drawn(number, ())
        values = _values(cursor, sets, (NUMBER,), data)
        _disjoint(cursor, first, values)
        return Drawn(number, tuple(_numbered(values, all_numbers(number))))
    if mark_register(words, first):
        return _by_mark(cursor, sets, data)
    if words[first] == "ct":
        cursor.position += 2
        values = _values(cursor, sets, (STATES,), data)
        _disjoint(cursor, first, values)
        return [Case((), state_in(numbers), value) for numbers, value in _numbered(values, IntegerSet.range(0, 255))]
    keys = [read_key()]
    while words[cursor.position] == ".":
        cursor.position += 1
        keys.append(read_key())
    for key in keys:
        if key.field in ("family", "tcp_flags"):
            raise cursor.unmodelled(f"a map over {key.text}", first)
        presuppose(draft, key)
    if words[cursor.position] != "map":
        raise cursor.unmodelled(f"{keys[0].text} as a value: only what a map holds for it", first, cursor.position - 1)
    values = _values(cursor, sets, tuple(key.kind for key in keys), data)
    elements = _disjoint(cursor, first, values)
    found = alternatives(cursor, first, tuple(keys), elements)
    return [Case(one.fields, None, value) for one, (_, value) in zip(found, values, strict=True)]


def _by_mark(cursor: Cursor, sets: Mapping[str, SetState], data: tuple[DataType, ...]) -> list[Case]:
    first = cursor.position
    expression = read_mark_expression(cursor)
    if expression.flip or expression.register is None:
        raise cursor.unmodelled("a map over a mark that is changed before", first, cursor.position)
    values = _values(cursor, sets, (MARK,), data)
    _disjoint(cursor, first, values)
    register, mask = expression.register, expression.mask
    table = _numbered(values, IntegerSet.range(0, 0xFFFFFFFF))
    return [Case((), MarkIn(register, numbers, mask), value) for numbers, value in table]


def _values(
    cursor: Cursor, sets: Mapping[str, SetState], keys: tuple[DataType, ...], data: tuple[DataType, ...]
) -> list[Value]:
    words, first = cursor.words, cursor.position
    if words[first] != "map":
        raise cursor.expected("'map'")
    cursor.position += 1
    name = words[cursor.position]
    if name[:1] != "@":
        values = read_values(cursor, keys, data)
        if not values:
            raise cursor.fault("an empty map: nft refuses it", first)
        return values
    state = sets.get(name[1:])
    if state is None or not state.is_map:
        raise cursor.fault(f"the table has no map {name[1:]!r}")
    if not state.data:
        raise cursor.unmodelled(f"the map {name[1:]!r}: {state.unmodelled or 'it holds verdicts'}", cursor.position)
    if state.unmodelled.startswith("packets change"):
        raise cursor.unmodelled(f"the map {name[1:]!r}: {state.unmodelled}", cursor.position)
    if not _fit(state.kinds, keys) or not _fit(state.data, data[: len(state.data)]):
        raise cursor.fault(f"{name[1:]!r} holds {' . '.join(kind.name for kind in (*state.kinds, *state.data))}")
    cursor.position += 1
    return state.values


def _fit(have: tuple[DataType, ...], wanted: tuple[DataType, ...]) -> bool:
    return [(kind.width, kind.address) for kind in have] == [(kind.width, kind.address) for kind in wanted]


def _disjoint(cursor: Cursor, first: int, values: list[Value]) -> list[Element]:
    """The keys as elements of a set; an error where two of them hold one packet."""
    elements = [Element(key, None, repr(value)) for key, value in values]
    check_disjoint(cursor, first, elements)
    return elements


def _numbered(values: list[Value], whole: IntegerSet) -> list[tuple[IntegerSet, Atoms]]:
    """Values by sets of numbers; ``*`` holds all others."""
    found, named = [], IntegerSet(())
    for key, value in values:
        if key is not None and not isinstance(key[0], str):
            numbers = IntegerSet.of((key[0],))
            named = named.union(numbers)
            found.append((numbers, value))
    others = [(whole.difference(named, 33), value) for key, value in values if key is None]
    return found + others
