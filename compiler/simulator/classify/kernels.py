# ruff: noqa: PLR0913, PLR0917 - compiled code takes its arrays one by one
"""The inner loops, compiled by numba: one signature for each. Import only where numba is (:func:`available`).

Machine code is kept beside this file, in ``__pycache__``, or in
NUMBA_CACHE_DIR; where neither can be written it is compiled for each process,
and nothing appears in the user's home.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit
from numba.core import types
from numba.extending import intrinsic

from compiler.simulator.machine_code import can_keep_code

__all__ = [
    "add_classes",
    "compiled",
    "join_ports",
    "outcomes_of",
    "prepare",
    "search_bits",
    "search_slots",
    "search_words",
    "take_bytes",
]

Compiled = TypeVar("Compiled", bound=Callable[..., Any])

Array = npt.NDArray[Any]
U = np.uint64
_ZERO, _ONE, _TWO, _FOUR, _EIGHT = U(0), U(1), U(2), U(4), U(8)
_WORD, _BYTE, _PORT, _LOW = U(64), U(255), U(0xFFFF), U(0xFFFFFFFF)
_NO_RANK = np.int32((1 << 31) - 1)
_BATCH = 256
"""Packets whose tables are touched ahead: their cache misses overlap."""


if TYPE_CHECKING:

    def compiled(function: Compiled) -> Compiled:
        """As it is."""

    def trailing_zeros(value: U) -> U:
        """How many low bits are 0; ``value`` is not 0."""

else:
    compiled = njit(cache=can_keep_code(__file__), nogil=True)

    @intrinsic
    def trailing_zeros(context, value):  # noqa: ANN001, ANN202
        """The machine's own instruction; ``value`` is not 0."""

        def generate(context, builder, signature, arguments):  # noqa: ANN001, ANN202
            return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

        return types.uint64(types.uint64), generate


@compiled
def prepare(
    source: Array,
    destination: Array,
    source_port: Array,
    destination_port: Array,
    field: Array,
    table: Array,
    keys: Array,
    ports: Array,
    rest: Array,
    found: Array,
) -> None:
    """IPv4 packets as one key each, both ports as one, the class of one 8-bit field, and no rank found."""
    for i in range(keys.shape[0]):
        keys[i] = U(source[i]) << U(32) | U(destination[i])
        ports[i] = np.uint32(source_port[i]) << np.uint32(16) | np.uint32(destination_port[i])
        rest[i] = table[U(field[i])]
        found[i] = _NO_RANK


@compiled
def join_ports(source: Array, destination: Array, ports: Array) -> None:
    """Two uint16 columns as one of uint32."""
    for i in range(ports.shape[0]):
        ports[i] = np.uint32(source[i]) << np.uint32(16) | np.uint32(destination[i])


@compiled
def add_classes(joint: Array, count: np.uint16, table: Array, values: Array) -> None:
    """One more field of 8 bits in the joint class: uint16, uint16 by value."""
    for i in range(joint.shape[0]):
        joint[i] = joint[i] * count + table[U(values[i])]


@compiled
def outcomes_of(found: Array, outcomes: Array, result: Array) -> None:
    """The outcome of each rank; the last is that of every rank beyond."""
    last = U(outcomes.shape[0] - 1)
    for i in range(found.shape[0]):
        result[i] = outcomes[min(U(found[i]), last)]


@compiled
def take_bytes(words: Array, bytes_: Array, keys: Array) -> None:
    """Chosen bytes of 64-bit words (words by packets) as keys (keys by packets), eight to a key."""
    for place in range(bytes_.shape[0]):
        byte = bytes_[place]
        down, up = U(56 - 8 * (byte % 8)), U(56 - 8 * (place % 8))
        word, key = words[byte // 8], keys[place // 8]
        for i in range(word.shape[0]):
            key[i] |= ((word[i] >> down) & _BYTE) << up


@compiled
def search_slots(
    keys: Array,
    ports: Array,
    rest: Array,
    window: Array,
    slots: Array,
    blocks: Array,
    more: Array,
    allowed: Array,
    classes: U,
    found: Array,
) -> U:
    """The least rank in one cut that matches each packet, where it is below what ``found`` holds already.

    A window of the packet's bits names a slot, the slot a run of blocks, and a
    block of one cache line holds two rows: values, cares, ranks, port ranges
    and the numbers of their sets of the other fields. No branch depends on
    whether a row matches, so that the processor need not guess.
    """
    from_ports_a, shift_a, mask_a = window[0], window[1], window[2]
    from_ports_b, shift_b, mask_b, up_b = window[3], window[4], window[5], window[6]
    waiting = np.empty(_BATCH, np.uint32)
    begin = np.empty(_BATCH, np.uint32)
    end = np.empty(_BATCH, np.uint32)
    first = keys[0]
    wide = keys.shape[0] > 1
    touched: Any = _ZERO
    for base in range(0, first.shape[0], _BATCH):
        count = _ZERO
        for i in range(base, min(base + _BATCH, first.shape[0])):
            key, both = first[i], U(ports[i])
            slot = ((both if from_ports_a else key) >> shift_a) & mask_a
            slot |= (((both if from_ports_b else key) >> shift_b) & mask_b) << up_b
            start, stop = slots[slot], slots[slot + _ONE]
            waiting[count], begin[count], end[count] = i, start, stop
            touched ^= blocks[U(start) * _EIGHT]
            count += U(start < stop)
        while count:
            left = _ZERO
            for j in range(count):
                at = U(waiting[U(j)])
                block, stop = U(begin[U(j)]), U(end[U(j)])
                o = block * _EIGHT
                key, both, other = first[at], U(ports[at]), U(rest[at])
                source, destination = both >> U(16), both & _PORT
                ranks, limits, second, sets = blocks[o + _FOUR], blocks[o + U(5)], blocks[o + U(6)], blocks[o + U(7)]
                one = (
                    (((key ^ blocks[o]) & blocks[o + _TWO]) == _ZERO)
                    & ((limits & _PORT) <= source)
                    & (source <= ((limits >> U(16)) & _PORT))
                    & (((limits >> U(32)) & _PORT) <= destination)
                    & (destination <= (limits >> U(48)))
                    & allowed[(sets & _LOW) * classes + other]
                )
                two = (
                    (((key ^ blocks[o + _ONE]) & blocks[o + U(3)]) == _ZERO)
                    & ((second & _PORT) <= source)
                    & (source <= ((second >> U(16)) & _PORT))
                    & (((second >> U(32)) & _PORT) <= destination)
                    & (destination <= (second >> U(48)))
                    & allowed[(sets >> U(32)) * classes + other]
                )
                if wide and (one or two):
                    for k in range(1, keys.shape[0]):
                        entry = (block * U(keys.shape[0] - 1) + U(k - 1)) * _FOUR
                        one &= ((keys[k, at] ^ more[entry]) & more[entry + _TWO]) == _ZERO
                        two &= ((keys[k, at] ^ more[entry + _ONE]) & more[entry + U(3)]) == _ZERO
                best = U(found[at])
                best = min(best, ranks >> U(32) if two else best)
                best = min(best, ranks & _LOW if one else best)
                found[at] = best
                block += _ONE
                waiting[left], begin[left], end[left] = at, block, stop
                left += U((not (one | two)) & (block < stop))
            count = left
    # The compiler would leave out what nobody can see.
    return U(touched)


@compiled
def search_words(
    keys: Array,
    masks: Array,
    source_ports: Array,
    source_classes: Array,
    destination_ports: Array,
    destination_classes: Array,
    rest: Array,
    bases: Array,
    bits: Array,
    words: U,
    ranks: Array,
    found: Array,
) -> None:
    """As :func:`search_bits` for one key, one or two words, and no symbols more: without a loop inside."""
    table = U(256) * words
    second = words - _ONE
    mask, source_mask, destination_mask = masks[0], masks[1], masks[2]
    for i in range(keys.shape[0]):
        key = keys[i] & mask
        o0 = (key & _BYTE) * words
        o1 = ((key >> U(8)) & _BYTE) * words + table
        o2 = ((key >> U(16)) & _BYTE) * words + table * _TWO
        o3 = ((key >> U(24)) & _BYTE) * words + table * U(3)
        o4 = ((key >> U(32)) & _BYTE) * words + table * _FOUR
        o5 = ((key >> U(40)) & _BYTE) * words + table * U(5)
        o6 = ((key >> U(48)) & _BYTE) * words + table * U(6)
        o7 = (key >> U(56)) * words + table * U(7)
        o8 = bases[0] + U(source_classes[U(source_ports[i]) & source_mask]) * words
        o9 = bases[1] + U(destination_classes[U(destination_ports[i]) & destination_mask]) * words
        oa = bases[2] + U(rest[i]) * words
        low = bits[o0] & bits[o1] & bits[o2] & bits[o3] & bits[o4] & bits[o5] & bits[o6] & bits[o7]
        low &= bits[o8] & bits[o9] & bits[oa]
        w = second
        high = bits[o0 + w] & bits[o1 + w] & bits[o2 + w] & bits[o3 + w] & bits[o4 + w] & bits[o5 + w]
        high &= bits[o6 + w] & bits[o7 + w] & bits[o8 + w] & bits[o9 + w] & bits[oa + w]
        if low | high:
            both = low if low else high
            found[i] = min(found[i], ranks[trailing_zeros(both) + (_ZERO if low else _WORD * w)])


@compiled
def search_bits(
    keys: Array,
    masks: Array,
    source_ports: Array,
    source_classes: Array,
    destination_ports: Array,
    destination_classes: Array,
    rest: Array,
    more: Array,
    bases: Array,
    bits: Array,
    words: U,
    step: U,
    ranks: Array,
    found: Array,
) -> None:
    """The least rank whose bit is set in the rows of all symbols, where it is below what ``found`` holds already.

    A symbol is a byte of a key, a class of ports, or a class of other fields;
    each selects a row of ``words`` words of the table ``bits``. ``masks`` clear
    the bytes that no rule looks at, so that their symbol is always 0.
    """
    table = U(256) * words
    others = (keys.shape[0] - 1) * 8
    extra = np.zeros(others + more.shape[0] + 1, np.uint64)
    extras = others + more.shape[0]
    source_mask, destination_mask = masks[keys.shape[0]], masks[keys.shape[0] + 1]
    first = keys[0]
    for i in range(first.shape[0]):
        key = first[i] & masks[0]
        o0 = (key & _BYTE) * words
        o1 = ((key >> U(8)) & _BYTE) * words + table
        o2 = ((key >> U(16)) & _BYTE) * words + table * _TWO
        o3 = ((key >> U(24)) & _BYTE) * words + table * U(3)
        o4 = ((key >> U(32)) & _BYTE) * words + table * _FOUR
        o5 = ((key >> U(40)) & _BYTE) * words + table * U(5)
        o6 = ((key >> U(48)) & _BYTE) * words + table * U(6)
        o7 = (key >> U(56)) * words + table * U(7)
        o8 = bases[0] + U(source_classes[U(source_ports[i]) & source_mask]) * words
        o9 = bases[1] + U(destination_classes[U(destination_ports[i]) & destination_mask]) * words
        oa = bases[2] + U(rest[i]) * words
        for k in range(1, keys.shape[0]):
            key = keys[k, i] & masks[k]
            for byte in range(8):
                extra[(k - 1) * 8 + byte] = ((key >> U(8 * byte)) & _BYTE) * words + table * U(k * 8 + byte)
        for m in range(more.shape[0]):
            extra[others + m] = bases[3 + m] + U(more[m, i]) * words
        best = found[i]
        word = _ZERO
        while word < words:
            if ranks[word * _WORD] >= best:
                break
            some = _ZERO
            for w in range(word, word + step):
                both = bits[o0 + w] & bits[o1 + w] & bits[o2 + w] & bits[o3 + w] & bits[o4 + w] & bits[o5 + w]
                some |= both & bits[o6 + w] & bits[o7 + w] & bits[o8 + w] & bits[o9 + w] & bits[oa + w]
            if some:
                stop = word + step
                for w in range(word, stop):
                    both = bits[o0 + w] & bits[o1 + w] & bits[o2 + w] & bits[o3 + w] & bits[o4 + w] & bits[o5 + w]
                    both &= bits[o6 + w] & bits[o7 + w] & bits[o8 + w] & bits[o9 + w] & bits[oa + w]
                    for m in range(extras):
                        both &= bits[extra[m] + w]
                    if both:
                        best = min(best, ranks[w * _WORD + trailing_zeros(both)])
                        word = words
                        break
            word += step
        found[i] = best
