"""The packets of one address family as a space of boolean variables.

One variable a header bit, most significant first, grouped by field in the
order of ``LAYOUT``. The context of a packet (interfaces, path, fragment or
not) is decided before a set is built, so it has no variables here. The TTL
before and after the router lowers it are two fields: a claim that mixes
them is never made by accident.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import WEEK_MINUTES, WIDTH, Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["FIELDS", "PacketSpace", "forget_sets", "space"]

FIELDS = (
    "protocol",
    "source",
    "destination",
    "destination_port",
    "source_port",
    "tcp_flags",
    "icmp_type",
    "icmp_code",
    "traffic_class",
    "ttl",
    "ttl_out",
    "week_minute",
    "date_minute",
)
"""Field order of the variables: what rules most often tell apart comes first."""

_NODES = 1 << 24
_CACHE = 1 << 18


class PacketSpace:
    """Sets of packets of one family; sets are oxidd functions and combine with ``& | ~``."""

    def __init__(self, family: Family) -> None:
        from oxidd.bdd import BDDManager  # 70 ms: only where a proof needs sets

        self.family = family
        self._manager = BDDManager(_NODES, _CACHE, 1)
        self.layout: dict[str, tuple[int, int]] = {}
        """Field name -> (first variable, width in bits)."""
        first = 0
        for name in FIELDS:
            width = family.width if name in ("source", "destination") else WIDTH["ttl" if name == "ttl_out" else name]
            self.layout[name] = (first, width)
            first += width
        self.size = first
        """How many variables there are."""
        self._manager.add_vars(self.size)
        self._positive = [self._manager.var(index) for index in range(self.size)]
        self._negative = [self._manager.not_var(index) for index in range(self.size)]
        self.full: BDDFunction = self._manager.true()
        self.empty: BDDFunction = self._manager.false()
        self.possible: BDDFunction = self.full
        """Packets that can be: a week has 10,080 minutes, of the 16,384 that its bits could count."""
        self._one_hop: BDDFunction | None = None
        self._sets: dict[tuple[str, IntegerSet | AddressSet], BDDFunction] = {}
        self._matches: dict[tuple[Match, bool], BDDFunction] = {}

        self.possible = self.encode(Match(week_minute=IntegerSet.range(0, WEEK_MINUTES - 1)))

    def forget(self) -> None:
        """Give the room of all sets that nobody holds to later ones."""
        self._sets.clear()
        self._matches.clear()
        self._manager.gc()

    def nodes(self) -> int:
        """How many nodes all sets together have, those that nobody holds any more included."""
        return int(self._manager.num_inner_nodes())

    def variable(self, index: int) -> BDDFunction:
        """Packets whose bit of that number is set."""
        return self._positive[index]

    def one_hop(self) -> BDDFunction:
        """Packets whose ``ttl_out`` is one less than their ``ttl``, and never below 0."""
        if self._one_hop is None:
            found = self.empty
            for hops in range(1 << WIDTH["ttl"]):
                before = self.field("ttl", IntegerSet.values(hops))
                found = found | (before & self.field("ttl_out", IntegerSet.values(max(hops - 1, 0))))
            self._one_hop = found
        return self._one_hop

    def as_it_came(self, packets: BDDFunction) -> BDDFunction:
        """The packets by the TTL that they came with, whatever it became."""
        first, width = self.layout["ttl_out"]
        cube = self.full
        for index in range(first + width - 1, first - 1, -1):
            cube = self._positive[index] & cube
        return packets.exists(cube)

    def encode(self, match: Match, *, decremented: bool = False) -> BDDFunction:
        """The packets of a match whose context is applied already.

        ``decremented`` says that the match sees the TTL after the router lowered it.
        """
        key = (match, decremented and match.ttl is not None)
        found = self._matches.get(key)
        if found is None:
            found = self.full
            for name in reversed(FIELDS):
                if name == "ttl_out":
                    value = match.ttl if decremented else None
                elif name == "ttl":
                    value = None if decremented else match.ttl
                else:
                    value = getattr(match, name)
                if value is not None:
                    found = self.field(name, value) & found
            self._matches[key] = found
        return found

    def field(self, name: str, value: IntegerSet | AddressSet) -> BDDFunction:
        """Packets whose field of that name, one of :data:`FIELDS`, has one of the values."""
        key = (name, value)
        found = self._sets.get(key)
        if found is None:
            first, width = self.layout[name]
            if isinstance(value, IntegerSet):
                found = self._ranges(first, width, value.intervals)
            elif value.width != width:
                found = self.empty
            else:
                found = self._ranges(first, width, value.ranges)
                for wildcard in value.wildcards:
                    found = found | self._wildcard(first, wildcard)
            self._sets[key] = found
        return found

    def _wildcard(self, first: int, wildcard: Wildcard) -> BDDFunction:
        found = self.full
        for bit in range(wildcard.width):  # from the least significant: the deepest variable
            if not wildcard.mask >> bit & 1:
                index = first + wildcard.width - 1 - bit
                found = (self._positive if wildcard.value >> bit & 1 else self._negative)[index] & found
        return found

    def _ranges(self, first: int, width: int, ranges: tuple[tuple[int, int], ...]) -> BDDFunction:
        """Sorted disjoint ranges, by halving the space: each border is walked once."""

        def halve(low: int, high: int, base: int, bit: int) -> BDDFunction:
            """``ranges[low:high]``, all of which meet the block of ``2**bit`` values at ``base``."""
            if low == high:
                return self.empty
            start, end = ranges[low]
            last = base + (1 << bit) - 1
            if start <= base and end >= last:
                return self.full
            middle = base + (1 << (bit - 1))
            split = low
            while split < high and ranges[split][1] < middle:
                split += 1
            # A range across the middle belongs to both halves.
            left_end = split + 1 if split < high and ranges[split][0] < middle else split
            left = halve(low, left_end, base, bit - 1)
            right = halve(split, high, middle, bit - 1)
            return left if left == right else self._positive[first + width - bit].ite(right, left)

        return halve(0, len(ranges), 0, width)


_SPACES: dict[Family, PacketSpace] = {}
_MAKING = Lock()


def space(family: Family) -> PacketSpace:
    """The one space of a family in this process: sets of different lists meet in it.

    There is never a second, not for two threads that ask first, nor after forgetting: oxidd does not check that the
    two sides of an ``&`` are of one manager, and ends the process, or answers wrongly, when they are not.
    """
    found = _SPACES.get(family)
    if found is None:
        with _MAKING:
            found = _SPACES.get(family)
            if found is None:
                found = _SPACES[family] = PacketSpace(family)
    return found


def forget_sets() -> None:
    """In all spaces of this process: forget the sets that nobody holds. Those that somebody holds stay as they are."""
    for one in tuple(_SPACES.values()):
        one.forget()
