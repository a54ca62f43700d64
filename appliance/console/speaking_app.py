"""What every application of ours has: a language, themes, and notifications that are plain and in that language."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.reactive import Initialize, Reactive
from textual.theme import Theme

from appliance.console.preferences import Preferences
from appliance.console.speaking import say
from appliance.console.themes import DARK, LIGHT, OWN
from appliance.language import Translate, translator

__all__ = ["SpeakingApp"]

STAYS = 3600
"""Seconds that a notification is seen which is to be closed by hand."""
FRESH = 1.0
"""Seconds in which a notification and the screen that comes belong to one deed."""


class SpeakingApp(App[None]):
    """Widgets read ``language`` and ``translate`` here (``widgets.reading``)."""

    # Before the focused widget has them: what was typed in one go behind them would otherwise go where the focus was.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "go_on(True)", show=False, priority=True, system=True),
        Binding("shift+tab", "go_on(False)", show=False, priority=True, system=True),
    ]

    def __init__(self, preferences: Preferences) -> None:
        # First, for App's own beginning asks for the theme.
        self.preferences = preferences
        self._readable: dict[str, Theme] = {}
        super().__init__()
        self.language = preferences.language
        self.translate: Translate = translator(self.language)

    def _preferred(self) -> str:
        return self.preferences.theme if self.preferences.theme in self.available_themes else DARK.name

    # A theme that is registered and set later has every style sheet parsed a second time before the first paint.
    theme: Reactive[str] = Reactive(Initialize(_preferred))

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Textual's and our own."""
        return {**super().available_themes, **{one.name: one for one in OWN}}

    def get_theme(self, theme_name: str) -> Theme | None:
        """One of them; another's so that everybody can read it."""
        theme = self.available_themes.get(theme_name)
        if theme is None or theme in OWN:
            return theme
        if theme_name not in self._readable:
            from appliance.console.contrast import readable

            self._readable[theme_name] = readable(theme)
        return self._readable[theme_name]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An editor that indents by the tabulator keeps it."""
        if action == "go_on":
            return getattr(self.focused, "tab_behavior", "focus") != "indent"
        return super().check_action(action, parameters)

    def action_go_on(self, forward: bool) -> None:
        """The focus to the next widget, or to the one before."""
        if forward:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def speak(self, language: str) -> None:
        """This language, now and at the next login."""
        self.language, self.translate = language, translator(language)
        self.preferences = self.preferences.changed(language=language)

    def action_theme(self, name: str) -> None:
        """This theme, now and next time."""
        if name in self.available_themes:
            self.theme = name
            self.preferences = self.preferences.changed(theme=name)

    def action_toggle_dark(self) -> None:
        """Between our own two."""
        self.action_theme(LIGHT.name if self.current_theme.dark else DARK.name)

    def tell(self, template: str, severity: str = "information", *, stays: bool = False, **values: Any) -> None:
        """A notification: plain, in the reader's language. ``stays``: until it is closed."""
        words = say(self, template, values)
        kind: Any = severity
        self.notify(words, severity=kind, timeout=STAYS if stays else 5, markup=False)

    def fold_toasts(self) -> None:
        """Another screen comes: what was told of the one before goes, but for what stays and what was told just now."""
        now = time.time()
        for one in list(self._notifications):
            if one.timeout < STAYS and now - one.raised_at > FRESH:
                self._unnotify(one, refresh=False)
        self._refresh_notifications()

    def say_refused(self, error: Any) -> None:
        """What the daemon would not do."""
        self.tell(error.template, "error", **error.values)
