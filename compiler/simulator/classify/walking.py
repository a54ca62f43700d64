"""The chain of records in a pcap file, compiled: each length tells where the next record begins."""

from __future__ import annotations

from compiler.simulator.classify.kernels import Array, compiled

__all__ = ["walk_records"]


@compiled
def walk_records(data: Array, big: bool, table: Array) -> tuple[int, int]:
    """Fill ``table`` (begin, length, seconds by record); returns how many records, and where the walk stopped."""
    position, count = 24, 0
    while position + 16 <= data.shape[0]:
        seconds, length = 0, 0
        for place in range(4):
            shift = 8 * (3 - place) if big else 8 * place
            seconds |= int(data[position + place]) << shift
            length |= int(data[position + 8 + place]) << shift
        if position + 16 + length > data.shape[0]:
            break
        table[0, count], table[1, count], table[2, count] = position + 16, length, seconds
        count += 1
        position += 16 + length
    return count, position
