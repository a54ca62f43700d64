"""How long Hypothesis looks for a fault, and to what it shrinks it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from statistics import median
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

MOST = 300
"""Examples within which a fault must show."""

_SETTINGS = settings(
    max_examples=MOST,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


SEEDS = (0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2)))
"""One seed each time, two more in a long run."""


class Hunt(NamedTuple):
    """One search: the example at which the fault first showed, the minimal one, and all that were tried in between."""

    first: int
    witness: Any
    tried: int


def hunt(examples: st.SearchStrategy[Any], is_wrong: Callable[[Any], bool], seed: int, most: int = MOST) -> Hunt | None:
    """The search of one seed; None when no example of ``most`` is wrong."""
    tried, first = 0, 0

    def condition(example: Any) -> bool:
        nonlocal tried, first
        tried += 1
        wrong = is_wrong(example)
        if wrong and not first:
            first = tried
        return wrong

    try:
        witness = find(examples, condition, settings=settings(_SETTINGS, max_examples=most), random=Random(seed))
    except NoSuchExample:
        return None
    return Hunt(first, witness, tried)


def middle(hunts: list[Hunt]) -> int:
    """The median of the first hits."""
    return int(median(one.first for one in hunts))
