"""The methods beside each other as bars: a panel for each measure, a bar for each target and world."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from labs.published.judging import Ours
from labs.published.measures import Unit
from labs.published.methods import MethodTable
from labs.report.drawing import COLOURS, drawn_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["method_plot"]

_ACROSS = 3
_HATCHES = ("", "////", "....", "xxxx")
_FACES = (COLOURS[0], "#c9d7e2", "#f3f5f7", "#8a99a6")
"""From dark to light, each with its own hatch: told apart in grey too."""


def method_plot(columns: Sequence[str], tables: Sequence[MethodTable]) -> str:
    """All panels. Empty without a table."""
    if not tables:
        return ""
    down = -(-len(columns) // _ACROSS)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(down, _ACROSS, sharey=True, squeeze=False).flat
        for number, axes in enumerate(panels):
            if number < len(columns):
                _panel(axes, columns[number], number, tables)
            else:
                axes.set_visible(False)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), fontsize=8, frameon=False)

    rows = len(tables[0].rows)
    return drawn_figure("methods", draw, down * (0.75 + 0.13 * rows * max(len(tables), 2)))


def _panel(axes: Axes, title: str, number: int, tables: Sequence[MethodTable]) -> None:
    tidy(axes)
    axes.grid(False, axis="y")
    names = [row.name for row in tables[0].rows]
    height = 0.82 / len(tables)
    finite = [value for table in tables for row in table.rows if (value := _value(row.cells[number])) is not None]
    most = max((value for value in finite if not math.isinf(value)), default=0.0)
    for place, table in enumerate(tables):
        for row, one in enumerate(table.rows):
            value = _value(one.cells[number])
            y = row + (place - (len(tables) - 1) / 2) * height
            if value is None:
                axes.annotate("not run", (0, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=6)
                continue
            shown = min(value, most * 1.1) if most else 0.0
            axes.barh(
                y,
                shown,
                height * 0.92,
                color=_FACES[place % 4],
                hatch=_HATCHES[place % 4],
                edgecolor="#1d262e",
                linewidth=0.5,
                label=f"{table.target}, {table.world}" if row == 0 else None,
            )
            text = one.cells[number].shown.partition(" ")[0] if not math.isinf(value) else "never"
            text = "0" if text == "at" else text
            axes.annotate(text, (shown, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=6.5)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.margins(x=0.16)
    axes.set_xlim(left=0)
    axes.set_title(_wrapped(title), fontsize=8.5, loc="left")
    axes.set_xlabel(_unit(tables[0].rows[0].cells[number].unit), fontsize=8)
    axes.tick_params(axis="x", labelsize=7)


def _value(cell: Ours) -> float | None:
    if cell.value is None or isinstance(cell.value, str):
        return None
    return cell.value / 1e6 if cell.unit is Unit.RATE else cell.value


def _unit(unit: Unit) -> str:
    return {Unit.RATE: "Mbit/s", Unit.SECONDS: "seconds", Unit.SHARE: "share"}.get(unit, "")


def _wrapped(title: str, most: int = 44) -> str:
    """In two lines where it is long."""
    if len(title) <= most:
        return title
    words, first = title.split(), ""
    while len(first) + len(words[0]) < len(title) / 2 + 4:
        first += ("" if not first else " ") + words.pop(0)
    return f"{first}\n{' '.join(words)}"
