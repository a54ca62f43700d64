"""What a service's ``screens.py`` is written with.

::

    SCREENS = (
        MasterScreen(ROOMS),
        ListingScreen(BOOKINGS, title=_("Bookings"), actions=(Action("book", NewBooking, _("Book"), "b"),)),
        ReportScreen("occupancy", Period, title=_("Occupancy")),
    )

Each is a description. The pane that it describes is made when somebody opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.containers import Vertical

from appliance.console.access import Access
from appliance.console.widgets.reading import reader_of
from appliance.console.words import Reader
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.app import ConsoleApp
    from appliance.console.door import Door

__all__ = ["CustomScreen", "Pane", "ScreenDescription"]


class Pane(Vertical):
    """One screen of a service. Set ``HELP`` to Markdown, and ``BINDINGS`` with ids, groups and tooltips."""

    HELP: ClassVar[str | None] = ""
    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "Pane { height: 1fr; width: 1fr; }"

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        """``service``: whose commands it calls; ``title`` and ``help`` are English."""
        super().__init__()
        self.service = service
        self.pane_title = title
        self.help_text = help or self.HELP or ""
        self._off: tuple[bool, ...] = ()

    @property
    def shell(self) -> ConsoleApp:
        """The application."""
        from appliance.console.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        return self.app

    @property
    def door(self) -> Door:
        """The way to the daemon."""
        return self.shell.door

    @property
    def access(self) -> Access:
        """What the person may do."""
        return self.shell.state.access

    @property
    def reader(self) -> Reader:
        """The words of who reads."""
        return reader_of(self)

    @property
    def unsaved(self) -> str:
        """What would be lost when the pane goes: words for the reader, or nothing."""
        return ""

    def why_not(self, action: str) -> str:
        """Why an action cannot be done now, in the reader's words; empty when it can."""
        return ""

    def refuses(self, action: str) -> bool:
        """Whether it cannot be done now; if so, the user is told why."""
        reason = self.why_not(action)
        if reason:
            self.app.notify(reason, severity="warning", markup=False)
        return bool(reason)

    def needs(self, command: str) -> str:
        """Why the person may not use a command; empty when he may."""
        if self.access.may(self.service, command):
            return ""
        return self.reader.say(_("Your roles do not allow this: {command}"), {"command": f"{self.service}.{command}"})

    def show_keys(self) -> None:
        """Draw the line of keys anew, if other keys work than when it was last drawn."""
        off = tuple(bool(self.why_not(one.action)) for some in self._bindings.key_to_bindings.values() for one in some)
        if off != self._off:
            self._off = off
            self.refresh_bindings()

    def on_grid_highlighted(self) -> None:
        """Another row, the first, or none: with it go the keys that need one. (``Grid.Highlighted``.)"""
        self.show_keys()

    def told(self, event: Mapping[str, Any]) -> None:
        """Something happened in the service."""


@dataclass(frozen=True, kw_only=True)
class ScreenDescription:
    """One entry of ``SCREENS``."""

    name: str = ""
    """Unique in its service."""
    title: str = ""
    """English, a key of the translations."""
    help: str = ""
    """Markdown, English, a key of the translations."""
    also: str = ""
    """What else people call it: the palette finds it by this too. English, a key of the translations."""

    def visible(self, access: Access, service: str) -> bool:
        """Whether the person has any use of it."""
        return True

    def pane(self, service: str) -> Pane:
        """Make it."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class CustomScreen(ScreenDescription):
    """A pane of the service's own making: ``make`` is ``"package.module:Class"`` (imported when it is
    opened) or a class of Pane."""

    make: str | type[Pane]
    needs: tuple[str, ...] = ()
    """Commands or listings, one of which the person must be allowed to use; none: everybody sees it."""

    def visible(self, access: Access, service: str) -> bool:
        """One of what it needs is enough."""
        if not self.needs:
            return True
        return any(access.may(service, one) or access.may_see(service, one) for one in self.needs)

    def pane(self, service: str) -> Pane:
        """Import the class if it is named, and make one."""
        made = self.make
        if isinstance(made, str):
            from importlib import import_module

            module, _colon, name = made.partition(":")
            made = getattr(import_module(module), name)
        assert isinstance(made, type)
        assert issubclass(made, Pane)
        return made(service, title=self.title, help=self.help)
