"""The table of a comparison: a row for each figure, a column for each variant, one table for each world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from labs.agreement import Difference
from labs.comparison.runs import WORLDS, Done, Measured
from labs.data import render_page

__all__ = ["PLAIN", "ComparisonTable", "as_json", "page", "tables", "text_lines"]

PLAIN = "as it stands"
"""The lab without any variant."""
_NOTHING = "-"


class ComparisonTable(NamedTuple):
    """The figures that at least one of the runs in a world has."""

    world: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def tables(done: Done) -> tuple[ComparisonTable, ...]:
    """One for each world that there was, in a fixed order."""
    grouped = [[one for one in done.measured if one.world == world] for world in WORLDS]
    return tuple(_table(runs) for runs in grouped if runs)


def _table(runs: Sequence[Measured]) -> ComparisonTable:
    shown = [{figure.name: figure.shown for figure in one.figures} for one in runs]
    names = dict.fromkeys(figure.name for one in runs for figure in one.figures)
    rows = tuple((name, tuple(column.get(name, _NOTHING) for column in shown)) for name in names)
    return ComparisonTable(runs[0].world, tuple(one.variant or PLAIN for one in runs), rows)


def text_lines(name: str, done: Done) -> Iterator[str]:
    """For a terminal."""
    for table in tables(done):
        yield f"{name} in the {table.world}"
        first = max(len(row[0]) for row in table.rows)
        widths = [
            max(len(column), *(len(cells[number]) for _, cells in table.rows))
            for number, column in enumerate(table.columns)
        ]
        for title, cells in (("", table.columns), *table.rows):
            right = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
            yield f"  {title:{first}}  {'  '.join(right)}".rstrip()
    for one in done.measured:
        if one.skipped:
            yield f"{one.variant or PLAIN} in the {one.world}: {_judged(one)}"
        for message in one.failed:
            yield f"FAILED {one.variant or PLAIN} in the {one.world}: {message}"
        for feature, reason in one.lacks:
            yield f"no {feature} of {one.variant or PLAIN} in the {one.world}: {reason}"
    for variant, differences in done.differences.items():
        yield from _differences(variant or PLAIN, differences, done.shared[variant])


def _judged(one: Measured) -> str:
    """How many assertions held, failed and were skipped: what was skipped was not judged."""
    return f"assertions: {one.held} held, {len(one.failed)} failed, {one.skipped} skipped"


def _agreement(shared: tuple[int, int]) -> str:
    """No difference is no agreement about what did not run in both."""
    compared, number = shared
    if number and not compared:
        return "nothing was compared: no activity ran in both worlds"
    return "the worlds agree" + (
        "" if compared == number else f" in the {compared} of {number} activities that both ran"
    )


def _differences(variant: str, differences: Sequence[Difference], shared: tuple[int, int]) -> Iterator[str]:
    if not differences:
        yield f"{variant}: {_agreement(shared)}"
        return
    yield f"{variant}: the worlds differ in {len(differences):,} (simulator | kernel):"
    yield from (f"  {difference}" for difference in differences[:10])
    if len(differences) > 10:
        yield f"  … and {len(differences) - 10:,} more"


def as_json(name: str, source: str, about: Mapping[str, str], done: Done) -> dict[str, object]:
    """For ``--format json``: rates are bits a second."""
    return {
        "lab": name,
        "source": source,
        "runs": [
            {
                "variant": one.variant or None,
                "about": about.get(one.variant, ""),
                "world": one.world,
                "seed": one.seed,
                "seconds": one.seconds,
                "figures": {figure.name: figure.value for figure in one.figures},
                "held": one.held,
                "failed": list(one.failed),
                "skipped": one.skipped,
                "lacks": dict(one.lacks),
            }
            for one in done.measured
        ],
        "differences": {
            variant: [difference._asdict() for difference in differences]
            for variant, differences in done.differences.items()
        },
    }


def page(name: str, about: Mapping[str, str], command: str, done: Done) -> str:
    """For ``--report``: one HTML file that needs nothing else."""
    return render_page(
        "comparison.html.j2",
        lab=name,
        command=command,
        about=[(variant, text) for variant, text in about.items() if text],
        tables=tables(done),
        failed=[(one.variant or PLAIN, one.world, message) for one in done.measured for message in one.failed],
        skipped=[(one.variant or PLAIN, one.world, _judged(one)) for one in done.measured if one.skipped],
        lacks=[(one.variant or PLAIN, one.world, *lack) for one in done.measured for lack in one.lacks],
        differences=[
            (variant or PLAIN, _agreement(done.shared[variant]), differences)
            for variant, differences in done.differences.items()
        ],
    )
