"""A plot of some series, with axes, a legend, and its numbers as text for copying."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from appliance.console.widgets.chart import Canvas, Series, nice_ticks
from appliance.console.widgets.grid_layout import fitted
from appliance.console.widgets.reading import reader_of
from appliance.console.words import Reader
from appliance.language import _

__all__ = ["Plot"]

REDRAW = 0.5
"""Seconds at least between two drawings of new data."""
COLOURS = 6


class Plot(Widget, can_focus=True):
    """Lines, steps or bars."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", _("Copy"), id="plot.copy", tooltip=_("Copy the numbers as a table")),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "plot--axis", "plot--title", *(f"plot--series-{number}" for number in range(COLOURS)),
    }  # fmt: skip
    DEFAULT_CSS = """
    Plot {
        height: 1fr; min-height: 5; background: $surface; color: $foreground;
        & .plot--axis { color: $text-muted; }
        & .plot--title { color: $foreground; text-style: bold; }
        & .plot--series-0 { color: $text-primary; }
        & .plot--series-1 { color: $text-warning; }
        & .plot--series-2 { color: $text-success; }
        & .plot--series-3 { color: $text-error; }
        & .plot--series-4 { color: $text-secondary; }
        & .plot--series-5 { color: $foreground; }
        &:focus .plot--title { text-style: bold underline; }
    }
    """

    def __init__(
        self, title: str = "", *, unit: str = "", x_title: str = "", id: str | None = None, zero: bool = True
    ) -> None:
        """Texts are of the reader already. ``zero``: the axis of y begins at 0 when no value is below it."""
        super().__init__(id=id)
        self.title = title
        self.unit = unit
        self.x_title = x_title
        self.zero = zero
        self.series: tuple[Series, ...] = ()
        self.labels: dict[float, str] = {}
        self._drawn = -math.inf
        self._timer: Timer | None = None
        self._strips: list[Strip] = []

    def show(self, series: Sequence[Series], labels: Mapping[float, str] | None = None) -> None:
        """Other data; they are drawn at most twice a second, the newest always in the end. ``labels``: what stands at
        places of x that are no numbers, as days and types of rooms, in the reader's language."""
        self.series = tuple(series)
        self.labels = dict(labels or {})
        wait = self._drawn + REDRAW - monotonic()
        if wait <= 0:
            self._redraw()
        elif self._timer is None:
            self._timer = self.set_timer(wait, self._redraw)

    def _redraw(self) -> None:
        self._timer = None
        self._drawn = monotonic()
        self._strips = []
        self.refresh()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._strips = []

    def notify_style_update(self) -> None:
        """Another theme."""
        self._strips = []
        super().notify_style_update()

    def bounds(self) -> tuple[float, float, float, float] | None:
        """Least and greatest x and y, or None without any point."""
        points = [
            point for one in self.series for point in one.points if math.isfinite(point[0]) and math.isfinite(point[1])
        ]
        if not points:
            return None
        low, high = min(y for _, y in points), max(y for _, y in points)
        if self.zero or any(one.kind == "bar" for one in self.series):
            low, high = min(low, 0.0), max(high, 0.0)
        if low == high:
            low, high = low - 1, high + 1
        if all(x == points[0][0] for x, _ in points):
            # One place along: in the middle, with room above.
            high += (high - low) / 10
            return points[0][0] - 1, points[0][0] + 1, low, high
        # A bar of a category stands around its place.
        aside = 0.5 if self.labels else 0.0
        return min(x for x, _ in points) - aside, max(x for x, _ in points) + aside, low, high

    def render_line(self, y: int) -> Strip:
        """One line of the picture."""
        if not self._strips:
            self._strips = self._drawing()
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self.rich_style)

    def _drawing(self) -> list[Strip]:
        width, height = self.size
        strips = [self._legend(width)]
        bounds = self.bounds()
        if bounds is None or width < 12 or height < 4:
            text = reader_of(self).say(_("no data yet")) if bounds is None else ""
            strips.append(Strip([Segment(f"  {text}", self._style("plot--axis"))]))
            return [strip.adjust_cell_length(width, self.rich_style) for strip in strips]
        reader = reader_of(self)
        lines = height - 3
        ticks = nice_ticks(bounds[2], bounds[3], max(2, lines // 3))
        labels = {round((1 - (tick - bounds[2]) / (bounds[3] - bounds[2])) * (lines - 1)): _tick(reader, tick)
                  for tick in ticks if bounds[2] <= tick <= bounds[3]}  # fmt: skip
        margin = min(max((len(label) for label in labels.values()), default=0), width // 3)
        canvas = Canvas(width - margin - 2, lines)
        for number, one in enumerate(self.series):
            canvas.draw(number, one, bounds)
        axis = self._style("plot--axis")
        for y in range(lines):
            label = labels.get(y, "")
            segments = [Segment(f"{label[:margin]:>{margin}} {'┤' if label else '│'}", axis)]
            segments.extend(Segment(text, self._series_style(number)) for text, number in canvas.line(y))
            strips.append(Strip(segments))
        strips.extend(self._x_axis(reader, bounds, margin, canvas.width))
        return [strip.simplify().adjust_cell_length(width, self.rich_style) for strip in strips]

    def _x_axis(self, reader: Reader, bounds: tuple[float, ...], margin: int, width: int) -> list[Strip]:
        left, right = bounds[0], bounds[1]
        rule, text = ["─"] * width, [" "] * width
        free = 0
        title = self.x_title[: width // 3]
        ticks = sorted(self.labels) if self.labels else nice_ticks(left, right, max(2, width // 12))
        most = max(12, width // max(len(ticks), 1) - 1)
        for tick in ticks:
            place = round((tick - left) / (right - left) * (width - 1)) if right > left else 0
            label = fitted(self.labels[tick], most).rstrip() if self.labels else _tick(reader, tick)
            start = min(max(place - len(label) // 2, 0), width - len(label) - (cell_len(title) + 1 if title else 0))
            if 0 <= place < width and start >= free:
                rule[place] = "┬"
                text[start : start + len(label)] = label
                free = start + len(label) + 1
        axis = self._style("plot--axis")
        if title:
            text[width - cell_len(title) :] = title
        head = " " * (margin + 1)
        return [Strip([Segment(head + "└" + "".join(rule), axis)]), Strip([Segment(head + " " + "".join(text), axis)])]

    def _legend(self, width: int) -> Strip:
        unit = f" ({self.unit})" if self.unit else ""
        segments = [Segment(reader_of(self).say(self.title) + unit, self._style("plot--title"))]
        segments.append(Segment("  ", self.rich_style))
        for number, one in enumerate(self.series):
            title = fitted(reader_of(self).say(one.title), min(cell_len(one.title), 24))
            segments += [Segment("■ ", self._series_style(number)), Segment(title + "  ", self.rich_style)]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name)

    def _series_style(self, number: int) -> Style:
        return self.rich_style if number < 0 else self._style(f"plot--series-{number % COLOURS}")

    # As text

    def table(self) -> str:
        """All numbers, one line for each x, columns by tabs; those that are not there are empty."""
        reader = reader_of(self)
        columns = [dict(one.points) for one in self.series]
        places = sorted({x for column in columns for x in column if math.isfinite(x)})
        lines = ["\t".join([self.x_title or "x", *(reader.say(one.title) for one in self.series)])]
        for x in places:
            cells = (repr(column[x]) if x in column else "" for column in columns)
            lines.append("\t".join([self.labels.get(x, repr(x)), *cells]))
        return "\n".join(lines)

    def action_copy(self) -> None:
        """Copy the numbers."""
        self.app.copy_to_clipboard(self.table())
        self.app.notify(reader_of(self).say(_("Copied")), markup=False, timeout=2)


def _tick(reader: Reader, value: float) -> str:
    """A number of an axis: 1,500,000 is 1.5M (SI prefixes)."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(value) >= size:
            return reader.value(float(f"{value / size:.6g}")) + letter
    return reader.value(float(f"{value:.6g}"))
