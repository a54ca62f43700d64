"""The columns of a grid on the screen: which, how wide, and a row's cells as text. Pure but for the reader's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.cells import cell_len, set_cell_size

from appliance.console.words import BYTES, Reader
from appliance.contract.fields import Field, Kind
from appliance.contract.listings import Column, Order

__all__ = ["GUTTER", "Layout", "Slot", "fitted", "lay_out", "tab_separated"]

GUTTER = 2
"""Cells before the first column, for the mark."""
NARROWEST = 4
WIDEST = 40
LEAST = {Kind.DAY: 10, Kind.MOMENT: 16, Kind.YES_NO: 5}
"""Cells that a column of the kind has at least, whatever the first rows hold."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A column on the screen. ``index`` is its place in the source; ``width`` is without the blanks beside it."""

    index: int
    field: Field
    title: str
    width: int

    @property
    def cells(self) -> int:
        """With the blank on each side."""
        return self.width + 2


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that are shown, in order; the first does not scroll."""

    slots: tuple[Slot, ...] = ()

    @property
    def frozen(self) -> int:
        """Cells that stay when the others scroll."""
        return GUTTER + self.slots[0].cells if self.slots else GUTTER

    @property
    def cells(self) -> int:
        """Cells of a whole row."""
        return GUTTER + sum(slot.cells for slot in self.slots)

    def span(self, place: int) -> tuple[int, int]:
        """Where a column is, in cells from the left of an unscrolled row."""
        start = GUTTER + sum(slot.cells for slot in self.slots[:place])
        return start, start + self.slots[place].cells

    def at(self, cell: int, scrolled: int) -> int | None:
        """The column under a cell of the screen, or None."""
        if cell >= self.frozen:
            cell += scrolled
        for place in range(len(self.slots)):
            start, end = self.span(place)
            if start <= cell < end:
                return place
        return None

    def widened(self, reader: Reader, rows: Iterable[Sequence[Any]]) -> Layout:
        """With room for the numbers of these rows: a number that is cut is another number."""
        widths = {slot.index: slot.width for slot in self.slots if slot.field.numeric}
        for values in rows:
            for slot in self.slots:
                if slot.index in widths:
                    width = len(reader.shown(slot.field, values[slot.index]))
                    widths[slot.index] = max(widths[slot.index], width)
        return Layout(tuple(replace(slot, width=widths.get(slot.index, slot.width)) for slot in self.slots))

    def widened_for_totals(self, reader: Reader, totals: Mapping[str, Any]) -> Layout:
        """With room for these sums."""
        widths = {name: len(reader.shown(slot.field, totals[name]))
                  for slot in self.slots if (name := slot.field.name) in totals}  # fmt: skip
        return Layout(
            tuple(replace(slot, width=max(slot.width, widths.get(slot.field.name, 0))) for slot in self.slots)
        )

    def header(self, order: Sequence[Order]) -> list[str]:
        """The titles with arrows, each in its cells."""
        arrows = {
            one.column: ("▼" if one.descending else "▲") + (str(place) if len(order) > 1 else "")
            for place, one in enumerate(order, 1)
        }
        titles = []
        for slot in self.slots:
            arrow = arrows.get(slot.field.name, "")
            room = slot.width - cell_len(arrow)
            text = fitted(slot.title, min(room, cell_len(slot.title))) + arrow
            titles.append(_aligned(slot, text))
        return titles

    def cells_of(self, reader: Reader, values: Sequence[Any]) -> list[str]:
        """A row's values, each in its cells."""
        return [_aligned(slot, reader.shown(slot.field, values[slot.index])) for slot in self.slots]

    def cells_of_totals(self, reader: Reader, values: Mapping[str, Any]) -> list[str]:
        """The totals line, each in its cells."""
        return [_aligned(slot, reader.shown(slot.field, values.get(slot.field.name))) for slot in self.slots]


def lay_out(
    reader: Reader,
    columns: Sequence[Column],
    shown: Sequence[str],
    sample: Sequence[Sequence[Any]],
    wished: Mapping[str, int],
    room: int,
) -> Layout:
    """The columns named by ``shown``, as wide as their titles and the sampled values need; ``wished`` are widths that
    somebody chose, ``room`` the cells of the screen."""
    places = {column.name: index for index, column in enumerate(columns)}
    slots = []
    for name in shown:
        index = places[name]
        field = columns[index].field
        unit = f" ({reader.unit(field)})" if field.unit and field.unit != BYTES and field.kind is not Kind.SHARE else ""
        title = reader.label(field) + unit
        widths = [cell_len(reader.shown(field, values[index])) for values in sample]
        width = max([cell_len(title) + 2, LEAST.get(field.kind, NARROWEST), *widths])
        width = wished.get(name, width if field.numeric else min(width, WIDEST))
        slots.append(Slot(index, field, title, width))
    if slots and room:
        # The column that stays leaves the others half of the screen.
        slots[0] = replace(slots[0], width=max(NARROWEST, min(slots[0].width, room // 2 - GUTTER - 2)))
    return Layout(tuple(slots))


def tab_separated(reader: Reader, slots: Sequence[Slot], rows: Iterable[Sequence[Any]]) -> list[str]:
    """The rows as lines of TSV, in the reader's words."""
    return ["\t".join(reader.shown(slot.field, values[slot.index]) for slot in slots) for values in rows]


def fitted(text: str, cells: int) -> str:
    """The text in exactly this many cells, cut with an ellipsis."""
    if cells <= 0:
        return ""
    if cell_len(text) > cells:
        return set_cell_size(set_cell_size(text, cells - 1).rstrip() + "…", cells)
    return set_cell_size(text, cells)


def _aligned(slot: Slot, text: str) -> str:
    width = cell_len(text)
    if width < slot.width:
        blanks = " " * (slot.width - width)
        return f" {blanks}{text} " if slot.field.numeric else f" {text}{blanks} "
    return f" {fitted(text, slot.width)} "
