"""The tables of a report about real processes: programs of nodes, commands of clients."""

from __future__ import annotations

from compiler.placed.quantities import format_duration
from labs.observation import Observation
from labs.report.tables import Row, Table, cut
from labs.words.commands import how_it_ended, last_lines

__all__ = ["command_table", "program_table"]

_LINES = 8
"""Of an output; --format json has its last 64 KiB."""


def program_table(observation: Observation) -> Table:
    """One row for each program that a node ran."""
    rows = (
        Row(
            (
                one.node,
                one.program,
                "ran to the end" if one.status is None else how_it_ended(one.status),
                format_duration(one.ended) if one.ended is not None else "",
                last_lines(one.output, _LINES),
            ),
            one.is_fallen,
        )
        for one in observation.programs
    )
    return cut(("node", "program", "what became of it", "at", "said last"), (3,), rows, len(observation.programs))


def command_table(observation: Observation) -> Table:
    """One row for each command that a client ran."""
    rows = (
        Row(
            (
                f"{one.traffic}#{one.index}",
                one.client,
                format_duration(one.started),
                format_duration(one.ended - one.started) if one.ended is not None else "",
                how_it_ended(one.status),
                last_lines(one.output, _LINES),
            ),
            one.status != 0,
        )
        for one in observation.commands
    )
    columns = ("command", "client", "began", "took", "how it ended", "said last")
    return cut(columns, (2, 3), rows, len(observation.commands))
