"""Whether connections share lines as they should, and whether those with one key go one way: on plain counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from math import sqrt
from typing import NamedTuple, TypeVar

__all__ = ["Uneven", "astray", "chance_bound", "uneven"]

Key = TypeVar("Key", bound=Hashable)
Way = TypeVar("Way", bound=Hashable)

SIGMAS = 4.0
"""Standard deviations that chance is granted: beyond them it is to blame once in 16,000 times."""


class Uneven(NamedTuple):
    """A line with its part of the whole and what is due to it, 0 to 1."""

    line: str
    part: float
    due: float

    @property
    def off(self) -> float:
        """How far the part is from what is due, as a share of that."""
        return abs(self.part - self.due) / self.due


def uneven(counts: Mapping[str, int | float], weights: Mapping[str, int]) -> tuple[Uneven, ...]:
    """Every line by its count and weight, the furthest off first. ZeroDivisionError when nothing went."""
    total, whole = sum(counts.get(line, 0) for line in weights), sum(weights.values())
    parts = [Uneven(line, counts.get(line, 0) / total, weight / whole) for line, weight in weights.items()]
    return tuple(sorted(parts, key=lambda one: -one.off))


def chance_bound(keys: Iterable[Hashable], due: float) -> float:
    """How far off its due chance may put a line when a hash of these keys decides (one for each connection).

    The binomial deviation of the distinct keys, each as heavy as it has
    connections, times :data:`SIGMAS`, as a share of what is due.
    """
    sizes = Counter(keys).values()
    total = sum(sizes)
    return SIGMAS * sqrt(due * (1 - due) * sum(size * size for size in sizes)) / total / due if total else 0.0


def astray(pairs: Iterable[tuple[Key, Way]]) -> dict[Key, tuple[Way, ...]]:
    """The keys that went several ways, each with its ways in their order."""
    ways: dict[Key, dict[Way, None]] = {}
    for key, way in pairs:
        ways.setdefault(key, {})[way] = None
    return {key: tuple(several) for key, several in ways.items() if len(several) > 1}
