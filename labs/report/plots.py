"""Plots of one run: throughput by activity and by link, delays."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from compiler.simulator.applications.outcome import Outcome
from labs.observation import Observation
from labs.report.drawing import COLOURS, drawn
from labs.topology import Lab
from labs.words.figures import octets_until

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["delay_plot", "link_plot", "throughput_plot"]

MOST_CURVES = 8
BINS = 120

_SHORTEST = 50_000_000
"""Nanoseconds of the shortest bin."""
_PAUSE = 400_000_000
"""A gap between samples above which nothing came, and then a burst: no straight line is drawn through it."""
_FEW = 5
"""Delays below which a curve says nothing that the table does not."""


def throughput_plot(lab: Lab, observation: Observation) -> str:
    """Payload received by each activity over time, in Mbit/s; the largest have their own curves. Empty without any."""
    with_samples = [outcome for outcome in observation.outcomes if len(outcome.samples) > 1 and outcome.samples[-1][1]]
    if not with_samples:
        return ""
    by_size = sorted(with_samples, key=lambda outcome: (-outcome.samples[-1][1], outcome.traffic))
    own, rest = by_size[:MOST_CURVES], by_size[MOST_CURVES:]
    end = observation.duration  # silence up to the end of the run is a finding too
    start = min(max(outcome.samples[0][0] - end // BINS, 0) for outcome in with_samples)
    step = max((end - start) // BINS, _SHORTEST)
    moments = list(range(start, end + 1, step))

    def rates(of: Sequence[Outcome]) -> list[float]:
        received = [sum(_received(outcome, moment) for outcome in of) for moment in moments]
        return [(later - earlier) * 8e3 / step for earlier, later in pairwise(received)]

    def draw(axes: Axes) -> None:
        times = [moment / 1e9 for moment in moments[1:]]
        for outcome, colour in zip(own, COLOURS, strict=False):
            axes.plot(times, rates([outcome]), label=outcome.traffic, color=colour, linewidth=1.4)
        if rest:
            axes.plot(times, rates(rest), label=f"{len(rest)} others together", color="#999999", linewidth=1.2)
        if len(with_samples) > 1:
            axes.plot(times, rates(with_samples), label="all", color="#222222", linewidth=0.9, linestyle=":")
        for fault in lab.faults:
            if start <= fault.at <= end:
                axes.axvline(fault.at / 1e9, color="#c62828", linewidth=1, linestyle="--")
        axes.set_xlabel("seconds")
        axes.set_ylabel("Mbit/s received")
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8, frameon=False)

    return drawn(f"{observation.world}-throughput", draw, 3.2)


def _received(outcome: Outcome, moment: int) -> float:
    """Octets by that moment; in a pause, those before it."""
    index = bisect_left(outcome.samples, (moment,))
    if 0 < index < len(outcome.samples) and outcome.samples[index][0] - outcome.samples[index - 1][0] > _PAUSE:
        return float(outcome.samples[index - 1][1])
    return octets_until(outcome, moment)


def delay_plot(observation: Observation) -> str:
    """Which share of packets took at most so long. Empty where there are only a few."""
    with_delays = sorted(
        (one for one in observation.outcomes if len(one.delays) >= _FEW),
        key=lambda one: (-len(one.delays), one.traffic),
    )
    if not with_delays:
        return ""

    def draw(axes: Axes) -> None:
        for outcome, colour in zip(with_delays, COLOURS, strict=False):
            ordered = _thinned(sorted(outcome.delays))
            shares = [(number + 1) / len(ordered) for number in range(len(ordered))]
            times = [delay / 1e6 for delay in ordered]
            axes.step(
                [times[0], *times], [0.0, *shares], where="post", label=outcome.traffic, color=colour, linewidth=1.4
            )
        axes.set_xlabel("milliseconds")
        axes.set_ylabel("share of packets")
        axes.set_ylim(0, 1.02)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8, frameon=False)

    return drawn(f"{observation.world}-delay", draw, 3.0)


def _thinned(ordered: list[int], most: int = 400) -> list[int]:
    """At most so many of them, evenly chosen, the last one kept."""
    if len(ordered) <= most:
        return ordered
    return [ordered[(number + 1) * len(ordered) // most - 1] for number in range(most)]


def link_plot(lab: Lab, observation: Observation) -> str:
    """Mean rate of each direction of the busiest links, with their capacity where they have one."""
    counts, duration = observation.links, observation.duration
    capacity = {
        (link.name, way): wire.rate for link in lab.links for way, wire in (("up", link.up), ("down", link.down))
    }
    busiest = sorted((one for one in counts if one.octets), key=lambda one: (-one.octets, one.link, one.direction))[:16]
    if not busiest or not duration:
        return ""
    arrows = {"up": "↑", "down": "↓"}

    def draw(axes: Axes) -> None:
        rows = list(range(len(busiest)))[::-1]
        rates = [one.octets * 8e3 / duration for one in busiest]
        axes.barh(rows, rates, color="#2f6f9f", height=0.6)
        for row, one, rate in zip(rows, busiest, rates, strict=True):
            limit = capacity.get((one.link, one.direction))
            share = f"  ({_share(rate * 1e6 / limit)} of its rate)" if limit else ""
            axes.annotate(
                f"{rate:.3g}{share}", (rate, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8
            )
        axes.set_yticks(rows, [f"{one.link} {arrows.get(one.direction, one.direction)}" for one in busiest], fontsize=8)
        axes.set_xlabel("Mbit/s, mean over the run, Ethernet headers included")
        axes.margins(x=0.2)

    return drawn(f"{observation.world}-links", draw, 0.9 + 0.26 * len(busiest))


def _share(share: float) -> str:
    """``5 %``; a link that carried anything carried more than nothing."""
    return "<1 %" if share < 0.01 else f"{share * 100:.0f} %"
