"""What lengths of time and sizes are drawn from. Each is a function of a ``Random``, which the caller seeds.

Everything is made from ``Random.random``, whose values Python promises to keep
from version to version for one seed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from itertools import accumulate
from math import log
from random import Random

__all__ = ["IMIX", "Distribution", "choice", "exponential", "fixed", "pareto", "uniform"]

Distribution = Callable[[Random], int]

IMIX: Mapping[int, int] = {40: 7, 576: 4, 1500: 1}
"""Sizes of IP packets and their shares: the "simple IMIX" that testers of routers use."""


def fixed(value: int) -> Distribution:
    """Always the same."""
    if value < 0:
        raise ValueError(f"{value} is negative")
    return lambda _: value


def uniform(low: int, high: int) -> Distribution:
    """Every integer from ``low`` to ``high`` alike, both included."""
    if not 0 <= low <= high:
        raise ValueError(f"{low} to {high} is no range")
    return lambda random: low + int(random.random() * (high - low + 1))


def exponential(mean: float) -> Distribution:
    """Memoryless, with this mean, rounded."""
    _check_positive("mean", mean)
    return lambda random: round(-mean * log(1 - random.random()))


def pareto(mean: float, shape: float, *, largest: int | None = None) -> Distribution:
    """Heavy-tailed: ``P(X > x) = (least / x) ** shape`` with this mean (Paxson and Floyd 1995).

    A shape of 2 or less has an infinite variance, which is what traffic is
    known for; one of 1 or less has no mean: ValueError. Values above
    ``largest`` become it, and the mean a little less.
    """
    _check_positive("mean", mean)
    if shape <= 1:
        raise ValueError(f"a Pareto distribution of shape {shape} has no mean: above 1 expected")
    least = mean * (shape - 1) / shape

    def draw(random: Random) -> int:
        value = round(least * float((1 - random.random()) ** (-1 / shape)))
        return value if largest is None else min(value, largest)

    return draw


def choice(shares: Mapping[int, int]) -> Distribution:
    """One of the keys, as often as its share says."""
    values = tuple(shares)
    bounds = tuple(accumulate(shares.values()))
    if not bounds or bounds[-1] <= 0 or min(shares.values()) < 0:
        raise ValueError("shares that are not negative and not all 0 expected")
    return lambda random: values[bisect_right(bounds, random.random() * bounds[-1])]


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"a {name} of {value}: more than 0 expected")
