"""Random packets inside the rows of a list, and which other rows they meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from compiler.analysis.shadowing.packed import PackedMatches

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from compiler.analysis.shadowing.rows import Row

__all__ = ["Evidence", "sample_rows"]

Evidence = tuple[int, ...]
"""For one packet that reaches a row: the later rows, ascending, that it would meet without it."""

_PAIRS = 1 << 20
_KEPT = 3


def sample_rows(
    rows: Sequence[Row],
    packed: PackedMatches,
    meeting: Callable[[int], npt.NDArray[np.intp]],
    wanted: Sequence[int],
    tries: int,
) -> Iterator[tuple[int, list[Evidence]]]:
    """For each wanted row that one of ``tries`` packets reached: the row and its evidence.

    ``meeting`` names the rows that may overlap one. The seed is fixed: the same list gives the same report.
    """
    import numpy as np

    if not wanted:
        return
    items = np.array([row.item for row in rows])
    takes = np.array([row.decides for row in rows], dtype=bool)
    meets = np.array([not row.silent for row in rows], dtype=bool)
    generator = np.random.default_rng(tries)
    block: list[int] = []
    met: list[npt.NDArray[np.intp]] = []
    pairs = 0
    for position in wanted:
        others = meeting(position)
        others = others[(items[others] != items[position]) & np.where(others < position, takes[others], meets[others])]
        block.append(position)
        met.append(others)
        pairs += len(others) * tries
        if pairs > _PAIRS:
            yield from _block(packed, block, met, tries, generator)
            block, met, pairs = [], [], 0
    if block:
        yield from _block(packed, block, met, tries, generator)


def _block(
    packed: PackedMatches,
    block: list[int],
    met: list[npt.NDArray[np.intp]],
    tries: int,
    generator: np.random.Generator,
) -> Iterator[tuple[int, list[Evidence]]]:
    import numpy as np

    positions = np.array(block)
    packets = packed.draw(np.repeat(positions, tries), generator)
    lengths = np.array([len(others) for others in met])
    # All pairs of a packet and a row that overlaps the packet's own row, packet by packet.
    owner = np.repeat(np.arange(len(block)), tries)
    starts = np.cumsum([0, *lengths])[:-1]
    joined = np.concatenate(met)
    sizes = lengths[owner]
    packet = np.repeat(np.arange(len(owner)), sizes)
    within = np.arange(len(packet)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    other = joined[starts[owner[packet]] + within]
    held = np.flatnonzero(packed.contain(other, packets, packet))
    packet, other = packet[held], other[held]
    taken = np.zeros(len(owner), dtype=bool)
    taken[packet[other < positions[owner[packet]]]] = True
    edges = np.searchsorted(packet, np.arange(len(owner) + 1)).tolist()
    later = other.tolist()
    for place in np.flatnonzero(~taken.reshape(len(block), tries).all(axis=1)).tolist():
        free = np.flatnonzero(~taken[place * tries : (place + 1) * tries])[:_KEPT].tolist()
        chosen = [place * tries + attempt for attempt in free]
        yield block[place], [tuple(later[edges[one] : edges[one + 1]]) for one in chosen]
