"""The engines that search one flat list, and which of them a list gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, Protocol

import numpy as np

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.match import ANY, Match
from compiler.simulator.classify.bits import NO_RANK, BitTables, make_bits
from compiler.simulator.classify.columns import Column, PacketColumns, owned
from compiler.simulator.classify.cuts import Cut, bit_cost, cut_rows, cuts
from compiler.simulator.classify.keys import KeyLayout
from compiler.simulator.classify.rest import RestClasses, rest_classes
from compiler.simulator.machine_code import has_numba

__all__ = ["ENGINES", "Engine", "EngineName", "make_engine"]

EngineName = Literal["auto", "cuts", "bits", "numpy"]
ENGINES: tuple[EngineName, ...] = ("auto", "cuts", "bits", "numpy")
_FEW = 64
"""Rules that one word holds: no cut is faster."""


class Engine(Protocol):
    """A searcher of one list."""

    name: str
    why: str
    """Why the list got it, and what it is made of."""

    def search(self, packets: PacketColumns, outcomes: Column) -> Column:
        """The outcome of the first rule that matches each packet (int32).

        ``outcomes`` are those of the rules by rank, and behind the last that of no rule.
        """
        ...


def make_engine(matches: Sequence[Match], family: Family, wanted: EngineName = "auto") -> Engine:
    """The engine for the rules, in their order.

    Raises UsageError when a compiled engine is asked for and numba is absent.
    """
    if wanted in ("cuts", "bits") and not has_numba():
        raise UsageError(f"the engine {wanted!r} needs numba, which is not installed (extra 'speed')")
    if not matches or matches[0] == ANY:
        return FirstRule(0 if matches else NO_RANK)
    rest = rest_classes(matches)
    everything = np.arange(len(matches))
    if wanted == "numpy" or not has_numba():
        why = "as asked" if wanted == "numpy" else "numba is not installed"
        return NumpyBits(make_bits(matches, family, rest, everything), why)
    if wanted == "bits":
        return CompiledBits(make_bits(matches, family, rest, everything), "as asked")
    if wanted == "auto" and len(matches) <= _FEW:
        few = make_bits(matches, family, rest, everything)
        if few.words == 1 and few.layout.size == 1 and not few.more:
            return CompiledBits(few, f"{len(matches)} rules are few")
    rows = cut_rows(matches, family, rest.beyond())
    made, left = cuts(rows, rest)
    chosen = np.flatnonzero(left)
    cost = sum(cut.cost for cut in made) + bit_cost(len(chosen))
    if not made and wanted == "auto":
        return CompiledBits(
            make_bits(matches, family, rest, everything), "no window of bits tells enough of the rules apart"
        )
    tables = make_bits(matches, family, rest, chosen) if len(chosen) else None
    held = " and ".join(f"{len(cut.ranks):,}" for cut in made)
    parts = [f"{len(made)} cut{'' if len(made) == 1 else 's'} with {held or 'no'} of {len(matches):,} rules"]
    if tables is not None:
        parts.append(f"a bit vector of {len(chosen):,}")
    why = f"{', '.join(parts)}: about {cost:.0f} ns a packet, where bit vectors alone need {bit_cost(len(matches)):.0f}"
    return Cuts(rows.layout, rest, made, tables, "as asked" if wanted == "cuts" else why)


class FirstRule:
    """One rule that holds every packet, or none at all."""

    name = "none"
    why = "the first rule decides all"

    def __init__(self, rank: int) -> None:
        self._rank = rank

    def search(self, packets: PacketColumns, outcomes: Column) -> Column:
        """The same for all."""
        return np.full(packets.size, outcomes[min(self._rank, len(outcomes) - 1)], dtype=np.int32)


class NumpyBits:
    """Bit vectors in numpy alone: block after block of words, each for the packets still undecided."""

    name = "numpy"
    _PACKETS = 8192
    _WORDS = 16

    def __init__(self, tables: BitTables, why: str) -> None:
        self._tables = tables
        self.why = why
        rows = tables.bits.reshape(-1, tables.words)
        ends = [*(tables.bases // np.uint64(tables.words)).tolist(), len(rows)]
        self._bytes = [
            (key, shift, rows[256 * (8 * key + shift // 8) :][:256])
            for key in range(tables.layout.size)
            for shift in range(0, 64, 8)
            if int(tables.masks[key]) >> shift & 255
        ]
        self._classes = [rows[start:end] for start, end in pairwise(ends)]

    def search(self, packets: PacketColumns, outcomes: Column) -> Column:
        """In pieces that stay in the cache."""
        found = np.empty(packets.size, dtype=np.int32)
        for start in range(0, packets.size, self._PACKETS):
            piece = slice(start, start + self._PACKETS)
            found[piece] = outcomes.take(self._piece(packets.take(piece)), mode="clip")
        return found

    def _piece(self, packets: PacketColumns) -> Column:
        tables = self._tables
        keys = tables.layout.of(packets)
        symbols = [
            (table, (keys[key] >> np.uint64(shift) & np.uint64(255)).astype(np.intp))
            for key, shift, table in self._bytes
        ]
        classes = (tables.source_ports.of(packets), tables.destination_ports.of(packets), tables.rest.of(packets))
        symbols += [
            (table, values.astype(np.intp))
            for table, values in zip(self._classes, (*classes, *tables.more_of(packets)), strict=True)
            if len(table) > 1
        ]
        found = np.full(packets.size, NO_RANK, dtype=np.int32)
        waiting = np.arange(packets.size)
        for first in range(0, tables.words, self._WORDS):
            words = slice(first, first + self._WORDS)
            held = np.full((len(waiting), min(self._WORDS, tables.words - first)), ~np.uint64(0))
            for table, values in symbols:
                held &= table[:, words][values]
            some = held != 0
            hit = some.any(axis=1)
            word = some[hit].argmax(axis=1)
            bits = held[hit, word]
            lowest = np.bitwise_count((bits & (~bits + np.uint64(1))) - np.uint64(1))
            found[waiting[hit]] = tables.ranks[(first + word) * 64 + lowest]
            miss = ~hit
            waiting = waiting[miss]
            if not len(waiting):
                break
            symbols = [(table, values[miss]) for table, values in symbols]
        return found


class CompiledBits:
    """Bit vectors, compiled."""

    name = "bits"

    def __init__(self, tables: BitTables, why: str) -> None:
        words = f"{tables.words} word{'' if tables.words == 1 else 's'}"
        self.why = f"a bit vector of {words}: {why}"
        self._tables = tables

    def search(self, packets: PacketColumns, outcomes: Column) -> Column:
        """In pieces that stay in the cache."""
        return _in_pieces(packets, outcomes, self._tables.layout, self._tables.rest, self._piece)

    def _piece(self, packets: PacketColumns, prepared: _Prepared) -> None:
        _search_bits(self._tables, packets, prepared)


class Cuts:
    """Cuts one after another, then a bit vector of what none of them holds."""

    name = "cuts"

    def __init__(
        self, layout: KeyLayout, rest: RestClasses, made: Sequence[Cut], tables: BitTables | None, why: str
    ) -> None:
        self.why = why
        self._layout = layout
        self._rest = rest
        self._cuts = [(cut.window.as_numbers(), cut.slots, cut.blocks, cut.more) for cut in made]
        self._allowed = np.ascontiguousarray(rest.allowed).ravel()
        self._classes = np.uint64(rest.allowed.shape[1])
        self._tables = tables

    def search(self, packets: PacketColumns, outcomes: Column) -> Column:
        """In pieces that stay in the cache."""
        return _in_pieces(packets, outcomes, self._layout, self._rest, self._piece)

    def _piece(self, packets: PacketColumns, prepared: _Prepared) -> None:
        from compiler.simulator.classify import kernels

        keys, ports, rest, found = prepared
        for cut in self._cuts:
            kernels.search_slots(keys, ports, rest, *cut, self._allowed, self._classes, found)
        if self._tables is not None:
            if self._tables.layout != self._layout:
                prepared = prepared._replace(keys=_wide_keys(self._tables.layout, packets))
            _search_bits(self._tables, packets, prepared)


_PIECE = 1 << 15
"""Packets searched at a time: what passes leave for each other stays in the caches."""


class _Prepared(NamedTuple):
    """Some packets as the kernels read them, and the ranks found."""

    keys: Column
    ports: Column
    rest: Column
    found: Column


def _in_pieces(
    packets: PacketColumns,
    outcomes: Column,
    layout: KeyLayout,
    rest: RestClasses,
    search: Callable[[PacketColumns, _Prepared], None],
) -> Column:
    from compiler.simulator.classify import kernels

    result = np.empty(packets.size, dtype=np.int32)
    for start in range(0, packets.size, _PIECE):
        piece = slice(start, start + _PIECE)
        some = packets.take(piece)
        prepared = _prepared(some, layout, rest)
        search(some, prepared)
        kernels.outcomes_of(prepared.found, outcomes, result[piece])
    return result


_NOTHING = np.zeros(256, dtype=np.uint16)


def _prepared(packets: PacketColumns, layout: KeyLayout, rest: RestClasses) -> _Prepared:
    from compiler.simulator.classify import kernels

    ports = np.empty(packets.size, dtype=np.uint32)
    sides = owned(packets.source_port), owned(packets.destination_port)
    if layout.family is Family.IPV6:
        kernels.join_ports(*sides, ports)
        joint = rest.add_compiled(packets, np.zeros(packets.size, dtype=np.uint16), 0)
        found = np.full(packets.size, NO_RANK, dtype=np.int32)
        return _Prepared(_wide_keys(layout, packets), ports, joint, found)
    keys, joint = np.empty((1, packets.size), dtype=np.uint64), np.empty(packets.size, dtype=np.uint16)
    found = np.empty(packets.size, dtype=np.int32)
    # The protocol is the first field of nearly every list: one pass does it with the rest.
    first = rest.fields[:1] if rest.fields and rest.fields[0].name == "protocol" else ()
    table = first[0].table if first else _NOTHING
    addresses = owned(packets.source[0]), owned(packets.destination[0])
    kernels.prepare(*addresses, *sides, owned(packets.protocol), table, keys[0], ports, joint, found)
    return _Prepared(keys, ports, rest.add_compiled(packets, joint, len(first)), found)


def _wide_keys(layout: KeyLayout, packets: PacketColumns) -> Column:
    from compiler.simulator.classify import kernels

    keys = np.zeros((layout.size, packets.size), dtype=np.uint64)
    words = np.stack((*packets.source, *packets.destination))
    kernels.take_bytes(words, np.array(layout.order, dtype=np.int64), keys)
    return keys


def _search_bits(tables: BitTables, packets: PacketColumns, prepared: _Prepared) -> None:
    from compiler.simulator.classify import kernels

    sides = (
        owned(packets.source_port),
        tables.source_ports.table,
        owned(packets.destination_port),
        tables.destination_ports.table,
    )
    words, found = np.uint64(tables.words), prepared.found
    if tables.words <= 2 and len(prepared.keys) == 1 and not tables.more:
        keys, rows = prepared.keys[0], (tables.bases, tables.bits)
        kernels.search_words(keys, tables.masks, *sides, prepared.rest, *rows, words, tables.ranks, found)
        return
    symbols = (prepared.rest, tables.more_of(packets), tables.bases, tables.bits)
    kernels.search_bits(
        prepared.keys, tables.masks, *sides, *symbols, words, np.uint64(tables.step), tables.ranks, found
    )
