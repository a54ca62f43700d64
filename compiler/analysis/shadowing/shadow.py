"""Which rules of a list never decide a packet, and which could go without any change: exactly.

In three steps, so that ten thousand rules take seconds: random packets inside
each rule show at once that most are alive; a single earlier rule that contains
the match shows that most of the others are dead; only for the rest are sets
subtracted symbolically. Rules that do not overlap never meet.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from compiler.analysis.shadowing.covering import contains, union_cover
from compiler.analysis.shadowing.overlap import OverlapIndex, is_possible
from compiler.analysis.shadowing.rows import Row
from compiler.fields import Family
from compiler.policy.match import ANY, intersect
from compiler.semantics.machine import Outcome, Step

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from compiler.analysis.shadowing.packed import PackedMatches
    from compiler.analysis.shadowing.sampling import Evidence

    Indices = npt.NDArray[np.intp]

__all__ = ["Fate", "View", "shadow", "shadow_steps"]


class View(NamedTuple):
    """A list as the packets of one context meet it; ``default`` is the label of what no row decides."""

    family: Family
    rows: tuple[Row, ...]
    default: Hashable


class Fate(NamedTuple):
    """What becomes of an item.

    ``alive``: some packet reaches it. ``covering``: for a dead one, earlier
    items that together take all its packets, as few as were found; none when
    the item matches nothing at all (``empty``). ``opposed``: one of them does
    something else than the item says. ``redundant``: alive, but without it, the
    dead ones and the other redundant ones, every packet has the same fate.
    """

    alive: bool
    covering: tuple[int, ...] = ()
    opposed: bool = False
    redundant: bool = False
    empty: bool = False


def shadow_steps(steps: Sequence[Step], default: bool, family: Family, *, redundancy: bool = True) -> tuple[Fate, ...]:
    """The fate of each step of a flat stage, alone."""
    rows = tuple(
        Row(step.match, step.outcome is Outcome.PERMIT, position, step.outcome in (Outcome.PERMIT, Outcome.DENY))
        for position, step in enumerate(steps)
    )
    return shadow((View(family, rows, default),), len(rows), redundancy=redundancy)


def shadow(views: Sequence[View], count: int, *, redundancy: bool = True) -> tuple[Fate, ...]:
    """The fate of each of ``count`` items, over all views: dead only when dead in each.

    Redundant items can be removed together with the dead ones. They are looked
    for from the end, so of two items that make each other redundant the
    earlier one stays.
    """
    analysis = _Analysis(views, count, redundancy)
    analysis.find_after_everything()
    analysis.sample(4)
    analysis.find_covered_by_one()
    analysis.sample(16)
    analysis.find_covered_by_union()
    if redundancy:
        analysis.find_redundant()
    return tuple(analysis.fate(item) for item in range(count))


class _View:
    """A view without its empty rows, and what the analysis keeps about it."""

    def __init__(self, view: View) -> None:
        self.family = view.family
        self.default = view.default
        self.rows = tuple(row for row in view.rows if is_possible(row.match, view.family))
        self.index = OverlapIndex([row.match for row in self.rows], view.family)
        self.packed: PackedMatches | None = None
        self._met: dict[int, Indices] = {}
        self._met_size = 0
        self.evidence: dict[int, list[Evidence]] = {}
        self.by_item: dict[int, list[int]] = {}
        for position, row in enumerate(self.rows):
            self.by_item.setdefault(row.item, []).append(position)

    def meeting(self, position: int) -> Indices:
        """Rows that may overlap the one at ``position``; kept while there is room."""
        found = self._met.get(position)
        if found is None:
            found = self.index.neighbours(position)
            if self._met_size < _MOST_KEPT:
                self._met_size += len(found)
                self._met[position] = found
        return found

    def before(self, position: int) -> list[int]:
        """Earlier rows of other items that take packets from this one."""
        row = self.rows[position]
        return [
            other
            for other in self.meeting(position).tolist()
            if other < position and self.rows[other].decides and self.rows[other].item != row.item
        ]

    def after(self, position: int, gone: Sequence[bool]) -> list[int]:
        """Later rows of other items, not ``gone``, that could take the packets of this one."""
        row = self.rows[position]
        return [
            other
            for other in self.meeting(position).tolist()
            if other > position
            and not self.rows[other].silent
            and self.rows[other].item != row.item
            and not gone[self.rows[other].item]
        ]


class _Analysis:
    def __init__(self, views: Sequence[View], count: int, redundancy: bool) -> None:
        self._views = [_View(view) for view in views]
        self._alive = [False] * count
        self._needed = [not redundancy] * count
        self._redundant = [False] * count
        self._covering: dict[int, tuple[int, ...]] = {}
        self._labels: dict[int, Hashable] = {}
        self._present = [False] * count
        for view in self._views:
            for row in view.rows:
                self._labels[row.item] = row.label
                self._present[row.item] = True
                if row.silent or row.kept or not row.decides:
                    self._needed[row.item] = True  # what it does beside deciding is not compared

    def fate(self, item: int) -> Fate:
        if not self._present[item]:
            return Fate(False, empty=True)
        covering = self._covering.get(item, ())
        opposed = any(self._labels[other] != self._labels[item] for other in covering)
        return Fate(self._alive[item], covering, opposed, self._redundant[item])

    # -- random packets --------------------------------------------------------

    def sample(self, tries: int) -> None:
        """Draw packets inside the rows in doubt; what they show about being alive and needed is certain."""
        from compiler.analysis.shadowing.packed import PackedMatches
        from compiler.analysis.shadowing.sampling import sample_rows

        for view in self._views:
            wanted = [
                position
                for position, row in enumerate(view.rows)
                if row.item not in self._covering
                and (not self._alive[row.item] or (not self._needed[row.item] and position not in view.evidence))
            ]
            if not wanted:
                continue
            if view.packed is None:
                view.packed = PackedMatches([row.match for row in view.rows], view.family)
            for position, found in sample_rows(view.rows, view.packed, view.meeting, wanted, tries):
                item = view.rows[position].item
                self._alive[item] = True
                view.evidence[position] = found
                if not self._needed[item]:
                    self._needed[item] = any(self._differs_always(view, position, one) for one in found)

    def _differs_always(self, view: _View, position: int, later: Evidence) -> bool:
        """Whether the packet gets another verdict without this row, whichever of the later rows stay."""
        row = view.rows[position]
        return view.default != row.label and all(
            not view.rows[other].decides or view.rows[other].label != row.label for other in later
        )

    # -- dead items --------------------------------------------------------------

    def _in_doubt(self) -> Iterator[tuple[int, list[tuple[_View, int]]]]:
        """Items of which nothing is known yet, each with the places of its rows."""
        for item, alive in enumerate(self._alive):
            if not alive and self._present[item] and item not in self._covering:
                yield item, [(view, position) for view in self._views for position in view.by_item.get(item, ())]

    def find_after_everything(self) -> None:
        """What stands behind a row that takes every packet is dead, and needs no further look."""
        first: set[int] | None = None
        for view in self._views:
            takers = {row.item for row in view.rows if row.decides and row.match == ANY}
            first = takers if first is None else first & takers
        taker = min(first, default=None) if first else None
        if taker is not None:
            for item in range(taker + 1, len(self._alive)):
                if self._present[item]:
                    self._covering[item] = (taker,)

    def find_covered_by_one(self) -> None:
        """Items all of whose rows lie in rows of one earlier item: the earliest such item."""
        for item, places in self._in_doubt():
            view, position = places[0]
            match = view.rows[position].match
            refused: set[int] = set()
            for other in view.before(position):
                candidate = view.rows[other].item
                if candidate in refused or not contains(view.rows[other].match, match):
                    continue
                if all(self._contained(one, place, candidate) for one, place in places[1:]):
                    self._covering[item] = (candidate,)
                    break
                refused.add(candidate)

    def _contained(self, view: _View, position: int, item: int) -> bool:
        match = view.rows[position].match
        return any(
            other < position and view.rows[other].decides and contains(view.rows[other].match, match)
            for other in view.by_item.get(item, ())
        )

    def find_covered_by_union(self) -> None:
        """What is still in doubt is decided symbolically: covered by several, or alive."""
        for item, places in self._in_doubt():
            cover = self._union_cover(places)
            if cover is None:
                self._alive[item] = True
            else:
                self._covering[item] = cover

    def _union_cover(self, places: list[tuple[_View, int]]) -> tuple[int, ...] | None:
        from compiler.symbolic.space import space

        covering: set[int] = set()
        for view, position in places:
            earlier = view.before(position)
            chosen = union_cover(
                space(view.family), view.rows[position].match, [view.rows[other].match for other in earlier]
            )
            if chosen is None:
                return None
            covering |= {view.rows[earlier[place]].item for place in chosen}
        return tuple(sorted(covering))

    # -- redundant items -----------------------------------------------------------

    def find_redundant(self) -> None:
        """From the last item to the first: would what stays after it decide all its packets the same?"""
        gone = [present and not alive for present, alive in zip(self._present, self._alive, strict=True)]
        for item in range(len(self._alive) - 1, -1, -1):
            if not self._alive[item] or self._needed[item]:
                continue
            places = [(view, position) for view in self._views for position in view.by_item.get(item, ())]
            if any(self._shown_needed(view, position, gone) for view, position in places):
                continue
            if all(self._spared(view, position, gone) for view, position in places):
                self._redundant[item] = gone[item] = True

    def _shown_needed(self, view: _View, position: int, gone: Sequence[bool]) -> bool:
        """Whether a drawn packet gets another verdict from what stays."""
        label = view.rows[position].label
        for later in view.evidence.get(position, ()):
            verdict = view.default
            for other in later:
                row = view.rows[other]
                if not gone[row.item]:
                    verdict = row.label if row.decides else _UNKNOWN
                    break
            if verdict != label:
                return True
        return False

    def _spared(self, view: _View, position: int, gone: Sequence[bool]) -> bool:
        """Whether each packet that the row decides gets the same verdict from what stays: symbolically."""
        row = view.rows[position]
        later = [other for other in view.after(position, gone) if intersect(view.rows[other].match, row.match)]
        differing = [other for other in later if not view.rows[other].decides or view.rows[other].label != row.label]
        if not differing and view.default == row.label:
            return True
        from compiler.symbolic.space import space

        packets = space(view.family)
        remaining = packets.encode(row.match)
        for other in view.before(position):
            remaining = remaining & ~packets.encode(view.rows[other].match)
        for other in later:
            theirs = packets.encode(view.rows[other].match)
            if other in differing and (remaining & theirs).satisfiable():
                return False
            remaining = remaining & ~theirs
        return view.default == row.label or not remaining.satisfiable()


_UNKNOWN = object()
_MOST_KEPT = 20_000_000
"""Overlaps remembered, in all; 8 bytes each."""
