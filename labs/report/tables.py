"""The tables of a report: rows of texts, cut where they would be too long."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from compiler.placed.quantities import format_duration, format_octets, format_rate
from labs.observation import Observation
from labs.topology import Lab
from labs.words.figures import percentile
from labs.words.showing import came_through, show_endpoint, why

__all__ = ["Row", "Table", "connection_table", "cut", "drop_table", "link_table", "rule_table", "traffic_table"]

MOST_ROWS = 300


class Row(NamedTuple):
    """Cells, and whether the row tells of something bad."""

    cells: tuple[str, ...]
    bad: bool = False


class Table(NamedTuple):
    """``numbers`` are the columns that stand right; ``left_out`` says how many rows there would be more."""

    columns: tuple[str, ...]
    numbers: frozenset[int]
    rows: tuple[Row, ...]
    left_out: int = 0


def cut(columns: tuple[str, ...], numbers: Iterable[int], rows: Iterable[Row], total: int) -> Table:
    """A table of the first rows."""
    shown = tuple(islice(rows, MOST_ROWS))
    return Table(columns, frozenset(numbers), shown, total - len(shown))


def traffic_table(lab: Lab, observation: Observation) -> Table:
    """One row for each activity: connections, failures, octets, rate, packets, delays."""
    columns = (
        *("activity", "what", "client", "server", "connections", "failed", "octets", "mean rate"),
        *("sent", "received", "median delay", "p99"),
    )
    rows = []
    kinds = {traffic.name: traffic for traffic in lab.traffic}
    for outcome in observation.outcomes:
        traffic = kinds.get(outcome.traffic)
        failed = [one for one in outcome.connections if one.failure is not None or not came_through(one)]
        span = outcome.samples[-1][0] - outcome.samples[0][0] if len(outcome.samples) > 1 else 0
        rate = format_rate((outcome.samples[-1][1] - outcome.samples[0][1]) * 8e9 / span) if span else ""
        delays = [format_duration(percentile(outcome.delays, share)) if outcome.delays else "" for share in (0.5, 0.99)]
        cells = (
            outcome.traffic,
            traffic.kind.value if traffic else "",
            traffic.client if traffic else "",
            traffic.server if traffic else "",
            f"{len(outcome.connections):,}",
            f"{len(failed):,}" if failed else "",
            format_octets(outcome.transferred) if outcome.transferred else "",
            rate,
            f"{outcome.sent:,}" if outcome.sent else "",
            f"{outcome.received:,}" if outcome.sent else "",
            *delays,
        )
        rows.append(Row(cells, bool(failed)))
    return cut(columns, range(4, 12), rows, len(rows))


def connection_table(observation: Observation) -> Table:
    """One row for each connection."""
    columns = ("connection", "client", "server", "seen as", "began", "took", "octets", "what became of it", "said")
    rows = (
        Row(
            (
                f"{outcome.traffic}#{record.index}",
                show_endpoint(record.client),
                show_endpoint(record.server),
                show_endpoint(record.seen_as) if record.seen_as else "",
                format_duration(record.started),
                format_duration(record.ended - record.started) if record.ended is not None else "",
                f"{record.transferred:,}" if record.transferred else "",
                why(record),
                record.detail,
            ),
            record.failure is not None or not came_through(record),
        )
        for outcome in observation.outcomes
        for record in outcome.connections
    )
    total = sum(len(outcome.connections) for outcome in observation.outcomes)
    return cut(columns, (4, 5, 6), rows, total)


def drop_table(observation: Observation) -> Table:
    """What was dropped, where and why; the most first. Drops of queues and broken links are among the links."""
    ordered = sorted(observation.drops, key=lambda one: (-one.packets, one.node, one.reason, one.place))
    rows = (Row((one.node, one.reason, one.place, f"{one.packets:,}")) for one in ordered)
    return cut(("node", "reason", "place", "packets"), (3,), rows, len(ordered))


def link_table(observation: Observation) -> Table:
    """What each direction of a link carried and lost."""
    rows = (
        Row(
            (
                one.link,
                one.direction,
                f"{one.frames:,}",
                format_octets(one.octets),
                f"{one.drops:,}" if one.drops else "",
            ),
            one.drops > 0,
        )
        for one in observation.links
    )
    return cut(("link", "direction", "frames", "octets", "drops"), (2, 3, 4), rows, len(observation.links))


def rule_table(observation: Observation) -> Table:
    """How often each rule matched."""
    rows = (Row((one.node, one.place, f"{one.packets:,}")) for one in observation.rules)
    return cut(("node", "rule", "packets"), (2,), rows, len(observation.rules))
