"""The command palette: every screen, action, command and setting by a part of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Matcher, Provider, SearchIcon
from textual.content import Content

from appliance.console.plain import plain
from appliance.console.shell import HOME, HOME_TITLE, ServiceScreen, opened_screens, screens_of
from appliance.console.speaking import say
from appliance.language import LANGUAGES, _

if TYPE_CHECKING:
    from appliance.console.app import ConsoleApp

__all__ = ["Everything", "open_palette"]


class Found(NamedTuple):
    """One thing to do."""

    words: str
    more: str
    do: Callable[[], Any]


def open_palette(console: ConsoleApp) -> None:
    """In front of the screen of now."""
    placeholder = say(console, _("Search for a screen, an action, a setting…"))
    console.push_screen(Palette(providers=[Everything], placeholder=placeholder))


class Palette(CommandPalette):
    """Textual's, with a sign that every terminal's font has."""

    def on_mount(self) -> None:
        """Its own is an emoji."""
        self.query_one(SearchIcon).icon = "/"


class Everything(Provider):
    """All that can be done from here, in the reader's words."""

    @property
    def shell(self) -> ConsoleApp:
        return cast("ConsoleApp", self.app)

    async def startup(self) -> None:
        """Collected once, when the palette opens."""
        self._all = list(self._collected())

    async def discover(self) -> Hits:
        """Before anything is typed: all of it."""
        for one in self._all:
            yield DiscoveryHit(plain(one.words), one.do, text=one.words, help=one.more or None)

    async def search(self, query: str) -> Hits:
        """What fits, letters in their order."""
        matcher = self.matcher(query)
        for one in self._all:
            if (score := matcher.match(one.words)) > 0:
                yield Hit(score, _highlighted(matcher, one.words), one.do, text=one.words, help=one.more or None)

    def _collected(self) -> Iterator[Found]:
        yield from self._actions()
        yield from self._screens()
        yield from self._settings()

    def _actions(self) -> Iterator[Found]:
        """The keys of the screen below."""
        for node, binding, enabled, tooltip in self.screen.active_bindings.values():
            if not binding.id or not binding.description or not enabled or binding.id == "console.palette":
                continue
            words = say(self.shell, binding.description)
            reason = getattr(node, "why_not", lambda _action: "")(binding.action)
            more = reason or (say(self.shell, tooltip) if tooltip else "")
            yield Found(words, more, partial(self.shell.run_action, binding.action, node))

    def _screens(self) -> Iterator[Found]:
        console = self.shell
        if console.state.person is None:
            return
        for service, title, descriptions in self._services():
            head = say(console, title)
            for one in descriptions:
                also = f" ({say(console, one.also)})" if one.also else ""
                words = f"{head}: {say(console, one.title)}{also}"
                yield Found(words, say(console, _("Go there")), partial(console.action_open, service, one.name))

    def _services(self) -> Iterator[tuple[str, str, Any]]:
        console = self.shell
        made = {
            screen.service: screen.descriptions
            for screen in opened_screens(console)
            if isinstance(screen, ServiceScreen)
        }
        yield HOME, HOME_TITLE, made.get(HOME, ())
        for service in console.installed():
            allowed = console.state.access.find(service.name)
            if allowed is not None and service.name in console._modes:
                try:
                    descriptions = made.get(service.name) or screens_of(service, console)
                except Exception:  # one service's fault must not close the palette for the others
                    continue
                yield service.name, allowed.title, descriptions

    def _settings(self) -> Iterator[Found]:
        console = self.shell
        for code, name in LANGUAGES.items():
            words = say(console, _("Language: {name}"), {"name": name})
            yield Found(words, "", partial(console.call_later, console.action_language, code))
        for name in sorted(console.available_themes):
            yield Found(say(console, _("Theme: {name}"), {"name": name}), "", partial(console.action_theme, name))
        if console.state.person is not None:
            visitor = not console.state.person.name
            words, action = (_("Log in"), console.action_login) if visitor else (_("Log out"), console.action_logout)
            yield Found(say(console, words), "", partial(console.call_later, action))
        yield Found(say(console, _("Quit")), "", partial(console.run_action, "quit"))


def _highlighted(matcher: Matcher, words: str) -> Content:
    """Matcher.highlight reads markup in what it is given; this does not."""
    content = plain(words)
    _score, offsets = matcher.fuzzy_search.match(matcher.query, words)
    for offset in offsets:
        content = content.stylize(matcher.match_style, offset, offset + 1)
    return content
