"""What one run is measured by, so that runs of different variants can stand in one table.

Every lab has its assertions, its activities and (where a router balances) the
fairness of its lines; :mod:`labs.published` adds what it measures of a lab.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from compiler.balancing.plan import port_of
from compiler.placed.quantities import format_rate
from labs.assertions import Verdict, VerdictState
from labs.observation import Observation
from labs.published import figures
from labs.published.judging import show
from labs.published.measures import MEASURES
from labs.topology import Lab, NodeKind
from labs.words.figures import jain
from labs.words.showing import came_through

__all__ = ["Figure", "figures_of", "lines_of"]


class Figure(NamedTuple):
    """One measure of a run: a number (rates are bits a second), and how it is shown."""

    name: str
    value: float | str
    shown: str


def figures_of(lab: Lab, observation: Observation, verdicts: Sequence[Verdict]) -> tuple[Figure, ...]:
    """All figures, in the order of the table; no name twice."""
    found: dict[str, Figure] = {}
    for figure in (
        *_assertions(verdicts),
        *_connections(observation),
        *_rates(observation),
        *_lines(lab, observation),
        *_published(lab, observation),
    ):
        found.setdefault(figure.name, figure)
    return tuple(found.values())


def lines_of(lab: Lab) -> dict[str, int]:
    """Links that traffic is balanced between, with their weights: those of a balanced router's uplinks, else of modems.

    Of modems it is the side of the provider, and all weigh the same.
    """
    weights: dict[tuple[str, str], int] = {}
    for node in lab.nodes:
        if node.balance is not None:
            for uplink in node.balance.plan.balance.uplinks:
                weights[node.name, port_of(uplink)] = uplink.weight
    if not weights:
        weights = {(node.name, node.uplink): 1 for node in lab.nodes if node.kind is NodeKind.MODEM}
    return {
        link.name: weight
        for link in lab.links
        for end in link.ends
        if (weight := weights.get((end.node, end.interface)))
    }


def _assertions(verdicts: Sequence[Verdict]) -> Iterator[Figure]:
    for state in VerdictState:
        number = sum(one.state is state for one in verdicts)
        yield Figure(f"assertions {state.value}", number, f"{number:,}")


def _connections(observation: Observation) -> Iterator[Figure]:
    """``lost`` are those that came about and broke; others never came about."""
    records = [record for outcome in observation.outcomes for record in outcome.connections]
    made = sum(came_through(one) for one in records)
    lost = sum(came_through(one) and one.failure is not None for one in records)
    for name, number in (
        ("connections", len(records)),
        ("connections not made", len(records) - made),
        ("connections lost", lost),
    ):
        yield Figure(name, number, f"{number:,}")


def _rates(observation: Observation) -> Iterator[Figure]:
    """Of each activity that carries something: from the first octets to the last."""
    for outcome in observation.outcomes:
        samples = outcome.samples
        span = samples[-1][0] - samples[0][0] if len(samples) > 1 else 0
        if span:
            rate = (samples[-1][1] - samples[0][1]) * 8e9 / span
            yield Figure(f"throughput of {outcome.traffic}", rate, format_rate(rate))


def _lines(lab: Lab, observation: Observation) -> Iterator[Figure]:
    lines = lines_of(lab)
    octets = dict.fromkeys(lines, 0)
    for count in observation.links:
        if count.link in octets:
            octets[count.link] += count.octets
    if len(lines) > 1 and any(octets.values()):
        index = jain([octets[name] / weight for name, weight in lines.items()])
        yield Figure("Jain's index of the lines", index, f"{index:.4f}")
        total = sum(octets.values())
        for name, number in octets.items():
            yield Figure(f"share of {name}", number / total, f"{number / total:.1%}")


def _published(lab: Lab, observation: Observation) -> Iterator[Figure]:
    units = {measure.name: measure.unit for measure in MEASURES.values()}
    for name, value in figures(lab, observation).items():
        yield Figure(name, value, show(value, units[name]))
