"""Address bytes packed into 64-bit keys, most telling first; and the pieces of address sets as value and care.

A piece holds the addresses that agree with ``value`` where ``care`` has a 1
(the other sense than Cisco's mask): a prefix, or an odd wildcard as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from compiler.addresses import AddressSet
from compiler.fields import Family
from compiler.simulator.classify.columns import Column, PacketColumns

__all__ = ["KeyLayout", "Pieces", "address_pieces", "key_layout", "pack_pieces", "range_pieces"]

Piece = tuple[int, int]


def range_pieces(low: int, high: int, width: int) -> Iterator[Piece]:
    """The least set of prefixes that covers one range, ascending (RFC 4632 aggregation)."""
    ones = (1 << width) - 1
    while low <= high:
        aligned = (low & -low).bit_length() - 1 if low else width
        bits = min(aligned, (high - low + 1).bit_length() - 1)
        yield low, ones ^ ((1 << bits) - 1)
        low += 1 << bits


def address_pieces(addresses: AddressSet | None, width: int, limit: int) -> list[Piece] | None:
    """The set as pieces, or None when it needs more than ``limit`` of them. A free field is one piece."""
    if addresses is None:
        return [(0, 0)]
    ones = (1 << width) - 1
    found = [(wildcard.value, ones ^ wildcard.mask) for wildcard in addresses.wildcards]
    if len(found) + len(addresses.ranges) > limit:
        return None
    for low, high in addresses.ranges:
        found.extend(range_pieces(low, high, width))
        if len(found) > limit:
            return None
    return found


class Pieces(NamedTuple):
    """Address bytes of many rows: source then destination in network order; both arrays are rows by bytes."""

    values: Column
    cares: Column


def pack_pieces(sources: Sequence[Piece], destinations: Sequence[Piece], width: int) -> Pieces:
    """Rows as bytes, one source and one destination piece for each."""
    size = width // 8
    halves = []
    for which in (0, 1):
        joined = b"".join(
            source[which].to_bytes(size, "big") + destination[which].to_bytes(size, "big")
            for source, destination in zip(sources, destinations, strict=True)
        )
        halves.append(np.frombuffer(joined, dtype=np.uint8).reshape(-1, 2 * size))
    return Pieces(*halves)


class KeyLayout(NamedTuple):
    """Which address bytes the keys are made of; eight to a key, the first one highest.

    ``order`` numbers the bytes of source and destination in network order.
    """

    family: Family
    order: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many keys."""
        return max(-(-len(self.order) // 8), 1)

    def keys(self, bytes_of_rows: Column) -> Column:
        """Rows by address bytes as keys: an array of keys by rows (uint64)."""
        chosen = np.zeros((len(bytes_of_rows), 8 * self.size), dtype=np.uint8)
        chosen[:, : len(self.order)] = bytes_of_rows[:, list(self.order)]
        return np.ascontiguousarray(chosen.view(">u8").astype(np.uint64).T)

    def of(self, packets: PacketColumns) -> Column:
        """The keys of packets: an array of keys by packets (uint64)."""
        if self.family is Family.IPV4:
            joined = packets.source[0].astype(np.uint64)
            joined <<= np.uint64(32)
            joined |= packets.destination[0]
            return joined[np.newaxis]
        words = (*packets.source, *packets.destination)
        keys = np.zeros((self.size, packets.size), dtype=np.uint64)
        for place, byte in enumerate(self.order):
            column = words[byte // 8] >> np.uint64(56 - 8 * (byte % 8)) & np.uint64(255)
            keys[place // 8] |= column << np.uint64(56 - 8 * (place % 8))
        return keys


def key_layout(family: Family, rows: Pieces) -> KeyLayout:
    """All bytes for IPv4; for IPv6 those that any row looks at, in the first key the eight that tell most."""
    if family is Family.IPV4:
        return KeyLayout(family, tuple(range(8)))
    looked_at = np.flatnonzero(rows.cares.any(axis=0)) if len(rows.cares) else np.zeros(0, dtype=np.int64)
    worth = {int(byte): _telling(rows.values[:, byte], rows.cares[:, byte]) for byte in looked_at}
    first = sorted(sorted(worth, key=lambda byte: -worth[byte])[:8])
    return KeyLayout(family, (*first, *(byte for byte in worth if byte not in first)))


def _telling(values: Column, cares: Column) -> float:
    """Bits of information in one byte of the rows: the entropy of its values, less where rows do not care."""
    counts = np.bincount(values)
    share = counts[counts > 0] / len(values)
    entropy = float(-(share * np.log2(share)).sum())
    return (entropy + 0.01) * float(np.bitwise_count(cares).mean()) / 8
