"""Cuts: a window of a packet's bits names a slot, and a slot holds the few rules that packets with these bits may meet.

After "CutSplit" (Li et al., INFOCOM 2018) and the bit-cutting trees: rules
that are narrow in one window share a table of their own, so that nothing is
repeated often, and what is left is cut by another window. Windows are bits of
addresses and ports, so that odd masks are cut as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match
from compiler.simulator.classify.bits import NO_RANK
from compiler.simulator.classify.columns import Column
from compiler.simulator.classify.keys import KeyLayout, address_pieces, key_layout, pack_pieces
from compiler.simulator.classify.rest import RestClasses

__all__ = ["Cut", "CutRows", "Window", "bit_cost", "cut_rows", "cuts"]

_FULL_PORTS = IntegerSet.range(0, 65535)
_MOST_ROWS = 64
"""Rows of one rule: products of prefixes, wildcards and port ranges."""
_LIMITS = (4, 6, 8)
"""Free bits of a rule inside a window: it stands in 2 to the power of that many slots."""
_RULES, _POINTS = 1500, 48
"""Rules and points that windows are compared by."""
_ALL = (1 << 64) - 1


class Window(NamedTuple):
    """Bits of the packet that name a slot: two runs of bits, each of the first key or of the ports.

    Ports are ``source << 16 | destination``. A run of no bits is nothing.
    """

    from_ports_a: bool
    shift_a: int
    bits_a: int
    from_ports_b: bool = False
    shift_b: int = 0
    bits_b: int = 0

    @property
    def bits(self) -> int:
        """Bits in all."""
        return self.bits_a + self.bits_b

    def of(self, keys: Column, ports: Column) -> Column:
        """The window's bits of each row (uint16)."""
        slot = (ports if self.from_ports_a else keys) >> np.uint64(self.shift_a) & np.uint64((1 << self.bits_a) - 1)
        if self.bits_b:
            upper = (ports if self.from_ports_b else keys) >> np.uint64(self.shift_b)
            slot = slot | (upper & np.uint64((1 << self.bits_b) - 1)) << np.uint64(self.bits_a)
        return slot.astype(np.uint16)

    def as_numbers(self) -> Column:
        """As the kernel reads it."""
        a = (self.from_ports_a, self.shift_a, (1 << self.bits_a) - 1)
        b = (self.from_ports_b, self.shift_b, (1 << self.bits_b) - 1, self.bits_a)
        return np.array([*a, *b], dtype=np.uint64)


class CutRows(NamedTuple):
    """Rules as rows that a block can hold. ``limits`` are the ends of both port ranges, 16 bits each.

    ``ports`` and ``port_cares`` are what all ports of the row share, as value and
    care. ``whole`` flags the rules that are rows in full.
    """

    layout: KeyLayout
    rank: Column
    values: Column
    cares: Column
    ports: Column
    port_cares: Column
    limits: Column
    whole: Column


class Cut(NamedTuple):
    """One table: the rules of ``ranks`` by slot. ``cost`` is what a packet is expected to need, in ns."""

    window: Window
    slots: Column
    blocks: Column
    more: Column
    ranks: Column
    cost: float


def cut_rows(matches: Sequence[Match], family: Family, beyond: Column) -> CutRows:
    """The rows of all rules but those flagged in ``beyond`` and those that are too many rows."""
    ranks: list[int] = []
    sources: list[tuple[int, int]] = []
    destinations: list[tuple[int, int]] = []
    limits: list[int] = []
    whole = np.zeros(len(matches), dtype=bool)
    for rank, match in enumerate(matches):
        if beyond[rank]:
            continue
        mine = address_pieces(match.source, family.width, _MOST_ROWS)
        theirs = address_pieces(match.destination, family.width, _MOST_ROWS)
        ports = [(port or _FULL_PORTS).intervals for port in (match.source_port, match.destination_port)]
        if mine is None or theirs is None or len(mine) * len(theirs) * len(ports[0]) * len(ports[1]) > _MOST_ROWS:
            continue
        whole[rank] = True
        for low, high in ports[0]:
            for first, last in ports[1]:
                packed = low | high << 16 | first << 32 | last << 48
                for source in mine:
                    for destination in theirs:
                        ranks.append(rank)
                        sources.append(source)
                        destinations.append(destination)
                        limits.append(packed)
    pieces = pack_pieces(sources, destinations, family.width)
    layout = key_layout(family, pieces)
    packed_limits = np.array(limits, dtype=np.uint64)
    value, care = _shared_ports(packed_limits)
    values, cares = layout.keys(pieces.values), layout.keys(pieces.cares)
    return CutRows(layout, np.array(ranks, dtype=np.int64), values, cares, value, care, packed_limits, whole)


def _shared_ports(limits: Column) -> tuple[Column, Column]:
    """The leading bits that both ends of each range share: all members have them."""
    value, care = np.zeros_like(limits), np.zeros_like(limits)
    for shift, up in ((0, 16), (32, 0)):
        low, high = limits >> np.uint64(shift) & np.uint64(0xFFFF), limits >> np.uint64(shift + 16) & np.uint64(0xFFFF)
        free = low ^ high
        for spread in (1, 2, 4, 8):
            free |= free >> np.uint64(spread)
        shared = ~free & np.uint64(0xFFFF)
        value |= (low & shared) << np.uint64(up)
        care |= shared << np.uint64(up)
    return value, care


def cuts(rows: CutRows, rest: RestClasses, seed: int = 1) -> tuple[list[Cut], Column]:
    """Cuts one after another while they pay, and flags of the rules that none of them holds."""
    left = rows.whole.copy()
    made: list[Cut] = []
    generator = np.random.default_rng(seed)
    while left.any() and len(made) < 4:
        chosen = _choose(rows, left, generator)
        if chosen is None:
            break
        window, taken, cost = chosen
        made.append(_table(rows, rest, window, np.flatnonzero(taken[rows.rank]), cost))
        left &= ~taken
    return made, ~rows.whole | left


def _windows(bits: int, cares: Column, port_cares: Column) -> Iterator[Window]:
    """Runs of one source, and pairs of runs; only where some row looks at the bits."""
    looked = int(np.bitwise_or.reduce(cares)) if len(cares) else 0
    looked_ports = int(np.bitwise_or.reduce(port_cares)) if len(cares) else 0
    sides = [(False, 0, 32, looked), (False, 32, 32, looked), (True, 0, 16, looked_ports), (True, 16, 16, looked_ports)]

    def runs(side: tuple[bool, int, int, int], wanted: int, stride: int) -> Iterator[tuple[bool, int, int]]:
        ports, base, size, seen = side
        wanted = min(wanted, size)
        for shift in range(0, size - wanted + 1, stride):
            if seen >> (base + shift) & (1 << wanted) - 1:
                yield ports, base + shift, wanted

    for side in sides:
        for run in runs(side, bits, 2):
            yield Window(*run)
    for position, side in enumerate(sides):
        for other in sides[position + 1 :]:
            for share in {bits // 4, bits // 2, bits - bits // 4}:
                for run in runs(side, share, 4):
                    for second in runs(other, bits - share, 4):
                        yield Window(*run, *second)


class _Sample(NamedTuple):
    """Some of the rules that are left, and points inside some of their rows: enough to compare windows by."""

    rank: Column
    begin: Column
    keys: Column
    cares: Column
    ports: Column
    port_cares: Column
    points: Column
    port_points: Column
    own: Column
    scale: float


def _sample(rows: CutRows, left: Column, generator: np.random.Generator) -> _Sample:
    ranks = np.flatnonzero(left)
    scale = max(len(ranks) / _RULES, 1.0)
    flags = np.zeros(len(left), dtype=bool)
    flags[generator.permutation(ranks)[:_RULES]] = True
    here = np.flatnonzero(flags[rows.rank])
    keys, cares, ports, port_cares = rows.values[0][here], rows.cares[0][here], rows.ports[here], rows.port_cares[here]
    own = generator.integers(0, len(here), _POINTS)
    points = keys[own] | generator.integers(0, _ALL, _POINTS, np.uint64, endpoint=True) & ~cares[own]
    port_points = ports[own] | generator.integers(0, 1 << 32, _POINTS, np.uint64) & ~port_cares[own]
    rank = rows.rank[here]
    begin = np.flatnonzero(np.diff(rank, prepend=-1))
    return _Sample(rank, begin, keys, cares, ports, port_cares, points, port_points, own, scale)


def _choose(rows: CutRows, left: Column, generator: np.random.Generator) -> tuple[Window, Column, float] | None:
    """The window that costs packets least, with the rules it takes; None where a bit vector is as good."""
    count = int(left.sum())
    bits = min(16, max(6, math.ceil(math.log2(count + 1)) + 2))
    sample = _sample(rows, left, generator)
    best: tuple[float, Window, int, float] | None = None
    for window in _windows(bits, sample.cares, sample.port_cares):
        for limit, share, cost in _costs(window, sample):
            total = cost + _later_cost(round(count * (1 - share)))
            if best is None or total < best[0]:
                best = total, window, limit, cost
    if best is None or best[0] >= bit_cost(count):
        return None
    _, window, limit, cost = best
    wide = _free(window, rows.cares[0], rows.port_cares) > limit
    taken = left.copy()
    taken[rows.rank[wide]] = False
    return window, taken, cost


def _costs(window: Window, sample: _Sample) -> Iterator[tuple[int, float, float]]:
    """For each limit of free bits: the share of rules within it, and what their cut costs a packet, in ns."""
    care = window.of(sample.cares, sample.port_cares)
    free = _free(window, sample.cares, sample.port_cares)
    # A rule stands in one cut in full, so that its widest row counts.
    widest = np.maximum.reduceat(free, sample.begin)
    sizes = np.diff(sample.begin, append=len(free))
    meets = (
        window.of(sample.points, sample.port_points)[:, np.newaxis] ^ window.of(sample.keys, sample.ports)
    ) & care == 0
    meets[np.arange(_POINTS), sample.own] = False
    before = -1.0
    for limit in _LIMITS:
        taken = widest <= limit
        share = float(taken.mean())
        if share == before or share < 0.25:
            continue
        before = share
        mine = np.repeat(taken, sizes)
        entries = float((1 << free[mine]).sum()) * sample.scale
        if entries > 65536 + 4 * len(free) * sample.scale:
            return
        met = meets[:, mine].sum(axis=1) * sample.scale + mine[sample.own]
        blocks = float(np.ceil(met / 2).mean())
        yield limit, share, 4 + 6 * blocks + 6 * max(math.log2(max(entries, 1) * 40 / 300_000), 0)


def _free(window: Window, cares: Column, port_cares: Column) -> Column:
    """How many bits of the window each row leaves free."""
    free: Column = window.bits - np.bitwise_count(window.of(cares, port_cares)).astype(np.int64)
    return free


def bit_cost(rules: int) -> float:
    """What a bit vector of so many rules is expected to need for one packet, in ns."""
    words = -(-rules // 64)
    return 0.0 if not rules else 6 + 5 * min(words, 16) + 1.1 * max(words - 16, 0)


def _later_cost(rules: int) -> float:
    """What the rules that a cut leaves are expected to need: further cuts, or a short bit vector."""
    return bit_cost(rules) if rules <= 128 else 18 + 5.5 * math.log2(rules / 128)


def _table(rows: CutRows, rest: RestClasses, window: Window, here: Column, cost: float) -> Cut:
    """The blocks of the rows numbered in ``here``: sorted by slot, then by rank, two to a block."""
    care = window.of(rows.cares[0][here], rows.port_cares[here])
    slot = (window.of(rows.values[0][here], rows.ports[here]) & care).astype(np.int64)
    free = (~care & np.uint16((1 << window.bits) - 1)).astype(np.int64)
    row = here
    for bit in range(window.bits):
        split = free >> bit & 1 != 0
        slot = np.concatenate([slot, slot[split] | 1 << bit])
        row, free = np.concatenate([row, row[split]]), np.concatenate([free, free[split]])
    order = np.lexsort((rows.rank[row], slot))
    slot, row = slot[order], row[order]
    size = np.bincount(slot, minlength=1 << window.bits)
    slots = np.concatenate([[0], np.cumsum(-(-size // 2))]).astype(np.uint32)
    within = np.arange(len(slot)) - (np.cumsum(size) - size)[slot]
    block, lane = slots[slot] + within // 2, within % 2
    blocks = _aligned(8 * (int(slots[-1]) + 1)).reshape(-1, 8)
    # An empty lane holds nothing: its range of source ports is 1 to 0.
    blocks[:, 5:7] = 1
    blocks[block, lane] = rows.values[0][row]
    blocks[block, 2 + lane] = rows.cares[0][row]
    blocks[block, 5 + lane] = rows.limits[row]
    halves = blocks.view("<u4")
    halves[:, 8:10] = NO_RANK
    halves[block, 8 + lane] = rows.rank[row]
    halves[block, 14 + lane] = rest.number[rows.rank[row]]
    further = rows.layout.size - 1
    more = np.zeros((len(blocks), further, 4), dtype=np.uint64)
    for key in range(further):
        more[block, key, lane] = rows.values[key + 1][row]
        more[block, key, 2 + lane] = rows.cares[key + 1][row]
    return Cut(window, slots, blocks.ravel(), more.ravel(), np.unique(rows.rank[here]), cost)


def _aligned(words: int) -> Column:
    """Zeros that begin at a cache line."""
    raw = np.zeros(words + 8, dtype=np.uint64)
    skip = -raw.ctypes.data // 8 % 8
    return raw[skip : skip + words]
