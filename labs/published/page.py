"""The report of a paper: one HTML file with the tables and the plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from markupsafe import Markup

from compiler.simulator.engine import SECOND
from labs.data import render_page
from labs.lab_file import read_lab_file
from labs.observation import Observation
from labs.published.judging import Judgement, Seen, Verdict
from labs.published.methods import method_columns
from labs.published.paper import Run
from labs.published.running import Done, Place
from labs.published.tables import row_cells, row_columns, title_of
from labs.report.line_plots import Visits, attempts_of, line_plot, readers_of, visits_plot
from labs.report.method_plots import method_plot
from labs.topology import Lab

__all__ = ["page", "plots"]

_CLASSES = {
    Verdict.SAME: "held",
    Verdict.EXPECTED: "held",
    Verdict.ERRATUM: "erratum",
    Verdict.DIFFERS: "failed",
    Verdict.UNKNOWN: "skipped",
}
_READERS = "A row for each method; each mark is a visit, which is a connection."
_ATTEMPTS = "Each mark is a connection that came about; the broken line is the failure."


def page(name: str, command: str, done: Done) -> str:
    """The HTML."""
    return render_page(
        "published.html.j2",
        lab=name,
        paper=done.paper.about,
        command=command,
        columns=row_columns(done),
        rows=[_row(one) for one in done.rows],
        plots=[(title, Markup(svg), note) for title, svg, note in plots(done)],
        methods=[
            (title_of(table), [(row.name, [cell.shown for cell in row.cells]) for row in table.rows])
            for table in done.methods
        ],
        method_columns=method_columns(done.paper.methods),
        errata=list(dict.fromkeys(one.row.erratum for one in done.rows if one.row.erratum)),
    )


def _row(one: Judgement) -> tuple[list[str], str, str]:
    """Cells without the reason, the class of the judgement, and the reason."""
    cells = list(row_cells(one))
    return cells[:-1], _CLASSES[one.verdict], cells[-1]


def plots(done: Done) -> list[tuple[str, str, str]]:
    """Title, SVG and note of each plot that there is something for."""
    runs = dict.fromkeys(one.row.run for one in done.rows)
    found = []
    for world in done.worlds:
        asked = {run: done.seen[Place(run, world)] for run in runs if Place(run, world) in done.seen}
        failing = {run: seen for run, seen in asked.items() if seen[0].faults}
        found += [(f"Failures, {world}: {about}", *plot) for about, plot in _failures(world, failing)]
        readers = _most_alike([row for run, seen in asked.items() for row in _readers(run, *seen)])
        found.append((f"The forum, {world}", visits_plot(f"published-forum-{world}", readers, "logs in"), _READERS))
    found.append(("The methods", method_plot(method_columns(done.paper.methods), done.methods), ""))
    return [one for one in found if one[1]]


def _failures(world: str, failing: Mapping[Run, Seen]) -> Iterator[tuple[str, tuple[str, str]]]:
    """For runs of one fault together: their attempts beside each other, and the lines of the first."""
    kinds: dict[str, list[tuple[Run, Seen]]] = {}
    for run, seen in failing.items():
        fault = seen[0].faults[0]
        kinds.setdefault(f"{fault.target} {fault.kind.value.partition('-')[2]} at {fault.at / SECOND:g} s", []).append(
            (run, seen)
        )
    for about, runs in kinds.items():
        rows = [
            attempts_of(_named(lab), lab, [one for one in observation.outcomes if len(one.connections) > 1])
            for run, (lab, observation) in runs
        ]
        salt = f"published-{world}-{about.replace(' ', '-')}"
        yield about, (visits_plot(salt, rows, "never came about, or broke"), _ATTEMPTS)
        for run, (lab, observation) in runs[:1]:
            yield f"{about}, throughput of the lines ({run.variant})", (line_plot(lab, observation), "")


def _named(lab: Lab) -> str:
    """The variant, and what its router was compiled to."""
    targets = [node.balance.target for node in lab.nodes if node.balance is not None]
    name = lab.variant or lab.name
    return name if not targets or name.endswith(targets[0]) else f"{name} ({targets[0]})"


def _readers(run: Run, lab: Lab, observation: Observation) -> list[Visits]:
    """Of one run: its settings say how it differs."""
    if lab.faults:
        return []
    own = dict(read_lab_file(run.lab).parameters) | dict(run.settings)
    how = ", ".join(value for name, value in own.items() if name == "method" or name in dict(run.settings))
    return [row._replace(title=how) for row in readers_of(lab, observation)]


def _most_alike(rows: list[Visits]) -> list[Visits]:
    """Rows of another length would squeeze the others: those of the most common length."""
    lengths = [row.records[-1].started // SECOND for row in rows]
    common = max(lengths, key=lambda length: (lengths.count(length), -length), default=0)
    return [row for row, length in zip(rows, lengths, strict=True) if length == common]
