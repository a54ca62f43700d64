"""Ours beside theirs: the value of each row in each world, and whether it has the published shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from compiler.placed.quantities import format_duration, format_octets, format_rate
from labs.observation import Observation
from labs.published.measures import MEASURES, Unit, Value
from labs.published.paper import NOTHING, PaperRow, Shape
from labs.topology import Lab

__all__ = ["Judgement", "Ours", "Verdict", "fits", "judged", "ours_of", "show"]

Seen = tuple[Lab, Observation]

UNPUBLISHED = ("–", "not told")
"""What stands for a figure that the paper does not give."""


class Verdict(Enum):
    """How a row came out."""

    SAME = "same shape"
    ERRATUM = "published figure wrong"
    """Ours is what it must be, and the file says why the published figure is not."""
    EXPECTED = "as expected"
    """Nothing was published to compare with; ours is what it must be."""
    DIFFERS = "differs"
    UNKNOWN = "not run"


class Ours(NamedTuple):
    """A value of ours; None with a reason where there is none."""

    value: Value | None
    unit: Unit
    reason: str = ""

    @property
    def shown(self) -> str:
        """For a table."""
        if self.value is None:
            return f"cannot: {self.reason}" if self.reason else "–"
        return show(self.value, self.unit)


class Judgement(NamedTuple):
    """A row with ours by world (``simulator``, ``kernel``), and what it comes to."""

    row: PaperRow
    ours: Mapping[str, Ours]
    verdict: Verdict

    @property
    def why(self) -> str:
        """The reason, and the erratum."""
        parts = (self.row.because, self.row.erratum, self.row.remark)
        return ". ".join(part[0].upper() + part[1:] for part in parts if part)


def show(value: Value, unit: Unit) -> str:
    """A value in its unit."""
    if isinstance(value, str):
        return value
    if math.isinf(value):
        return "never"
    if unit is Unit.RATE:
        return format_rate(value)
    if unit is Unit.SECONDS:
        return format_duration(round(value * 1e9, -6)) if value else "at once"
    if unit is Unit.SHARE:
        return f"{value * 100:.2f} %" if value < 0.1 else f"{value * 100:.0f} %"
    if unit is Unit.OCTETS:
        return format_octets(value)
    return f"{value:.0f}" if value == int(value) else f"{value:.3f}"


def fits(value: Value | None, shape: Shape) -> bool:
    """Whether a value is what the shape asks for. Nothing measured is the text ``nothing``."""
    if shape.text is not None:
        return (NOTHING if value is None else value) == shape.text
    if value is None or isinstance(value, str):
        return False
    low, high = shape.at_least, shape.at_most
    return (low is None or value >= low) and (high is None or value <= high)


def ours_of(row: PaperRow, seen: Seen) -> Ours:
    """The row's measure of a run."""
    lab, observation = seen
    measure = MEASURES[row.measure]
    value = measure.measure(lab, observation, row.traffic)
    if value is None and row.shape.text == NOTHING:
        value = NOTHING
    return Ours(value, measure.unit, "" if value is not None else "nothing to measure")


def judged(row: PaperRow, seen: Mapping[str, Seen | str]) -> Judgement:
    """``seen`` has for each world what was observed, or why nothing was."""
    unit = MEASURES[row.measure].unit
    ours = {world: Ours(None, unit, one) if isinstance(one, str) else ours_of(row, one) for world, one in seen.items()}
    known = [one for world, one in ours.items() if not isinstance(seen[world], str)]
    if not known:
        return Judgement(row, ours, Verdict.UNKNOWN)
    if not all(fits(one.value, row.shape) for one in known):
        return Judgement(row, ours, Verdict.DIFFERS)
    right = Verdict.ERRATUM if row.erratum else Verdict.EXPECTED if row.published in UNPUBLISHED else Verdict.SAME
    return Judgement(row, ours, right)
