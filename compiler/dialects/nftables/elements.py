"""Elements of sets and maps: keys, and in verdict maps what each decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from compiler.addresses import AddressSet
from compiler.dialects.nftables.datatypes import DataType, NotThatType, interval
from compiler.dialects.nftables.tokens import Cursor, shown
from compiler.integers import IntegerSet
from compiler.policy.match import InterfaceSet
from compiler.policy.ruleset import Verdict
from compiler.source import NOWHERE, Span

__all__ = [
    "Atom",
    "Element",
    "SetState",
    "UnknownMembers",
    "integer_members",
    "part_colon",
    "plain_value",
    "read_atom",
    "read_counts",
    "read_elements",
    "read_properties",
    "read_verdict",
    "value_of",
]

Atom = tuple[int, int] | str
"""An interval of numbers, or the name of an interface."""

VERDICTS = {
    "accept": Verdict.ACCEPT,
    "drop": Verdict.DROP,
    "return": Verdict.RETURN,
    "continue": Verdict.CONTINUE,
    "jump": Verdict.JUMP,
    "goto": Verdict.GOTO,
}


class Element(NamedTuple):
    """``key`` is None for the catch-all ``*``; ``verdict`` only in verdict maps."""

    key: tuple[Atom, ...] | None
    verdict: Verdict | None = None
    target: str = ""


class UnknownMembers(Exception):
    """A named set whose members the text does not tell; the text of the exception says why."""


@dataclass(slots=True)
class SetState:
    """A set or map of a table while the text is read."""

    name: str
    kinds: tuple[DataType, ...]
    is_map: bool = False
    unmodelled: str = ""
    """Why its members cannot be known or used; empty when they can."""
    elements: list[Element] = field(default_factory=list)
    comment: str = ""
    span: Span = NOWHERE
    filled: bool = False
    """Rules fill it while packets come, and the simulator can keep it (only where it is read for that)."""
    expires: bool = False
    """Whether its elements may have a timeout."""
    timeout: int = 0
    """How long they stay when the rule does not say, in nanoseconds; 0 for good."""
    data: tuple[DataType, ...] = ()
    """What a map to values holds, for the simulator."""
    values: list[tuple[tuple[Atom, ...] | None, tuple[Atom, ...]]] = field(default_factory=list)


def read_atom(cursor: Cursor, kind: DataType) -> Atom:
    """One value, prefix or range of the type at the cursor."""
    words = cursor.words
    word = words[cursor.position]
    if not kind.width:
        name = word[1:-1] if word[:1] == '"' else word
        if not name or len(name.encode()) > 15 or name == "*" or not _is_plain(name):
            raise cursor.expected(kind.noun)
        cursor.position += 1
        return name
    try:
        low, high = interval(kind, word)
        if words[cursor.position + 1] == "-":
            last, _ = interval(kind, words[cursor.position + 2])
            if low != high or low > last:
                raise NotThatType("a range whose first value is not above its last")
            cursor.position += 2
            high = last
    except NotThatType as error:
        raise cursor.expected(str(error)) from None
    cursor.position += 1
    return low, high


def _is_plain(name: str) -> bool:
    """Names of interfaces; a star only at the end, and no escapes."""
    return "*" not in name[:-1] and not any(character in name for character in '\\/{}(),;= "\n')


def read_verdict(cursor: Cursor) -> tuple[Verdict, str]:
    """``accept``, ``jump NAME`` and their like."""
    words = cursor.words
    verdict = VERDICTS.get(words[cursor.position])
    if verdict is None:
        if words[cursor.position] == "queue":
            raise cursor.unmodelled("'queue': a program outside the kernel decides", cursor.position)
        raise cursor.expected("a verdict (accept, drop, return, continue, jump, goto)")
    cursor.position += 1
    if verdict not in (Verdict.JUMP, Verdict.GOTO):
        return verdict, ""
    target = words[cursor.position]
    if not is_name(target):
        raise cursor.expected("the name of a chain")
    cursor.position += 1
    return verdict, target.strip('"')


def is_name(word: str) -> bool:
    """Whether a word may name a table, chain or set."""
    bare = word.strip('"')
    return bool(bare) and (bare[0].isalpha() or bare[0] in "_.") and all(c.isalnum() or c in "_.-/\\" for c in bare)


def read_elements(cursor: Cursor, kinds: tuple[DataType, ...], *, is_map: bool) -> list[Element]:
    """``{ a, b . c : accept, … }``; the cursor ends behind the bracket. Sets inside sets are joined."""
    words = cursor.words
    if words[cursor.position] != "{":
        raise cursor.expected("'{'")
    cursor.position += 1
    found: list[Element] = []
    while True:
        while words[cursor.position] == "\n":
            cursor.position += 1
        if words[cursor.position] == "}":
            cursor.position += 1
            return found
        if words[cursor.position] == "{":
            found.extend(read_elements(cursor, kinds, is_map=is_map))
        else:
            found.append(_element(cursor, kinds, is_map))
        while words[cursor.position] == "\n":
            cursor.position += 1
        if words[cursor.position] == ",":
            cursor.position += 1
        elif words[cursor.position] != "}":
            raise cursor.expected("',' or '}'")


def _element(cursor: Cursor, kinds: tuple[DataType, ...], is_map: bool) -> Element:
    words = cursor.words
    key: tuple[Atom, ...] | None
    if words[cursor.position] == "*":
        cursor.position += 1
        key = None
    else:
        if is_map:
            part_colon(cursor)
        atoms = [read_atom(cursor, kinds[0])]
        for kind in kinds[1:]:
            if words[cursor.position] != ".":
                raise cursor.expected("'.' and the next part of the key")
            cursor.position += 1
            if is_map:
                part_colon(cursor)
            atoms.append(read_atom(cursor, kind))
        key = tuple(atoms)
    read_properties(cursor)
    if not is_map:
        return Element(key)
    if words[cursor.position] != ":":
        raise cursor.expected("':' and a verdict")
    cursor.position += 1
    return Element(key, *read_verdict(cursor))


def part_colon(cursor: Cursor) -> None:
    """``22:accept`` and ``22:`` are one word to the expression that cuts words; cut it."""
    word = cursor.words[cursor.position]
    head, colon, tail = word.rpartition(":")
    if not colon or not head or head.endswith(":") or (tail and tail not in VERDICTS):
        return
    cursor.cut(cursor.position, [head, ":", tail] if tail else [head, ":"])


def read_properties(cursor: Cursor) -> None:
    """``counter packets 1 bytes 2``, ``comment "…"``: what changes no verdict."""
    words = cursor.words
    while True:
        word = words[cursor.position]
        if word == "comment":
            if words[cursor.position + 1][:1] != '"':
                raise cursor.expected("a quoted comment", cursor.position + 1)
            cursor.position += 2
        elif word == "counter":
            cursor.position += 1
            read_counts(cursor)
        elif word in ("timeout", "expires", "limit", "quota", "ct", "last"):
            raise cursor.unmodelled(f"an element with {shown(word)} does not stay as it stands", cursor.position)
        else:
            return


def read_counts(cursor: Cursor) -> None:
    """``packets N bytes N`` after ``counter``, if it stands there."""
    words = cursor.words
    if words[cursor.position] != "packets":
        return
    for place, wanted in enumerate(("packets", None, "bytes", None)):
        word = words[cursor.position + place]
        if word != wanted if wanted else not word.isdecimal():
            raise cursor.expected(f"'{wanted}'" if wanted else "a number", cursor.position + place)
    cursor.position += 4


@lru_cache(maxsize=65536)
def integer_members(kind: DataType, words: tuple[str, ...]) -> IntegerSet | AddressSet | None:
    """The set of ``a, b, c`` when each is one plain word of the type; None to read it the long way."""
    pairs = []
    for position, word in enumerate(words):
        if position % 2:
            if word != ",":
                return None
            continue
        try:
            pairs.append(interval(kind, word))
        except NotThatType:
            return None
    return _of(kind, pairs)


def value_of(kind: DataType, atoms: Iterable[Atom]) -> IntegerSet | AddressSet | InterfaceSet:
    """The union of atoms of one type."""
    if not kind.width:
        return InterfaceSet(frozenset(str(atom) for atom in atoms))
    return _of(kind, [atom for atom in atoms if not isinstance(atom, str)])


@lru_cache(maxsize=65536)
def plain_value(kind: DataType, word: str) -> IntegerSet | AddressSet | None:
    """The set that one word stands for, or None when it is no value of the type."""
    try:
        return _of(kind, [interval(kind, word)])
    except NotThatType:
        return None


def _of(kind: DataType, pairs: list[tuple[int, int]]) -> IntegerSet | AddressSet:
    if len(pairs) == 1:  # one interval is canonical as it is
        return AddressSet(kind.width, (pairs[0],)) if kind.address else IntegerSet((pairs[0],))
    return AddressSet.of(kind.width, pairs) if kind.address else IntegerSet.of(pairs)
