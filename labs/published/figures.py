"""The measures of a whole lab: what runs of different methods are compared by."""

from __future__ import annotations

from collections.abc import Mapping

from labs.observation import Observation
from labs.published.lines import lines_of
from labs.published.measures import MEASURES, Value
from labs.topology import Lab

__all__ = ["WHOLE", "figures"]

WHOLE = (
    *("together", "fair-lines", "fair-clients", "connections-difference", "addresses-each"),
    *("log-outs", "recovery", "failed-after", "lost"),
)
"""The measures that make sense of a lab as a whole, all its activities taken together."""


def figures(lab: Lab, observation: Observation) -> Mapping[str, Value]:
    """Each measure that applies, by its title. A lab with fewer than two lines has none."""
    if len(lines_of(lab)) < 2:
        return {}
    found = {MEASURES[word].name: MEASURES[word].measure(lab, observation, "*") for word in WHOLE}
    return {name: value for name, value in found.items() if value is not None}
