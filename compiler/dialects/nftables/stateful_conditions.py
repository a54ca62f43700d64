"""Conditions on what the router remembers: ``ct state``, marks, numbers, limits, ``fib``, lengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from compiler.dialects.nftables.conditions import check_disjoint, find_set, read_value
from compiler.dialects.nftables.datatypes import DataType, NotThatType, integer_type, interval
from compiler.dialects.nftables.draft import Alternative, Draft
from compiler.dialects.nftables.elements import SetState, UnknownMembers, read_elements
from compiler.dialects.nftables.flags import COMPARISONS, read_bits, read_flags
from compiler.dialects.nftables.keys import Key
from compiler.dialects.nftables.mark_expressions import ALL_BITS, mark_register, read_mark_expression
from compiler.dialects.nftables.numbers import NUMBER, check_numbers, drawn_conditions, read_number
from compiler.dialects.nftables.rates import read_limit
from compiler.dialects.nftables.simulated_sets import MARK
from compiler.dialects.nftables.states import STATES, state_in
from compiler.dialects.nftables.tokens import Cursor
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import Clause
from compiler.policy.ruleset import Verdict
from compiler.policy.stateful import (
    AddressKind,
    DirectionIs,
    HelperIs,
    LengthIn,
    LocalAddress,
    MarkIn,
    Meaning,
    NumberIn,
    StatusIs,
)

__all__ = ["Reading", "add_clause", "stateful_condition"]

_STATUS_BITS = {"expected": 1, "seen-reply": 2, "assured": 4, "confirmed": 8, "snat": 16, "dnat": 32, "dying": 512}
_STATUS = DataType("ct_status", 16, _STATUS_BITS, f"one of {', '.join(_STATUS_BITS)}")
_DIRECTIONS = DataType("ct_dir", 8, {"original": 0, "reply": 1}, "original or reply")
_FIB_TYPES = {
    "unspec": 0, "unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5, "blackhole": 6,
    "unreachable": 7, "prohibit": 8,
}  # fmt: skip
_FIB = DataType("fib_addrtype", 8, _FIB_TYPES, "a type of addresses (local, unicast, broadcast, multicast …)")
_KINDS = {_FIB_TYPES[kind.value]: kind for kind in AddressKind}
_JOINTS = frozenset({".", "|", "^", "<<", ">>", "&", "and", "or", "xor"})


class Reading(NamedTuple):
    """What reading a clause needs beside the draft."""

    cursor: Cursor
    sets: Mapping[str, SetState]
    read_key: Callable[[], Key]


def add_clause(reading: Reading, draft: Draft, first: int, meaning: Meaning) -> None:
    """The clause from token ``first`` to the cursor, with its meaning, behind those before it."""
    cursor = reading.cursor
    clause = Clause(cursor.text(first, cursor.position), cursor.span(first, cursor.position - 1), meaning)
    draft.choices.append((Alternative(clause=clause),))


def stateful_condition(reading: Reading, draft: Draft) -> bool:
    """Read the condition at the cursor; False when none of these begins there."""
    cursor = reading.cursor
    words, first = cursor.words, cursor.position
    handler = _HANDLERS.get(words[first]) or _HANDLERS.get(f"{words[first]} {words[first + 1]}")
    if handler is None:
        return False
    handler(reading, draft)
    if words[cursor.position] in _JOINTS:
        raise cursor.unmodelled(f"'{cursor.text(first, cursor.position + 1)} …'", first, cursor.position)
    return True


# -- connections --------------------------------------------------------------------------


def _state(reading: Reading, draft: Draft) -> None:
    cursor, first = reading.cursor, reading.cursor.position
    cursor.position += 2
    if cursor.words[cursor.position] == "vmap":
        _verdicts(reading, draft, first, STATES, state_in)
        return
    add_clause(reading, draft, first, state_in(read_flags(cursor, STATES)))


def _direction(reading: Reading, draft: Draft) -> None:
    cursor, first = reading.cursor, reading.cursor.position
    cursor.position += 2

    def meaning(values: IntegerSet) -> DirectionIs:
        if values.contains(0) == values.contains(1):
            raise cursor.unmodelled("a direction that is both, or none", first, cursor.position - 1)
        return DirectionIs(values.contains(0))

    if cursor.words[cursor.position] == "vmap":
        _verdicts(reading, draft, first, _DIRECTIONS, meaning)
    else:
        add_clause(reading, draft, first, meaning(_numbers(reading, _DIRECTIONS)))


def _status(reading: Reading, draft: Draft) -> None:
    """Any of the bits; under a mask, exactly those; nothing says the whole field."""
    cursor, first = reading.cursor, reading.cursor.position
    words = cursor.words
    cursor.position += 2
    word = words[cursor.position]
    if word in ("&", "and"):
        cursor.position += 1
        mask = read_bits(cursor, _STATUS, commas=False)
        operator = COMPARISONS.get(words[cursor.position])
        cursor.position += operator is not None
        wanted = read_bits(cursor, _STATUS)
        meanings = _masked_status(mask, wanted, operator or "==")
    elif word in ("{", "vmap"):
        meanings = None
    elif word in ("!", "not"):
        cursor.position += 1
        meanings = [StatusIs(_bits(read_bits(cursor, _STATUS)), True)]
    else:
        operator = COMPARISONS.get(word)
        cursor.position += operator is not None
        wanted = read_bits(cursor, _STATUS)
        meanings = None if operator else [StatusIs(_bits(wanted))]
        if words[cursor.position] == "/":
            cursor.position += 1
            meanings = _masked_status(read_bits(cursor, _STATUS), wanted, operator or "==")
    if meanings is None:
        raise cursor.unmodelled("the whole status of the connection, not single bits of it", first, cursor.position - 1)
    for meaning in meanings:
        add_clause(reading, draft, first, meaning)


def _masked_status(mask: int, wanted: int, operator: str) -> list[StatusIs] | None:
    if wanted & ~mask or not mask:
        return None
    if operator == "==":
        parts = [StatusIs(frozenset((bit,))) for bit in sorted(_bits(wanted))]
        return parts + ([StatusIs(_bits(mask & ~wanted), True)] if mask & ~wanted else [])
    if operator == "!=" and not wanted:
        return [StatusIs(_bits(mask))]
    return [StatusIs(_bits(mask), True)] if operator == "!=" and mask.bit_count() == 1 else None


def _bits(value: int) -> frozenset[str]:
    return frozenset(name for name, bit in _STATUS_BITS.items() if value & bit)


def _helper(reading: Reading, draft: Draft) -> None:
    cursor, first = reading.cursor, reading.cursor.position
    words = cursor.words
    cursor.position += 2 + (words[first + 2] in ("==", "eq"))
    word = words[cursor.position]
    if word in ("!=", "ne", "{", "vmap", "!"):
        raise cursor.unmodelled(
            "a helper that is not one name: connections without any match neither", first, cursor.position
        )
    if not word.strip('"').replace("-", "").isalnum():
        raise cursor.expected("the name of a helper")
    cursor.position += 1
    add_clause(reading, draft, first, HelperIs(word.strip('"')))


# -- marks, numbers, limits -----------------------------------------------------------------


def _mark(reading: Reading, draft: Draft) -> None:
    cursor, first = reading.cursor, reading.cursor.position
    words = cursor.words
    found = mark_register(words, first)
    assert found is not None
    register, length = found
    cursor.position += length
    mask = ALL_BITS
    if words[cursor.position] in _JOINTS - {"."}:
        cursor.position = first
        expression = read_mark_expression(cursor)
        mask = expression.mask
        if expression.flip:
            raise cursor.unmodelled("a mark that is changed before it is compared", first, cursor.position - 1)
    if words[cursor.position] == "vmap":
        _verdicts(reading, draft, first, MARK, lambda values: MarkIn(register, values, mask))
        return
    add_clause(reading, draft, first, MarkIn(register, _numbers(reading, MARK), mask))


def _number(reading: Reading, draft: Draft) -> None:
    cursor, first = reading.cursor, reading.cursor.position
    number = read_number(cursor, draft, reading.read_key)
    if cursor.words[cursor.position] != "vmap":
        values = _numbers(reading, NUMBER)
        check_numbers(cursor, first, number, values)
        add_clause(reading, draft, first, NumberIn(number, values))
        return
    collected: list[IntegerSet] = []

    def collect(values: IntegerSet) -> NumberIn:
        collected.append(values)
        return NumberIn(number, values)

    _verdicts(reading, draft, first, NUMBER, collect)
    conditions = drawn_conditions(number, collected)
    if conditions is None:
        raise cursor.unmodelled(
            "a hash without a seed and more than two ways: give it a seed", first, cursor.position - 1
        )
    for alternative, condition in zip(draft.choices[-1], conditions, strict=True):
        assert alternative.clause is not None
        text, span = alternative.clause.text, alternative.clause.span
        alternative.clause = None if condition is None else Clause(text, span, condition)


def _limit(reading: Reading, draft: Draft) -> None:
    first = reading.cursor.position
    add_clause(reading, draft, first, read_limit(reading.cursor))


# -- addresses and lengths ------------------------------------------------------------------


def _fib(reading: Reading, draft: Draft) -> None:
    cursor, first = reading.cursor, reading.cursor.position
    words = cursor.words
    field = {"saddr": "source", "daddr": "destination"}.get(words[first + 1])
    if field is None or words[first + 2] != "type":
        end = first + 2
        while words[end] not in ("\n", ";", "}", "") and end < first + 7:
            end += 1
        raise cursor.unmodelled("a fib lookup other than the type of saddr or daddr", first, end - 1)
    cursor.position += 3

    def meaning(values: IntegerSet) -> LocalAddress:
        negated = values.contains(0) and values.contains(255)
        listed = values.complement(8) if negated else values
        kinds = [_KINDS.get(number) for number in listed.members()]
        if None in kinds:
            raise cursor.unmodelled("a type of addresses that no route here has", first, cursor.position - 1)
        return LocalAddress(field, frozenset(kind for kind in kinds if kind), negated)

    if words[cursor.position] == "vmap":
        _verdicts(reading, draft, first, _FIB, meaning)
    else:
        add_clause(reading, draft, first, meaning(_numbers(reading, _FIB)))


def _length(reading: Reading, draft: Draft) -> None:
    """``meta length`` and ``ip length`` count the header; ``ip6 length`` leaves out its 40 octets (RFC 8200)."""
    cursor, first = reading.cursor, reading.cursor.position
    word = cursor.words[first]
    more, kind = (40 if word == "ip6" else 0), integer_type(32 if word == "meta" else 16)
    if word != "meta":
        draft.require_family(Family.IPV4 if word == "ip" else Family.IPV6)
    cursor.position += 2

    def meaning(values: IntegerSet) -> LengthIn:
        return LengthIn(IntegerSet.of((low + more, high + more) for low, high in values.intervals))

    if cursor.words[cursor.position] == "vmap":
        _verdicts(reading, draft, first, kind, meaning)
    else:
        add_clause(reading, draft, first, meaning(_numbers(reading, kind)))


# -- values ---------------------------------------------------------------------------------


def _numbers(reading: Reading, kind: DataType) -> IntegerSet:
    """What follows the expression: a value, a range, a set, each perhaps compared."""
    cursor = reading.cursor
    words = cursor.words
    operator = COMPARISONS.get(words[cursor.position])
    cursor.position += operator is not None
    word, first = words[cursor.position], cursor.position
    if word != "{" and word[:1] != "@":
        if not kind.names and not _is_value(kind, word):
            raise cursor.expected(kind.noun)
        value = read_value(cursor, kind, operator)
        assert isinstance(value, IntegerSet)
        return value
    if operator not in (None, "==", "!="):
        raise cursor.fault(f"'{operator}' with a set: expected == or !=")
    if word == "{":
        elements = read_elements(cursor, (kind,), is_map=False)
        if not elements:
            raise cursor.fault("an empty set matches nothing: nft refuses it", first)
    else:
        elements = _named(reading, kind, is_map=False).elements
    values = IntegerSet.of((0, (1 << kind.width) - 1) if one.key is None else _pair(one.key[0]) for one in elements)
    return values.complement(kind.width) if operator == "!=" else values


def _is_value(kind: DataType, word: str) -> bool:
    try:
        interval(kind, word)
    except NotThatType:
        return False
    return True


def _named(reading: Reading, kind: DataType, *, is_map: bool) -> SetState:
    cursor, first = reading.cursor, reading.cursor.position
    try:
        state = find_set(cursor, reading.sets, (Key("", "", kind),), is_map=is_map)
    except UnknownMembers as unknown:
        raise cursor.unmodelled(str(unknown), first) from None
    cursor.position += 1
    return state


def _verdicts(
    reading: Reading, draft: Draft, first: int, kind: DataType, meaning: Callable[[IntegerSet], Meaning]
) -> None:
    """``vmap { value : verdict, … }``: an alternative for each element."""
    cursor, vmap = reading.cursor, reading.cursor.position
    cursor.position += 1
    if cursor.words[cursor.position][:1] == "@":
        elements = _named(reading, kind, is_map=True).elements
    else:
        elements = read_elements(cursor, (kind,), is_map=True)
    check_disjoint(cursor, first, elements)
    keyed = [(one, IntegerSet.of((_pair(one.key[0]),))) for one in elements if one.key is not None]
    named = IntegerSet.of(pair for _, values in keyed for pair in values.intervals)
    keyed += [(one, named.complement(kind.width)) for one in elements if one.key is None]
    text, span = cursor.text(first, vmap), cursor.span(first, vmap)
    draft.choices.append(
        tuple(
            Alternative((), one.verdict, one.target, Clause(f"{text} {_shown(kind, values)}", span, meaning(values)))
            for one, values in keyed
        )
    )
    draft.verdict = Verdict.CONTINUE


def _pair(atom: tuple[int, int] | str) -> tuple[int, int]:
    assert not isinstance(atom, str)
    return atom


def _shown(kind: DataType, values: IntegerSet) -> str:
    names = {number: name for name, number in reversed(list(kind.names.items()))}
    parts = [names.get(low, str(low)) if low == high else f"{low}-{high}" for low, high in values.intervals[:8]]
    return parts[0] if len(parts) == 1 else f"{{ {', '.join(parts)} }}"


_HANDLERS: dict[str, Callable[[Reading, Draft], None]] = {
    "ct state": _state,
    "ct status": _status,
    "ct direction": _direction,
    "ct helper": _helper,
    "ct mark": _mark,
    "meta mark": _mark,
    "mark": _mark,
    "meta length": _length,
    "ip length": _length,
    "ip6 length": _length,
    "fib": _fib,
    "numgen": _number,
    "jhash": _number,
    "limit": _limit,
}
