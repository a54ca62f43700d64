"""Going about in the console: from mode to mode, by name, by letter; and what would be lost by leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from textual import work

from appliance.console.preferences import Preferences
from appliance.console.speaking_app import SpeakingApp
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.app import ConsoleApp
    from appliance.console.state import ConsoleState
    from appliance.contract.service import Service

__all__ = ["HOME", "GoingAboutApp"]

HOME = "home"


class GoingAboutApp(SpeakingApp):
    """Knows the modes and the screens; not how one comes in."""

    def __init__(self, preferences: Preferences, services: Callable[[], Iterable[Service]] | None) -> None:
        """``services``: None for those that are installed."""
        from appliance.console.state import ConsoleState

        super().__init__(preferences)
        self.state: ConsoleState = ConsoleState()
        self.reachable = asyncio.Event()
        self._services = services

    def installed(self) -> Iterable[Service]:
        """The services that there is code for here."""
        from appliance.contract.service import all_services

        return (self._services or all_services)()

    def action_mode(self, name: str) -> None:
        """Another service."""
        if self.state.person is not None and name in self._modes:
            self.fold_toasts()
            self.switch_mode(name)

    def action_next_mode(self, by: int) -> None:
        """The service beside this one."""
        names = [HOME, *(one.name for one in self.state.access.services if one.name in self._modes)]
        if self.current_mode in names:
            self.action_mode(names[(names.index(self.current_mode) + by) % len(names)])

    def action_open(self, service: str, screen: str) -> None:
        """One screen of one service."""
        self._open(service, screen)

    @work(group="open", exclusive=True)
    async def _open(self, service: str, screen: str) -> None:
        from appliance.console.shell import ServiceScreen

        if service in self._modes:
            await self.switch_mode(service)
            base = self.screen_stack[0]
            if isinstance(base, ServiceScreen):
                # It may have been made a moment ago, by a key that went there without waiting for it.
                await base.ready.wait()
                await base.open(screen)

    def action_notices(self) -> None:
        """What was told."""
        self.action_open(HOME, "notifications")

    def action_palette(self) -> None:
        """Find anything by its name."""
        if self.reachable.is_set():
            from appliance.console.palette import open_palette

            open_palette(cast("ConsoleApp", self))

    def action_jump(self) -> None:
        """Letters over all that can have the focus."""
        if self.reachable.is_set():
            from appliance.console.jump import JumpScreen

            self.push_screen(JumpScreen.over(self.screen))

    def action_keys(self) -> None:
        """The key sheet."""
        from appliance.console.key_sheet import KeySheet

        if isinstance(self.screen, KeySheet):
            self.screen.dismiss()
        elif self.reachable.is_set():
            self.push_screen(KeySheet.of(self.screen))

    async def _may_leave(self) -> bool:
        """Ask, if something typed would be lost."""
        from appliance.console.shell import unsaved
        from appliance.console.speaking import say
        from appliance.console.widgets.dialogs import ConfirmScreen

        if not (names := unsaved(self)):
            return True
        question = say(self, _("Not saved yet: {what}. Leave it all the same?"), {"what": ", ".join(names)})
        leave = await self.push_screen_wait(ConfirmScreen(question, danger=True))
        return bool(leave)
