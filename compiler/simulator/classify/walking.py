"""The chain of records in a capture file, compiled: each length tells where the next record begins."""

from __future__ import annotations

from compiler.simulator.capture_window import Chain
from compiler.simulator.classify.kernels import Array, compiled

__all__ = ["walk_compiled"]


@compiled
def walk_compiled(data: Array, position: int, chain: Chain, starts: Array) -> tuple[int, int]:
    """``capture_window.walk_chain``, compiled."""
    first, count = position, 0
    while position + chain.least <= data.shape[0]:
        kind, length = 0, 0
        for place in range(4):
            shift = 8 * (3 - place) if chain.is_big else 8 * place
            kind |= int(data[position + place]) << shift
            length |= int(data[position + chain.place + place]) << shift
        length += chain.beside
        if position + length > data.shape[0] or length < chain.least or length % chain.unit:
            break
        if kind == chain.halt and position != first:
            break
        starts[count] = position
        count += 1
        position += length
    return count, position
