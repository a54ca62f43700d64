"""A mode: one service, with its screens beside or above each other, and the lines that all modes share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from appliance.console.plain import plain
from appliance.console.screens import Pane, ScreenDescription
from appliance.console.speaking import say
from appliance.console.status import KeyLine, StatusBar
from appliance.console.strip import Name, NameStrip
from appliance.console.widgets.whole import to_its_end
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.access import Allowed
    from appliance.console.app import ConsoleApp
    from appliance.contract.service import Service

__all__ = ["ServiceScreen", "add_modes", "relabel", "remove_modes", "screens_of", "unsaved"]

HOME = "home"
HOME_TITLE = _("Home")


class ServiceScreen(Screen[None]):
    """One mode. A pane is made when it is first opened, and kept as it is until the language changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "next_screen(1)", _("Next screen"), show=False, id="console.next-screen"),
        Binding("shift+f4", "next_screen(-1)", _("Previous screen"), show=False, id="console.previous-screen"),
        Binding("f6", "focus_names", _("To the names"), show=False, id="console.names"),
    ]
    DEFAULT_CSS = """
    ServiceScreen {
        & #middle { height: 1fr; }
        & #stage { width: 1fr; height: 1fr; }
        & #above { display: block; }
        & #beside { display: none; }
        &.-wide #above { display: none; }
        &.-wide #beside { display: block; }
        &.-single #above, &.-single #beside { display: none; }
        & .shell--fault { padding: 1 2; color: $text-error; }
    }
    """
    AUTO_FOCUS = ""

    def __init__(self, service: str, descriptions: Callable[[], tuple[ScreenDescription, ...]]) -> None:
        """``descriptions`` are read when the screen is first shown: the service's module is imported then."""
        super().__init__()
        self.service = service
        self._read = descriptions
        self.descriptions: tuple[ScreenDescription, ...] = ()
        self.opened = ""
        self.ready = asyncio.Event()
        """It is composed, and its first screen is open."""
        self._panes: dict[str, Pane] = {}
        self._changing = asyncio.Lock()
        self._goes = False

    @property
    def shell(self) -> ConsoleApp:
        """The application."""
        return cast("ConsoleApp", self.app)

    @property
    def pane(self) -> Pane | None:
        """The one that is seen."""
        return self._panes.get(self.opened)

    @property
    def panes(self) -> Iterable[Pane]:
        """All that were opened."""
        return self._panes.values()

    def compose(self) -> ComposeResult:
        """Services above, screens beside (or above where it is narrow), the pane, the keys, the state."""
        yield NameStrip(id="services")
        yield NameStrip(id="above")
        with Horizontal(id="middle"):
            yield NameStrip(column=True, id="beside")
            yield Vertical(id="stage")
        yield KeyLine()
        yield StatusBar()

    async def on_mount(self) -> None:
        """Open the first screen."""
        try:
            await self._begin()
        finally:
            self.ready.set()

    async def _begin(self) -> None:
        try:
            self.descriptions = self._read()
        except Exception as error:  # a fault of one service's author must not end the others' work
            self.log.error(error)
            await self._say_fault(error)
        self.set_class(len(self.descriptions) < 2, "-single")
        if self.descriptions:
            await self.open(self.descriptions[0].name)
        elif not self.query(".shell--fault"):
            await self._say_nothing()
        self.show_names()

    async def _say_nothing(self) -> None:
        words = say(self, _("This service has no screen for you. Its commands: gerbang call {name}.COMMAND"),
                    {"name": self.service})  # fmt: skip
        await self._put(words)

    async def _say_fault(self, error: Exception) -> None:
        words = say(self, _("This screen cannot be shown: {error}"), {"error": f"{type(error).__name__}: {error}"})
        await self._put(words)

    async def _put(self, words: str) -> None:
        if self.stands:
            await self.query_one("#stage").mount(Static(plain(words), classes="shell--fault"))

    @property
    def stands(self) -> bool:
        """Whether it can still be changed: who logs out meanwhile takes it away."""
        return not self._goes and self.is_attached and self.is_running and bool(self.query("#stage"))

    async def goes(self) -> None:
        """It is about to be removed: what comes or goes in it now is awaited, and nothing comes after that. A pane that
        is mounted while its screen goes gets none of its parts, and looks for them."""
        async with self._changing:
            self._goes = True

    def show_names(self) -> None:
        """The names of services and screens, in the language of now."""
        if not self.stands:
            return
        state = self.shell.state
        names = [Name(HOME, say(self, HOME_TITLE))]
        names += [Name(one.name, say(self, one.title)) for one in state.access.services if one.name in self.app._modes]
        self.query_one("#services", NameStrip).show(names, self.service)
        titles = [Name(one.name, say(self, one.title)) for one in self.descriptions]
        for place in ("#above", "#beside"):
            self.query_one(place, NameStrip).show(titles, self.opened)

    async def open(self, name: str) -> None:
        """Show this screen. Who is cancelled meanwhile, or comes in the meantime, does not leave two or none."""
        await to_its_end(self._open(name))

    async def _open(self, name: str) -> None:
        async with self._changing:
            await self._show(name)

    async def _show(self, name: str) -> None:
        description = next((one for one in self.descriptions if one.name == name), None)
        if description is None or not self.stands:
            return
        if self.opened and self.opened != name:
            self.shell.fold_toasts()
        self.opened = name
        stage = self.query_one("#stage")
        for other in stage.children:
            other.display = False
        if name not in self._panes:
            try:
                pane = description.pane(self.service)
                await stage.mount(pane)
            except Exception as error:  # as above
                self.log.error(error)
                await self._say_fault(error)
                return
            self._panes[name] = pane
        pane = self._panes[name]
        pane.display = True
        self.show_names()
        self.call_after_refresh(self._focus_pane, pane)

    def _focus_pane(self, pane: Pane) -> None:
        """Into the pane, where its keys work."""
        if pane.display and not self.is_modal:
            within = next((one for one in self.focus_chain if pane in one.ancestors_with_self), None)
            if within is not None and (self.focused is None or pane not in self.focused.ancestors_with_self):
                self.set_focus(within)

    async def relabel(self) -> None:
        """Everything anew, in the language of now."""
        await to_its_end(self._relabel())

    async def _relabel(self) -> None:
        await self.ready.wait()
        async with self._changing:
            if not self.stands:
                return
            before, self._panes = self._panes, {}
            for pane in before.values():
                await pane.remove()
            if self.opened:
                await self._show(self.opened)
        self.show_names()
        for line in self.query("KeyLine, StatusBar"):
            line.refresh()

    def told(self, event: Mapping[str, Any]) -> None:
        """Something happened in a service."""
        for pane in self._panes.values():
            if event.get("service") == self.service or self.service == HOME:
                pane.told(event)

    @on(NameStrip.Chosen, "#services")
    def _service_chosen(self, event: NameStrip.Chosen) -> None:
        self.shell.action_mode(event.name)

    @on(NameStrip.Chosen, "#above")
    @on(NameStrip.Chosen, "#beside")
    async def _screen_chosen(self, event: NameStrip.Chosen) -> None:
        await self.open(event.name)

    async def action_next_screen(self, by: int) -> None:
        """The screen beside this one."""
        names = [one.name for one in self.descriptions]
        if names and self.opened in names:
            await self.open(names[(names.index(self.opened) + by) % len(names)])

    def action_focus_names(self) -> None:
        """To the names of screens, or of services when there is one screen only."""
        strips = [self.query_one(place, NameStrip) for place in ("#beside", "#above", "#services")]
        seen = [one for one in strips if one.display and one.region.area]
        if self.focused in seen:
            later = seen[(seen.index(self.focused) + 1) % len(seen)]
            self.set_focus(later)
        elif seen:
            self.set_focus(seen[0])


def screens_of(service: Service, console: ConsoleApp) -> tuple[ScreenDescription, ...]:
    """What the service's ``screens.py`` says; else its master data; and its settings, if it has some."""
    from appliance.console.settings_screen import SettingsScreen

    module = service.module("screens")
    own: tuple[ScreenDescription, ...] = tuple(getattr(module, "SCREENS", ()))
    model = service.module("model")
    if module is None:
        from appliance.console.master_data import MasterScreen

        own = tuple(MasterScreen(master) for master in getattr(model, "MASTER_DATA", ()))
    settings = getattr(model, "Settings", None)
    if settings is not None and not any(isinstance(one, SettingsScreen) for one in own):
        own = (*own, SettingsScreen(settings))
    access = console.state.access
    return tuple(one for one in own if one.visible(access, service.name))


def add_modes(console: ConsoleApp) -> None:
    """One mode a service that is installed here and that the person may see, and the home."""
    from appliance.console.home import HOME_SCREENS

    console.add_mode(HOME, lambda: ServiceScreen(HOME, lambda: HOME_SCREENS))
    for service in console.installed():
        allowed = console.state.access.find(service.name)
        if allowed is not None and service.name not in console._modes and _shows(service, console, allowed):
            console.add_mode(service.name, partial(ServiceScreen, service.name, partial(screens_of, service, console)))


def _shows(service: Service, console: ConsoleApp, allowed: Allowed) -> bool:
    """Whether there is a screen for the person: who has one or two commands of a service often has none."""
    if allowed.listings or allowed.settings:
        return True
    if not allowed.commands:
        return False
    try:
        return bool(screens_of(service, console))
    except Exception:  # a fault of its author is said where the service is opened
        return True


async def remove_modes(console: ConsoleApp) -> None:
    """No mode is left but the login's."""
    for name in list(console._modes):
        if name != console.DEFAULT_MODE:
            await to_its_end(_remove_mode(console, name))


async def _remove_mode(console: ConsoleApp, name: str) -> None:
    for screen in console._screen_stacks.get(name, ()):
        if isinstance(screen, ServiceScreen):
            await screen.goes()
    await console.remove_mode(name)


def opened_screens(console: App[Any]) -> list[Screen[Any]]:
    """All screens of all modes that were made."""
    return [screen for stack in console._screen_stacks.values() for screen in stack]


async def relabel(console: ConsoleApp) -> None:
    """All screens that were made, in the language of now."""
    for screen in opened_screens(console):
        if isinstance(screen, ServiceScreen):
            await screen.relabel()


def unsaved(console: App[Any]) -> list[str]:
    """What would be lost: forms in front of screens, and panes with something typed."""
    found = []
    for screen in opened_screens(console):
        panes: Iterable[Any] = screen.panes if isinstance(screen, ServiceScreen) else (screen,)
        found += [str(one.unsaved) for one in panes if getattr(one, "unsaved", "")]
    return found
