"""Bit vectors: for each symbol of a packet the set of rules that it fits, as bits in the order of the rules.

The rules that match are the rows of all symbols ANDed, and the first bit is
the one that decides (Lakshman and Stiliadis, "High-Speed Policy-based Packet
Forwarding", SIGCOMM 1998). Symbols of addresses are their bytes, which holds odd
masks exactly; ranges are told by equivalence classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from compiler.addresses import AddressSet
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.match import Match
from compiler.simulator.classify.classes import AddressClasses, FieldClasses, field_classes
from compiler.simulator.classify.columns import Column, PacketColumns
from compiler.simulator.classify.keys import KeyLayout, Pieces, address_pieces, key_layout, pack_pieces
from compiler.simulator.classify.rest import RestClasses

__all__ = ["NO_RANK", "BitTables", "make_bits"]

NO_RANK = (1 << 31) - 1
"""The rank of no rule."""

_FEW = 4
"""Pieces of an address set that are bits of their own; a set of more ranges is told by a class instead."""
_MOST_BITS = 4096
"""Bits of one rule."""
_ALL = np.uint64((1 << 64) - 1)


class BitTables(NamedTuple):
    """What :func:`kernels.search_bits` and the numpy engine search.

    ``bits`` holds the rows of all symbols, ``words`` words each: first the
    bytes of the keys (lowest first), then from ``bases`` on those of source
    ports, destination ports, the rest, and ``more``. ``ranks`` are the ranks
    of the rules by bit, ascending, NO_RANK behind the last.
    """

    layout: KeyLayout
    masks: Column
    source_ports: FieldClasses
    destination_ports: FieldClasses
    rest: RestClasses
    more: tuple[FieldClasses | AddressClasses, ...]
    bases: Column
    bits: Column
    words: int
    step: int
    ranks: Column

    def more_of(self, packets: PacketColumns) -> Column:
        """The further symbols of packets: symbols by packets (uint32)."""
        symbols = np.empty((len(self.more), packets.size), dtype=np.uint32)
        for row, source in zip(symbols, self.more, strict=True):
            row[:] = source.of(packets)
        return symbols


def make_bits(matches: Sequence[Match], family: Family, rest: RestClasses, chosen: Column) -> BitTables:
    """The tables of the rules numbered in ``chosen`` (ascending) out of ``matches``.

    Raises UsageError for a rule whose address sets are thousands of odd wildcards.
    """
    rules = [matches[rank] for rank in chosen.tolist()]
    rows = _rows(rules, family)
    layout = key_layout(family, rows.pieces)
    words = max(-(-len(rows.rule) // 64), 1)
    step = words if words <= 4 else 4 if words <= 24 else 16
    words = -(-words // step) * step
    ports = [
        field_classes(name, [getattr(rule, name) for rule in rules]) for name in ("source_port", "destination_port")
    ]
    values, cares = layout.keys(rows.pieces.values), layout.keys(rows.pieces.cares)
    tables = [_byte_table(values[place // 8], cares[place // 8], place % 8, words) for place in range(8 * layout.size)]
    tables += [_packed(field.held[:, field.number[rows.rule]], words) for field in ports]
    tables.append(_packed(rest.allowed.T[:, rest.number[chosen[rows.rule]]], words))
    more: list[FieldClasses | AddressClasses] = []
    for field in rest.others:
        more.append(field)
        tables.append(_packed(field.held[:, field.number[chosen[rows.rule]]], words))
    for name, sets in (("source", rows.source_ranges), ("destination", rows.destination_ranges)):
        if any(one is not None for one in sets):
            classes = AddressClasses(name, sets, family.width)
            more.append(classes)
            tables.append(_packed(classes.held[:, classes.number], words))
    bases = np.cumsum([0, *(table.size for table in tables)], dtype=np.uint64)[8 * layout.size : -1]
    ranks = np.full(words * 64 + 64, NO_RANK, dtype=np.int32)
    ranks[: len(rows.rule)] = chosen[rows.rule]
    masks = np.concatenate([_masks(cares), [_ALL if field.constrained else np.uint64(0) for field in ports]])
    bits = np.concatenate([table.ravel() for table in tables])
    return BitTables(layout, masks, ports[0], ports[1], rest, tuple(more), bases, bits, words, step, ranks)


class _Rows(NamedTuple):
    """One row for each bit: its rule, its address bytes, and the ranges that a class has to tell."""

    rule: Column
    pieces: Pieces
    source_ranges: list[AddressSet | None]
    destination_ranges: list[AddressSet | None]


def _rows(rules: Sequence[Match], family: Family) -> _Rows:
    numbers: list[int] = []
    sides: tuple[list[_Part], list[_Part]] = ([], [])
    for number, rule in enumerate(rules):
        sources, destinations = _parts(rule.source, family.width), _parts(rule.destination, family.width)
        if len(sources) * len(destinations) > _MOST_BITS:
            raise UsageError(f"a rule with {len(sources):,} by {len(destinations):,} odd wildcards is too wide")
        for source in sources:
            for destination in destinations:
                numbers.append(number)
                sides[0].append(source)
                sides[1].append(destination)
    pieces = pack_pieces([part.piece for part in sides[0]], [part.piece for part in sides[1]], family.width)
    ranges = ([part.ranges for part in side] for side in sides)
    return _Rows(np.array(numbers, dtype=np.int64), pieces, *ranges)


class _Part(NamedTuple):
    piece: tuple[int, int]
    ranges: AddressSet | None = None


def _parts(addresses: AddressSet | None, width: int) -> list[_Part]:
    pieces = address_pieces(addresses, width, _FEW)
    if pieces is not None:
        return [_Part(piece) for piece in pieces]
    assert addresses is not None
    ones = (1 << width) - 1
    found = [_Part((wildcard.value, ones ^ wildcard.mask)) for wildcard in addresses.wildcards]
    if addresses.ranges:
        found.append(_Part((0, 0), AddressSet(width, addresses.ranges)))
    return found


def _byte_table(value: Column, care: Column, byte: int, words: int) -> Column:
    shift = np.uint64(8 * byte)
    wanted = (value >> shift & np.uint64(255)).astype(np.uint8)
    asked = (care >> shift & np.uint64(255)).astype(np.uint8)
    every = np.arange(256, dtype=np.uint8)[:, np.newaxis]
    return _packed((every ^ wanted) & asked == 0, words)


def _packed(held: Column, words: int) -> Column:
    """Flags (values by rows) as rows of 64-bit words, the first row in the lowest bit."""
    packed = np.packbits(held, axis=1, bitorder="little")
    whole = np.zeros((len(held), 8 * words), dtype=np.uint8)
    whole[:, : packed.shape[1]] = packed
    return whole.view("<u8").astype(np.uint64, copy=False)


def _masks(cares: Column) -> Column:
    """For each key the bytes that any row looks at, as ones."""
    masks = []
    for care in cares:
        looked = int(np.bitwise_or.reduce(care)) if len(care) else 0
        masks.append(sum(255 << shift for shift in range(0, 64, 8) if looked >> shift & 255))
    return np.array(masks, dtype=np.uint64)
