"""``numgen`` and ``jhash``: numbers that a rule draws or computes.

In the hash each part of a concatenation takes whole registers of four octets,
filled with zeros at the end; a single expression has just its own octets (seen
with ``nft --debug=netlink``; nft_hash.c, nft_numgen.c).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from compiler.dialects.nftables.conditions import presuppose
from compiler.dialects.nftables.datatypes import NotThatType, integer_type, interval
from compiler.dialects.nftables.draft import Draft
from compiler.dialects.nftables.keys import Key
from compiler.dialects.nftables.tokens import Cursor
from compiler.integers import IntegerSet
from compiler.policy.stateful import Counter, Hash, Number, NumberIn, RandomNumber

__all__ = ["NUMBER", "all_numbers", "check_numbers", "drawn_conditions", "read_number"]

NUMBER = integer_type(32)

_FIELDS = frozenset({"source", "destination", "source_port", "destination_port", "protocol"})


def read_number(cursor: Cursor, draft: Draft, read_key: Callable[[], Key]) -> Number:
    """``numgen inc mod 2 offset 1`` or ``jhash ip saddr . tcp dport mod 4 seed 0xabc``; the cursor ends behind it."""
    words, first = cursor.words, cursor.position
    cursor.position += 1
    if words[first] == "numgen":
        kind = words[cursor.position]
        if kind not in ("inc", "random"):
            raise cursor.expected("inc or random")
        cursor.position += 1
        modulus = _plain(cursor, "mod")
        offset = _optional(cursor, "offset")
        _check(cursor, first, modulus, offset or 0)
        return (Counter if kind == "inc" else RandomNumber)(modulus, offset or 0)
    fields = []
    while True:
        start = cursor.position
        key = read_key()
        if key.field not in _FIELDS:
            raise cursor.unmodelled(f"{key.text} in a hash", start, cursor.position - 1)
        presuppose(draft, key)
        fields.append(key.field)
        if words[cursor.position] != ".":
            break
        cursor.position += 1
    modulus = _plain(cursor, "mod")
    seed = _optional(cursor, "seed")
    offset = _optional(cursor, "offset")
    _check(cursor, first, modulus, offset or 0)
    return Hash(tuple(fields), modulus, seed, offset or 0)


def _plain(cursor: Cursor, word: str) -> int:
    """The number behind ``word``."""
    if cursor.words[cursor.position] != word:
        raise cursor.expected(f"'{word}' and a number")
    cursor.position += 1
    try:
        low, high = interval(NUMBER, cursor.words[cursor.position])
    except NotThatType as error:
        raise cursor.expected(str(error)) from None
    if low != high:
        raise cursor.expected("one number")
    cursor.position += 1
    return low


def _optional(cursor: Cursor, word: str) -> int | None:
    return _plain(cursor, word) if cursor.words[cursor.position] == word else None


def _check(cursor: Cursor, first: int, modulus: int, offset: int) -> None:
    if not modulus or modulus + offset > 1 << 32:
        raise cursor.fault("a modulus of 0, or numbers beyond 32 bits: the kernel refuses them", first)


def all_numbers(number: Number) -> IntegerSet:
    """Every number that can come out."""
    return IntegerSet.range(number.offset, number.offset + number.modulus - 1)


def check_numbers(cursor: Cursor, first: int, number: Number, values: IntegerSet) -> None:
    """A fault for a compared value that cannot come out: nft refuses it, though not in maps.

    All numbers above some value may come from a comparison.
    """
    highest = values.intervals[-1][1] if values.intervals else 0
    if number.offset + number.modulus <= highest < (1 << 32) - 1:
        raise cursor.fault(f"{highest} where the highest number is {number.offset + number.modulus - 1}", first)


def drawn_conditions(number: Number, parts: Sequence[IntegerSet]) -> list[NumberIn | None] | None:
    """Conditions that, asked one after the other until one holds, choose as ONE number of the text would.

    Each rule draws a number of its own. Of the packets that a counter's first
    set leaves over, each period of it leaves the same numbers in the same
    order: so a counter over those, each by its rank, goes on exactly as the one
    would have; and a random number likewise, in distribution. Where all that is
    left lies in a set, no number is drawn (None). No list when the device draws
    the seed: then two rules would hash with two seeds.
    """
    found: list[NumberIn | None] = []
    left = all_numbers(number)
    for place, part in enumerate(parts):
        mine = part.intersection(left)
        rest = left.difference(mine, 33)
        if mine == left and left.intervals:
            found.append(None)
        elif isinstance(number, Hash):
            if number.seed is None and place:
                return None
            found.append(NumberIn(number, mine))
        elif not place or not mine.intervals:  # the latter never holds
            found.append(NumberIn(number, mine))
        else:
            found.append(NumberIn(type(number)(left.size()), _ranks(mine, left)))
        left = rest
    return found


def _ranks(part: IntegerSet, whole: IntegerSet) -> IntegerSet:
    """Where the members of ``part`` stand among those of ``whole``, from 0."""
    pairs, before = [], 0
    for low, high in whole.intervals:
        pairs += [
            (before + one - low, before + other - low)
            for one, other in part.intersection(IntegerSet.range(low, high)).intervals
        ]
        before += high - low + 1
    return IntegerSet.of(pairs)
