"""Statements that change something: marks, header fields, sets, helpers, tracking."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compiler.dialects.nftables.conditions import presuppose, read_value
from compiler.dialects.nftables.datatypes import DataType, integer_type
from compiler.dialects.nftables.draft import Alternative, Draft
from compiler.dialects.nftables.elements import Atom
from compiler.dialects.nftables.keys import KEYS, Key
from compiler.dialects.nftables.lookups import Case, Drawn, begins_lookup, read_lookup
from compiler.dialects.nftables.mark_expressions import ALL_BITS, mark_register, read_mark_expression
from compiler.dialects.nftables.simulated_sets import MARK, NAME, duration
from compiler.dialects.nftables.stateful_conditions import Reading, add_clause
from compiler.dialects.nftables.tokens import Cursor
from compiler.dialects.nftables.unmodelled import balanced_end
from compiler.integers import IntegerSet
from compiler.policy.access_list import Clause
from compiler.policy.stateful import (
    AddToSet,
    AssignHelper,
    ChangeField,
    ClampSegment,
    MarkValue,
    Meaning,
    Numbered,
    Register,
    SetMark,
    Untrack,
)

__all__ = ["add_cases", "change"]

_TCP = IntegerSet.values(6)
_FIELDS = frozenset({"traffic_class", "ttl"})


def change(reading: Reading, draft: Draft, table: str, helpers: Mapping[str, tuple[str, int]]) -> bool:
    """Read the statement at the cursor; False when none of these begins there."""
    cursor = reading.cursor
    words, first = cursor.words, cursor.position
    register = mark_register(words, first)
    if register is not None and words[first + register[1]] == "set":
        cursor.position += register[1] + 1
        _set_mark(reading, draft, first, register[0])
    elif words[first : first + 2] == ["tcp", "option"]:
        _clamp(reading, draft)
    elif words[first] == "notrack":
        cursor.position += 1
        add_clause(reading, draft, first, Untrack())
    elif words[first] in ("add", "update", "delete"):
        _change_set(reading, draft, table)
    elif words[first : first + 3] == ["ct", "helper", "set"]:
        _set_helper(reading, draft, helpers)
    elif words[first : first + 3] == ["meta", "nftrace", "set"]:
        if words[first + 3] not in ("0", "1"):
            raise cursor.expected("0 or 1", first + 3)
        cursor.position += 4  # what `nft monitor trace` shows is no packet's matter
    elif words[first + 2] == "set":
        return _set_field(reading, draft)
    else:
        return False
    return True


def add_cases(
    reading: Reading, draft: Draft, first: int, cases: list[Case], effect: Callable[[tuple[Atom, ...]], Meaning]
) -> None:
    """An alternative for each element of a map: its condition, and what is done then."""
    cursor = reading.cursor
    text, span = cursor.text(first, min(cursor.position, first + 12)), cursor.span(first, cursor.position - 1)
    draft.choices.append(
        tuple(
            Alternative(
                case.fields,
                clause=None if case.condition is None else Clause(text, span, case.condition),
                effect=Clause(text, span, effect(case.found)),
            )
            for case in cases
        )
    )


def _lookup(reading: Reading, draft: Draft, data: tuple[DataType, ...]) -> list[Case] | Drawn:
    return read_lookup(reading.cursor, draft, reading.sets, reading.read_key, data)


def _set_mark(reading: Reading, draft: Draft, first: int, register: Register) -> None:
    cursor = reading.cursor
    words, start = cursor.words, cursor.position
    if begins_lookup(words, start):
        found = _lookup(reading, draft, (MARK,))
        if isinstance(found, Drawn):
            table = tuple((numbers, _single(cursor, first, value[0])) for numbers, value in found.table)
            add_clause(reading, draft, first, SetMark(register, Numbered(found.number, table)))
            return
        add_cases(reading, draft, first, found, lambda value: SetMark(register, _single(cursor, first, value[0])))
        return
    if words[start] in ("ct", "meta", "symhash", "fib", "socket", "rt") and mark_register(words, start) is None:
        raise cursor.unmodelled(f"a mark taken from {words[start]} {words[start + 1]}", first, start + 1)
    expression = read_mark_expression(cursor)
    if expression.register is None:
        meaning = SetMark(register, expression.flip)
    elif expression.register is register:
        meaning = SetMark(register, expression.flip, ALL_BITS & ~expression.mask)
    else:
        meaning = SetMark(register, MarkValue(expression.register, expression.mask, expression.flip))
    add_clause(reading, draft, first, meaning)


def _single(cursor: Cursor, first: int, atom: Atom) -> int:
    if isinstance(atom, str) or atom[0] != atom[1]:
        raise cursor.fault("a range where one value is expected", first)
    return atom[0]


def _clamp(reading: Reading, draft: Draft) -> None:
    """``tcp option maxseg size set 1360`` or ``… set rt mtu``; it ends the rule for what is not TCP (nft_exthdr.c)."""
    cursor, first = reading.cursor, reading.cursor.position
    words = cursor.words
    if words[first + 2 : first + 5] != ["maxseg", "size", "set"]:
        raise cursor.unmodelled("an option of TCP, except maxseg size set", first, first + 2)
    draft.narrow("protocol", _TCP)
    draft.read_transport()
    cursor.position = first + 5
    if words[cursor.position : cursor.position + 2] == ["rt", "mtu"]:
        cursor.position += 2
        add_clause(reading, draft, first, ClampSegment())
        return
    size = read_value(cursor, integer_type(16), None)
    number = size.single() if isinstance(size, IntegerSet) else None
    if number is None:
        raise cursor.fault("a range where one size is expected", first + 5)
    add_clause(reading, draft, first, ClampSegment(number))


def _set_field(reading: Reading, draft: Draft) -> bool:
    cursor, first = reading.cursor, reading.cursor.position
    words = cursor.words
    key: Key | None = KEYS.get(words[first], {}).get(words[first + 1])
    if key is None:
        return False
    if key.field not in _FIELDS:
        raise cursor.unmodelled(f"{key.text} set: a header is changed in a way that no rule may here", first, first + 2)
    presuppose(draft, key)
    cursor.position += 3
    if begins_lookup(words, cursor.position):
        raise cursor.unmodelled(f"{key.text} set to what is looked up", first, cursor.position)
    value = read_value(cursor, key.kind, None)
    number = value.single() if isinstance(value, IntegerSet) else None
    if number is None:
        raise cursor.fault("a range where one value is expected", first + 3)
    shift, width = key.octet
    add_clause(reading, draft, first, ChangeField(key.field, number << shift, ((1 << width) - 1) << shift))
    return True


def _change_set(reading: Reading, draft: Draft, table: str) -> None:
    """``add @name { ip saddr timeout 1m }``: an address alone; anything else has no word."""
    cursor, first = reading.cursor, reading.cursor.position
    words = cursor.words
    if words[first + 1][:1] != "@" or words[first + 2] != "{":
        raise cursor.expected("a set and its element: @name { … }", first + 1)
    end = balanced_end(cursor, first + 2)
    name = words[first + 1][1:]
    state = reading.sets.get(name)
    if state is None:
        raise cursor.fault(f"the table has no set {name!r}", first + 1)
    cursor.position = first + 3
    key = KEYS.get(words[first + 3], {}).get(words[first + 4])
    if key is None or key.field not in ("source", "destination") or state.is_map or not state.filled:
        raise cursor.unmodelled("a set that takes anything but one address of the packet", first, end - 1)
    cursor.position += 2
    if words[cursor.position] == "counter":
        cursor.position += 1
    timeout = state.timeout
    if words[cursor.position] == "timeout":
        cursor.position += 1
        timeout = duration(cursor)
        cursor.position += 1
        if not state.expires:
            raise cursor.fault(f"a timeout, but {name!r} has no flags timeout", first)
    if cursor.position != end - 1:
        raise cursor.unmodelled("a set that takes anything but one address of the packet", first, end - 1)
    if state.kinds[0].width != key.kind.width:
        raise cursor.fault(f"{name!r} holds {state.kinds[0].name}, not {key.kind.name}", first)
    cursor.position = end
    presuppose(draft, key)
    verb = words[first]
    effect = AddToSet(table, name, key.field, 0 if verb == "delete" else timeout, verb == "update", verb == "delete")
    add_clause(reading, draft, first, effect)


def _set_helper(reading: Reading, draft: Draft, helpers: Mapping[str, tuple[str, int]]) -> None:
    cursor, first = reading.cursor, reading.cursor.position
    words = cursor.words
    cursor.position += 3

    def effect(value: tuple[Atom, ...]) -> AssignHelper:
        name = str(value[0])
        if name not in helpers:
            raise cursor.fault(f"the table has no ct helper {name!r}", first)
        kind, protocol = helpers[name]
        have = draft.fields.get("protocol")
        # The kernel passes over other protocols (nft_ct_helper_obj_eval), the simulator's helper does not.
        if not isinstance(have, IntegerSet) or not have.issubset(IntegerSet.values(protocol)):
            raise cursor.unmodelled(
                f"{name!r} for other protocols than its own: match that one before", first, first + 3
            )
        return AssignHelper(kind)

    if begins_lookup(words, cursor.position):
        found = _lookup(reading, draft, (NAME,))
        if isinstance(found, Drawn):
            raise cursor.unmodelled("a helper that is drawn", first, cursor.position - 1)
        add_cases(reading, draft, first, found, effect)
        return
    name = words[cursor.position]
    if not name.strip('"'):
        raise cursor.expected("the name of a helper")
    cursor.position += 1
    add_clause(reading, draft, first, effect((name.strip('"'),)))
