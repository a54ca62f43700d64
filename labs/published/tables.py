"""The tables, for terminals, for Markdown and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from labs.published.judging import Judgement, Ours
from labs.published.methods import MethodTable, method_columns
from labs.published.running import Done

__all__ = ["as_json", "markdown_lines", "row_cells", "row_columns", "text_lines", "title_of"]


def row_columns(done: Done) -> tuple[str, ...]:
    """The columns of the table of rows."""
    return ("what", "place", "published", *(f"ours, {world}" for world in done.worlds), "judgement", "why")


def row_cells(one: Judgement) -> tuple[str, ...]:
    """One row."""
    row = one.row
    ours = (cell.shown for cell in one.ours.values())
    return (row.what, row.place, row.published, *ours, one.verdict.value, one.why)


def title_of(table: MethodTable) -> str:
    """``Methods compiled for linux, in the kernel``."""
    return f"Methods compiled for {table.target}, in the {table.world}"


def text_lines(done: Done) -> Iterator[str]:
    """For a terminal: the reason of each row stands below it."""
    columns, rows = row_columns(done)[:-1], [row_cells(one) for one in done.rows]
    yield from _columns(columns, [row[:-1] for row in rows], [row[-1] for row in rows])
    for table in done.methods:
        yield ""
        yield title_of(table)
        titles = ("", *(f"({number})" for number, _ in enumerate(method_columns(done.paper.methods), 1)))
        yield from _columns(titles, _method_cells(table), ())
    if done.methods:
        yield ""
        yield from (f"({number}) {title}" for number, title in enumerate(method_columns(done.paper.methods), 1))


def _columns(titles: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]) -> Iterator[str]:
    widths = [max(len(row[number]) for row in (titles, *rows)) for number in range(len(titles))]
    for number, row in enumerate((titles, *rows)):
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        if number and notes and notes[number - 1]:
            yield f"    {notes[number - 1]}"


def _method_cells(table: MethodTable) -> list[tuple[str, ...]]:
    return [(row.name, *(cell.shown for cell in row.cells)) for row in table.rows]


def markdown_lines(done: Done) -> Iterator[str]:
    """For a README."""
    yield from _markdown(row_columns(done), [row_cells(one) for one in done.rows])
    for table in done.methods:
        yield ""
        yield f"### {title_of(table)}"
        yield ""
        yield from _markdown(("method", *method_columns(done.paper.methods)), _method_cells(table))


def _markdown(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(_escaped(cell) for cell in row)} |"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def as_json(done: Done) -> dict[str, object]:
    """Values in bits a second, seconds, shares and octets; ``never`` for what does not come about."""
    titles = method_columns(done.paper.methods)
    return {
        "paper": done.paper.about,
        "source": done.paper.source,
        "rows": [
            {
                "what": one.row.what,
                "place": one.row.place,
                "published": one.row.published,
                "measure": one.row.measure,
                "ours": {world: _plain(cell) for world, cell in one.ours.items()},
                "judgement": one.verdict.value,
                "because": one.row.because,
                "erratum": one.row.erratum,
                "remark": one.row.remark,
                "line": str(one.row.span),
            }
            for one in done.rows
        ],
        "methods": [
            {
                "target": table.target,
                "world": table.world,
                "rows": {
                    row.name: {title: _plain(cell) for title, cell in zip(titles, row.cells, strict=True)}
                    for row in table.rows
                },
            }
            for table in done.methods
        ],
    }


def _plain(cell: Ours) -> object:
    if cell.value is None:
        return {"cannot": cell.reason} if cell.reason else None
    if isinstance(cell.value, float) and math.isinf(cell.value):
        return "never"
    return cell.value
