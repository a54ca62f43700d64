"""A pane with a grid that looks again when something happens to its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from appliance.console.screens import Pane
from appliance.console.widgets.grid import Grid

__all__ = ["GridPane"]

PAUSE = 0.05
"""Seconds in which further reasons to look again come together to one look."""


class GridPane(Pane):
    """``subjects``: what events are about when the rows have changed."""

    def __init__(self, service: str, *, title: str, help: str, subjects: frozenset[str]) -> None:
        super().__init__(service, title=title, help=help)
        self._subjects = subjects
        self._stale = False
        self._looking = False

    def on_mount(self) -> None:
        """The pane's keys work while the grid has the focus."""
        _give_way(self.grid, self._bindings.key_to_bindings)

    @property
    def grid(self) -> Grid:
        """The rows."""
        return self.query_one(Grid)

    def look_again(self) -> None:
        """Soon, and once for several reasons: one's own change comes back as an event."""
        if not self._looking:
            self._looking = True
            self.set_timer(PAUSE, self._look)

    def _look(self) -> None:
        self._looking = False
        self.grid.action_refresh_rows()

    def told(self, event: Mapping[str, Any]) -> None:
        """Look again when it was about these rows; later, if they are not seen."""
        subject = str(event.get("subject", "")).partition("/")[0]
        if event.get("kind") == "missed" or subject in self._subjects:
            if self.display and self.screen.is_current:
                self.look_again()
            else:
                self._stale = True

    def on_show(self) -> None:
        """Look again, if something happened while it was not seen."""
        if self._stale:
            self._stale = False
            self.look_again()


def _give_way(grid: Grid, taken: Iterable[str]) -> None:
    """A grid has the focus, so its keys would hide those of the screen around it: they go to Alt with the same key.

    In the list of bookings ``c`` changes one, and Alt+C chooses the columns.
    """
    keys = frozenset(taken)
    for widget in (grid, grid.body):
        bound = widget._bindings.key_to_bindings
        for key in keys & bound.keys():
            for one in bound.pop(key):
                # What the arrows do as well needs no other key.
                if not any(one.action == other.action for others in bound.values() for other in others):
                    bound[f"alt+{key}"] = [replace(one, key=f"alt+{key}", key_display=None)]
