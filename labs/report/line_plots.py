"""Plots of labs with several lines: what each line carries, and as whom a forum sees its readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.engine import SECOND
from labs.observation import Observation
from labs.published.lines import Line, line_of, lines_of
from labs.published.measures import log_ins
from labs.report.drawing import COLOURS, drawn
from labs.topology import Lab
from labs.words.figures import octets_until

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Visits", "attempts_of", "line_plot", "readers_of", "visits_plot"]

_BINS = 80
_SHORTEST = SECOND // 4
_STYLES = ("-", (0, (5, 2)), (0, (1, 1.5)), "-.")
"""Solid, dashed, dotted: lines are told apart without colour too."""
_FEW = 40
"""Connections in a row up to which marks are large."""
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


class Visits(NamedTuple):
    """One row of a plot of visits: its title, the connections, and the moments that are crossed."""

    title: str
    lab: Lab
    records: tuple[ConnectionRecord, ...]
    crosses: tuple[int, ...]


def line_plot(lab: Lab, observation: Observation) -> str:
    """Payload by each line over time, with the faults. Empty for labs with fewer than two lines.

    What activities of several connections carried is spread evenly over each
    connection's time: their curves are not told apart.
    """
    lines = lines_of(lab)
    end = observation.duration
    step = max(end // _BINS, _SHORTEST)
    count = -(-end // step)
    carried = {line.name: [0.0] * count for line in lines}
    for outcome in observation.outcomes:
        for number, octets in _spread(lines, outcome, step, end):
            carried[number[0]][number[1]] += octets
    if len(lines) < 2 or not any(any(row) for row in carried.values()):
        return ""

    def draw(axes: Axes) -> None:
        edges = [number * step / SECOND for number in range(count + 1)]
        for line, colour, style in zip(lines, COLOURS, _STYLES, strict=False):
            rates = [octets * 8e3 / step for octets in carried[line.name]]
            axes.stairs(rates, edges, label=line.name, color=colour, linewidth=1.6, linestyle=style)
        for fault in lab.faults:
            if fault.at <= end:
                axes.axvline(fault.at / SECOND, color="#222222", linewidth=1, linestyle=(0, (2, 2)))
                words = f" {fault.target}: {fault.kind.value.replace('-', ' ')}"
                axes.annotate(
                    words, (fault.at / SECOND, 1.0), xycoords=("data", "axes fraction"), fontsize=8, va="bottom"
                )
        axes.set_xlim(0, end / SECOND)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("seconds")
        axes.set_ylabel("Mbit/s of payload")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8, frameon=False)

    return drawn(f"{observation.world}-lines-{lab.variant or 'plain'}", draw, 2.9)


def _spread(lines: tuple[Line, ...], outcome: Outcome, step: int, end: int) -> list[tuple[tuple[str, int], float]]:
    """Line, bin and octets of an activity."""
    found = []
    for record in outcome.connections:
        line = line_of(lines, record)
        if line is None or record.connected is None:
            continue
        start, stop = record.connected, min(record.ended if record.ended is not None else end, end)
        for number in range(start // step, min(-(-stop // step), -(-end // step))):
            low, high = max(number * step, start), min((number + 1) * step, stop)
            if len(outcome.connections) == 1 and outcome.samples:
                octets = octets_until(outcome, high) - octets_until(outcome, low)
            else:
                octets = record.transferred * (high - low) / (stop - start) if stop > start else 0.0
            found.append(((line.name, number), octets))
    return found


def readers_of(lab: Lab, observation: Observation) -> tuple[Visits, ...]:
    """The readers of forums in a run, their log-ins crossed."""
    return tuple(
        Visits(one.traffic, lab, one.connections, log_ins(one)) for one in observation.outcomes if log_ins(one)
    )


def attempts_of(title: str, lab: Lab, outcomes: Sequence[Outcome]) -> Visits:
    """All connections of some activities in one row, those that failed crossed."""
    records = tuple(record for outcome in outcomes for record in outcome.connections)
    return Visits(title, lab, records, tuple(one.started for one in records if one.failure is not None))


def visits_plot(salt: str, rows: Sequence[Visits], crossed: str) -> str:
    """Each connection by the line that it went by; a cross above it for what ``crossed`` says. Empty without rows."""
    if not rows:
        return ""
    most = max(len(row.records) for row in rows)
    size = 7.0 if most <= _FEW else 3.4

    def draw(axes: Axes) -> None:
        names: dict[str, int] = {}
        for place, row in enumerate(rows):
            lines = lines_of(row.lab)
            for number, line in enumerate(lines):
                moments = [one.started / SECOND for one in row.records if line_of(lines, one) == line]
                if moments:
                    names.setdefault(line.name, number)
                    # A little apart, so that a crowd of one line does not hide the other.
                    _mark(axes, moments, place + (0.0 if most <= _FEW else 0.13 * number), number, size)
            crosses = [moment / SECOND for moment in row.crosses]
            axes.plot(crosses, [place - 0.3] * len(crosses), "x", markersize=size * 0.75, color="#c62828", mew=1.3)
        for name, number in sorted(names.items(), key=lambda pair: pair[1]):
            _mark(axes, [], 0, number, 6.0, f"by {name}")
        axes.plot([], [], "x", color="#c62828", label=crossed, markersize=6, mew=1.4)
        for fault in rows[0].lab.faults:
            axes.axvline(fault.at / SECOND, color="#222222", linewidth=1, linestyle=(0, (2, 2)))
        axes.set_yticks(range(len(rows)), [row.title for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.7)
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8, frameon=False)

    return drawn(salt, draw, 0.9 + 0.36 * len(rows))


def _mark(axes: Axes, moments: Sequence[float], height: float, number: int, size: float, label: str = "") -> None:
    """Line 1 is filled, all others are hollow."""
    axes.plot(
        moments,
        [height] * len(moments),
        _MARKERS[number % len(_MARKERS)],
        markersize=size,
        markerfacecolor=COLOURS[0] if number == 0 else "white",
        markeredgecolor="#1d262e",
        markeredgewidth=1.1 if size > 5 else 0.7,
        linestyle="none",
        label=label or None,
    )
