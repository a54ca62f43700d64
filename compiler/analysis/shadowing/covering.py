"""Whether one match, or a union of several, contains another."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import WIDTH, Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match, intersect
from compiler.symbolic.space import PacketSpace

__all__ = ["contains", "union_cover"]

_MOST_TO_PRUNE = 64


def contains(outer: Match, inner: Match) -> bool:
    """Whether every packet of ``inner`` lies in ``outer``, as far as each field alone shows it.

    True is certain; False may be wrong where a set of addresses is covered
    only by several parts of another.
    """
    for wide, narrow in zip(outer, inner, strict=True):
        if wide is None or wide == narrow:
            continue
        if isinstance(wide, AddressSet) and isinstance(narrow, AddressSet):
            if not _contains_addresses(wide, narrow):
                return False
        elif isinstance(wide, IntegerSet) and isinstance(narrow, IntegerSet):
            if not narrow.issubset(wide):
                return False
        else:
            return False
    return True


def _contains_addresses(outer: AddressSet, inner: AddressSet) -> bool:
    if outer.is_any:
        return True
    for low, high in inner.ranges:
        if any(first <= low and high <= last for first, last in outer.ranges):
            continue
        block = low ^ high
        if block & (block + 1) or low & block:
            return False
        prefix = Wildcard(low, block, inner.width)
        if not any(prefix.issubset(wildcard) for wildcard in outer.wildcards):
            return False
    for wildcard in inner.wildcards:
        low, high = wildcard.value, wildcard.value | wildcard.mask
        if not any(wildcard.issubset(other) for other in outer.wildcards) and not any(
            first <= low and high <= last for first, last in outer.ranges
        ):
            return False
    return True


def union_cover(space: PacketSpace, match: Match, others: Sequence[Match]) -> list[int] | None:
    """Positions of some of ``others`` whose union contains ``match``, or None when all together do not.

    None of the named positions can be spared, as long as there are few of them.
    """
    overlaps = [(position, both) for position, other in enumerate(others) if (both := intersect(match, other))]
    # What takes the most away comes first, so that the rest stays small and few are needed.
    overlaps.sort(key=lambda pair: -_magnitude(pair[1], space.family))
    wanted = remaining = space.encode(match)
    chosen: list[int] = []
    for position, _ in overlaps:
        smaller = remaining & ~space.encode(others[position])
        if smaller != remaining:
            chosen.append(position)
            remaining = smaller
            if not remaining.satisfiable():
                break
    if remaining.satisfiable():
        return None
    if len(chosen) <= _MOST_TO_PRUNE:
        for position in reversed(chosen[:-1]):
            without = wanted
            for other in chosen:
                if other != position:
                    without = without & ~space.encode(others[other])
            if not without.satisfiable():
                chosen.remove(position)
    return sorted(chosen)


def _magnitude(match: Match, family: Family) -> float:
    """The logarithm of about how many packets match."""
    total = 0.0
    for addresses in (match.source, match.destination):
        if addresses is None:
            total += family.width
        else:
            size = sum(high - low + 1 for low, high in addresses.ranges)
            total += log2(max(1, size + sum(wildcard.size() for wildcard in addresses.wildcards)))
    for name, width in WIDTH.items():
        limits: IntegerSet | None = getattr(match, name)
        total += width if limits is None else log2(max(1, limits.size()))
    return total
