"""The methods beside each other, on one workload: a row for each, from its runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from labs.published.judging import Ours, Seen
from labs.published.measures import MEASURES
from labs.published.paper import Methods

__all__ = ["MethodRow", "MethodTable", "method_columns", "method_row"]


class MethodRow(NamedTuple):
    """One method: its measures in the order of :func:`method_columns`."""

    name: str
    cells: tuple[Ours, ...]


class MethodTable(NamedTuple):
    """The methods compiled for one target, in one world."""

    target: str
    world: str
    rows: tuple[MethodRow, ...]


def method_columns(methods: Methods) -> tuple[str, ...]:
    """The titles of the measures, those of the failures last."""
    return (*(MEASURES[word].name for word in methods.measures), *(one.title for one in methods.failures))


def method_row(name: str, methods: Methods, workload: Seen, failures: Sequence[Seen | str]) -> MethodRow:
    """``failures`` has for each failure what was observed, or why nothing was."""
    lab, observation = workload
    cells = [Ours(MEASURES[word].measure(lab, observation, "*"), MEASURES[word].unit) for word in methods.measures]
    recovery = MEASURES["recovery"]
    for failure, one in zip(methods.failures, failures, strict=True):
        if isinstance(one, str):
            cells.append(Ours(None, recovery.unit, one))
        else:
            cells.append(Ours(recovery.measure(*one, failure.traffic), recovery.unit))
    return MethodRow(name, tuple(cells))
