"""In whose turn: a cycle of slots in which each uplink gets its weight, spread as evenly as can be.

R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980):
with ``k`` shares an order exists, and this one is it, in which after every
prefix of ``n`` turns each has had within ``1 - 1/(2k - 2)`` of its share of
``n``: 0.5 for two uplinks, 0.75 for three, 0.84 for four, 0.93 for eight. The
smooth weighted round robin of nginx has no such bound (it drifts beyond one
turn with three weights already).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from math import gcd

__all__ = ["bound", "cycle", "furthest"]


def bound(count: int) -> Fraction:
    """How far, in turns, one of ``count`` uplinks may be from its share after any prefix."""
    return Fraction(0) if count == 1 else 1 - Fraction(1, 2 * count - 2)


def cycle(weights: Sequence[int]) -> tuple[int, ...]:
    """Indices of ``weights``, each as often as its weight says, divided by what all have in common.

    Raises ValueError where a weight is not above zero.
    """
    if not weights or min(weights) <= 0:
        raise ValueError("weights are above zero")
    if len(weights) == 1:
        return (0,)
    common = reduce(gcd, weights)
    parts = [weight // common for weight in weights]
    total = sum(parts)
    limit = bound(len(parts))
    had = [0] * len(parts)
    turns = []
    for turn in range(1, total + 1):
        # Who would be too far ahead does not stand for this turn; of the rest the one whose time runs out first has it.
        lack = [Fraction(part * turn, total) - count for part, count in zip(parts, had, strict=True)]
        standing = [index for index, missing in enumerate(lack) if missing >= 1 - limit]
        chosen = min(standing, key=lambda index: ((limit - lack[index]) / parts[index], index))
        had[chosen] += 1
        turns.append(chosen)
    return tuple(turns)


def furthest(turns: Sequence[int], weights: Sequence[int]) -> Fraction:
    """The furthest that any uplink is from its share after any prefix, the turns being repeated for ever."""
    total = sum(weights)
    had = [0] * len(weights)
    worst = Fraction(0)
    for number, turn in enumerate(turns, 1):
        had[turn] += 1
        for count, weight in zip(had, weights, strict=True):
            worst = max(worst, abs(Fraction(weight * number, total) - count))
    return worst
