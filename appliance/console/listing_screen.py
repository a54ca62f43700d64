"""A screen for any listing: its grid, and the service's commands as actions on its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from appliance.console.access import Access
from appliance.console.actions import Action, perform
from appliance.console.dialog import LookScreen
from appliance.console.exporting import export
from appliance.console.grid_pane import GridPane
from appliance.console.listing_source import ListingSource, TotalledSource
from appliance.console.screens import Pane, ScreenDescription
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.grid import Grid
from appliance.contract.fields import title_of
from appliance.contract.listings import Condition, Order
from appliance.language import _

__all__ = ["Action", "ListingPane", "ListingScreen"]

HELP = _("""\
# Rows and what is done with them

The keys of the actions stand in the last line but one. **Enter** looks at the whole row, **/** searches, **f** filters,
**s** sorts, **x** exports all rows that are shown.
""")


@dataclass(frozen=True, kw_only=True)
class ListingScreen(ScreenDescription):
    """``ListingScreen(name="bookings", title=_("Bookings"), row=BookingRow, actions=(…))``."""

    row: type
    """The record of a row, as the listing has it."""
    listing: str = ""
    """Its name, if the screen has another."""
    actions: Sequence[Action] = ()
    order: tuple[Order, ...] = ()
    conditions: tuple[Condition, ...] = ()
    shown: tuple[str, ...] = ()
    """The columns at first; none: all."""
    totals: tuple[str, ...] = ()
    """Columns that are added up."""
    follows: tuple[str, ...] = ()
    """Subjects of events by which its rows change, beside its own name."""

    def visible(self, access: Access, service: str) -> bool:
        """Who may look at the listing."""
        return access.may_see(service, self.listing or self.name)

    def pane(self, service: str) -> Pane:
        """The grid with its keys."""
        return ListingPane(self, service)


class ListingPane(GridPane):
    """What ``ListingScreen`` makes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "export", _("Export"), id="listing.export", tooltip=_("Save the rows as XLSX or CSV")),
    ]

    def __init__(self, described: ListingScreen, service: str) -> None:
        self.described = described
        self.listing = described.listing or described.name
        subjects = frozenset({self.listing, *described.follows})
        super().__init__(service, title=described.title, help=described.help or HELP, subjects=subjects)
        for action in described.actions:
            self._bindings.bind(action.key, f"do('{action.command}')", action.title)
        self._name_keys()

    def _name_keys(self) -> None:
        """Ids, by which the user remaps them: ``hotel.book``."""
        from dataclasses import replace

        by_name = {f"do('{action.command}')": action for action in self.described.actions}
        for key, bindings in self._bindings.key_to_bindings.items():
            self._bindings.key_to_bindings[key] = [
                replace(one, id=f"{self.service}.{by_name[one.action].command}", tooltip=by_name[one.action].tooltip)
                if one.action in by_name
                else one
                for one in bindings
            ]

    def compose(self) -> ComposeResult:
        """The grid fills it."""
        one = self.described
        made = (lambda: self.door, self.service, self.listing, one.row)
        self.source = TotalledSource(*made, totals=one.totals) if one.totals else ListingSource(*made)
        yield Grid(self.source, order=one.order, conditions=one.conditions, shown=one.shown)

    def _action(self, text: str) -> Action | None:
        return next((one for one in self.described.actions if text == f"do('{one.command}')"), None)

    def why_not(self, action: str) -> str:
        """Roles first, then whether there is a row, then what the command asks of it."""
        found = self._action(action)
        if found is None:
            return ""
        if reason := self.needs(found.command):
            return reason
        if not found.needs_row or not self.is_mounted:
            return ""
        if self.grid.row is None:
            return self.reader.say(_("There is no row under the cursor."))
        return found.why_not(self.reader, self.row_values())

    def action_do(self, command: str) -> None:
        """One of the actions, on the row of now."""
        action = self._action(f"do('{command}')")
        if action is not None and not self.refuses(f"do('{command}')"):
            begin(self, self._do(action))

    async def _do(self, action: Action) -> None:
        if await perform(self, action, self.row_values()):
            self.look_again()

    def row_values(self) -> dict[str, Any]:
        """The row under the cursor by the names of its columns, with its ``id`` and ``version``."""
        row = self.grid.row
        if row is None:
            return {}
        names = [column.name for column in self.source.columns]
        return {"id": row.id, "version": row.version, **dict(zip(names, row.values, strict=False))}

    @on(Grid.Chosen)
    def _chosen(self, event: Grid.Chosen) -> None:
        event.stop()
        values = self.row_values()
        title = self.reader.say(title_of(self.described.row))
        self.app.push_screen(LookScreen(title, self.described.row, values))

    def action_export(self) -> None:
        """As CSV or XLSX."""
        begin(self, export(self, self.source, self.listing), group="export")
