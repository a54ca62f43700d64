"""Which matches of a list may overlap one match, without looking at each in turn.

The index keeps the hull of each field as an interval, the bits that all members
of an address set share, and small fields as distinct sets. It may name a match
that does not overlap; it never misses one that does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compiler.addresses import AddressSet
from compiler.analysis.shadowing.columns import AddressColumn, IntervalColumn, SetColumn
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match, intersect

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Indices = npt.NDArray[np.intp]

__all__ = ["OverlapIndex", "is_possible"]

_ADDRESSES = ("source", "destination")
_WIDE = ("source_port", "destination_port", "date_minute", "week_minute")
_SMALL = ("protocol", "tcp_flags", "icmp_type", "icmp_code", "traffic_class", "ttl")


class OverlapIndex:
    """An index over matches, for packets of one family.

    Positions count from 0 in the order given. A match of another family, or
    one with an empty set, overlaps nothing.
    """

    def __init__(self, matches: Sequence[Match], family: Family) -> None:
        import numpy as np

        self.family = family
        self.matches = tuple(matches)
        self._possible = np.array([is_possible(match, family) for match in self.matches], dtype=bool)
        self._all_possible = bool(self._possible.all())
        self._addresses = {
            name: column
            for name in _ADDRESSES
            if (column := AddressColumn([getattr(match, name) for match in self.matches], family)).constrained
        }
        self._wide = {
            name: interval
            for name in _WIDE
            if (interval := IntervalColumn([getattr(match, name) for match in self.matches])).constrained
        }
        self._small = {
            name: distinct
            for name in _SMALL
            if (distinct := SetColumn([getattr(match, name) for match in self.matches])).constrained
        }
        self._noninitial = SetColumn([_as_set(match.noninitial) for match in self.matches])

    def __len__(self) -> int:
        return len(self.matches)

    def overlapping(self, match: Match, before: int | None = None, *, exact: bool = False) -> list[int]:
        """Ascending positions of the matches that may overlap ``match``, only those below ``before`` if given.

        With ``exact`` each is tried field by field, and only true overlaps stay.
        """
        found: list[int] = self.candidates(match, before).tolist()
        if exact:
            return [position for position in found if intersect(self.matches[position], match) is not None]
        return found

    def candidates(self, match: Match, before: int | None = None) -> Indices:
        """The same as :meth:`overlapping`, as a numpy array."""
        import numpy as np

        end = len(self.matches) if before is None else max(0, min(before, len(self.matches)))
        if end == 0 or not is_possible(match, self.family):
            return np.zeros(0, dtype=np.intp)
        return self._search(match, end)

    def neighbours(self, position: int) -> Indices:
        """The positions that may overlap the match at ``position``, itself among them."""
        import numpy as np

        if not self._possible[position]:
            return np.zeros(0, dtype=np.intp)
        return self._search(self.matches[position], len(self.matches))

    def _search(self, match: Match, end: int) -> Indices:
        import numpy as np

        flags = None if self._all_possible else self._possible[:end].copy()
        shapes = []
        for name, column in self._addresses.items():
            wanted: AddressSet | None = getattr(match, name)
            if wanted is not None and not wanted.is_any:
                wanted_shape = column.shape_of(wanted)
                shapes.append((column, wanted, wanted_shape))
                here = column.hull_overlaps(wanted_shape, end)
                flags = here if flags is None else np.logical_and(flags, here, out=here)
        # The rest is asked only of what the addresses leave, unless they leave all.
        found = np.arange(end) if flags is None else flags.nonzero()[0]
        for column, wanted, wanted_shape in shapes:
            if found.size and (column.any_odd or wanted_shape.odd):
                found = found[column.bits_agree(wanted_shape, found)]
            if found.size and (column.any_several or len(wanted.ranges) > 1):
                found = found[column.parts_meet(wanted, found)]
        for name, interval_column in self._wide.items():
            limits: IntegerSet | None = getattr(match, name)
            if limits is not None and found.size:
                found = found[interval_column.overlaps(limits, found)]
        for name, set_column in self._small.items():
            limits = getattr(match, name)
            if limits is not None and found.size:
                found = found[set_column.overlaps(limits, found)]
        if match.noninitial is not None and self._noninitial.constrained and found.size:
            found = found[self._noninitial.overlaps(_as_set(match.noninitial), found)]
        return found


def _as_set(noninitial: bool | None) -> IntegerSet | None:
    return None if noninitial is None else IntegerSet.values(int(noninitial))


def is_possible(match: Match, family: Family) -> bool:
    """Whether any packet of the family can match."""
    if match.family is not None and match.family != family:
        return False
    for addresses in (match.source, match.destination):
        if addresses is not None and (addresses.width != family.width or addresses.is_empty):
            return False
    return all(limits is None or limits.intervals for limits in match[3:13])
