"""The keys of a grid. Each has an id, by which a user's own keys are put in its place."""

from __future__ import annotations

from textual.binding import Binding

from appliance.language import _

__all__ = ["GRID_KEYS"]

SORTING = Binding.Group(_("sort"), compact=True)
COPYING = Binding.Group(_("copy"), compact=True)
GRID_KEYS = (
    Binding("enter", "choose", _("Open"), id="grid.choose", tooltip=_("Open the row")),
    Binding("space", "mark", _("Mark"), id="grid.mark", tooltip=_("Mark the row, or unmark it")),
    Binding("asterisk", "unmark_all", _("Unmark"), show=False, id="grid.unmark", tooltip=_("Unmark all rows")),
    Binding(
        "s", "sort(False)", _("Sort"), id="grid.sort", tooltip=_("Sort by the column; again: reverse"), group=SORTING
    ),
    Binding(
        "S", "sort(True)", _("Sort also"), id="grid.sort-also", tooltip=_("Sort by this column as well"), group=SORTING
    ),
    Binding("slash", "search", _("Search"), key_display="/", id="grid.search", tooltip=_("Search in all texts")),
    Binding("f", "filter", _("Filter"), id="grid.filter", tooltip=_("Show the rows that fit: rate>300000")),
    Binding("c", "choose_columns", _("Columns"), id="grid.columns", tooltip=_("Choose the columns")),
    Binding("minus", "hide_column", _("Hide column"), show=False, id="grid.hide"),
    Binding("less_than_sign", "widen(-2)", _("Narrower"), show=False, id="grid.narrower"),
    Binding("greater_than_sign", "widen(2)", _("Wider"), show=False, id="grid.wider"),
    Binding(
        "y", "copy(False)", _("Copy"), id="grid.copy", tooltip=_("Copy the marked rows, or this one"), group=COPYING
    ),
    Binding("Y", "copy(True)", _("Copy cell"), id="grid.copy-cell", tooltip=_("Copy the cell"), group=COPYING),
    Binding("r,f5", "refresh_rows", _("Refresh"), show=False, id="grid.refresh", tooltip=_("Read the rows again")),
    Binding("escape", "clear", _("Clear"), show=False, id="grid.clear", tooltip=_("Drop search and filter")),
)
