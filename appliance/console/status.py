"""The last two lines of each screen: the keys of now, and the state of things."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from textual.app import RenderResult
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from appliance.console.keys import ShownKey, shown_keys
from appliance.console.plain import plain_text
from appliance.console.speaking import say
from appliance.console.widgets.reading import reader_of
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.app import ConsoleApp

__all__ = ["KeyLine", "StatusBar"]

SECONDS = 0.5
BETWEEN = 2
"""Cells between two keys."""
SHEET = "console.keys"
"""The action that shows all keys."""


class KeyLine(Widget):
    """Keys that work here, as many as fit; those that do not work now are dim. One widget and one line,
    because it is drawn anew at each change of the focus."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keyline--key", "keyline--words", "keyline--disabled"}
    DEFAULT_CSS = """
    KeyLine {
        height: 1; background: $footer-background; color: $footer-foreground; padding: 0 1;
        /* Of a screen in front: it covers the line of the screen behind, whose keys do not work now. */
        &.-front { dock: bottom; margin: 0 0 1 0; }
        & .keyline--key { color: $footer-key-foreground; text-style: bold; }
        & .keyline--words { color: $footer-foreground; }
        & .keyline--disabled { color: $text-disabled; }
    }
    """

    drawn: tuple[ShownKey, ...] = ()
    """What was drawn last."""

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._again)

    def _again(self, _screen: Any) -> None:
        self.refresh()

    def render(self) -> RenderResult:
        """``Enter Open  a Add  F1 Keys``."""
        shown = shown_keys(self.screen)
        room = self.size.width + BETWEEN
        if sum(map(_length, shown)) > room:
            # The least used are left out, and where all of them are is said.
            more = say(self, _("more"))
            sheet = [one._replace(words=f"… {more}") for one in shown if one.identity == SHEET]
            shown = fitting([one for one in shown if one.identity != SHEET], room - sum(map(_length, sheet))) + sheet
        self.drawn = tuple(shown)
        parts = [
            Content.assemble(
                (plain_text(one.key), self._style("key" if one.enabled else "disabled")),
                " ",
                (plain_text(one.words), self._style("words" if one.enabled else "disabled")),
                " " * BETWEEN,
            )
            for one in shown
        ]
        return Content("").join(parts)

    def _style(self, name: str) -> Style:
        return self.get_visual_style(f"keyline--{name}", partial=True)


def _length(one: ShownKey) -> int:
    return cell_len(one.key) + 1 + cell_len(plain_text(one.words)) + BETWEEN


def fitting(shown: Sequence[ShownKey], room: int) -> list[ShownKey]:
    """As many from the first on as there is room for, in cells."""
    kept = []
    for one in shown:
        room -= _length(one)
        if room < 0:
            break
        kept.append(one)
    return kept


class StatusBar(Widget):
    """Who, the services' health, what is unread, what waits for confirmation, and the time."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"status--ill", "status--well", "status--urgent"}
    DEFAULT_CSS = """
    StatusBar {
        height: 1; background: $panel; color: $foreground; padding: 0 1;
        & .status--ill { color: $text-error; text-style: bold; }
        & .status--well { color: $text-success; }
        & .status--urgent { color: $text-warning; text-style: bold; }
    }
    """

    def on_mount(self) -> None:
        """The clock goes by itself; everything else is told."""
        self._drawn = ""
        self.set_interval(SECONDS, self._tick)

    def _tick(self) -> None:
        now = f"{time.strftime('%H:%M:%S')}{self._countdown()}"
        if now != self._drawn and self.screen.is_current:
            self._drawn = now
            self.refresh()

    @property
    def shell(self) -> ConsoleApp:
        from appliance.console.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        return self.app

    def _countdown(self) -> str:
        until = self.shell.state.confirm_until
        return str(max(0, int(until - time.time()))) if until else ""

    def render(self) -> RenderResult:
        """Left what matters most; the clock on the right."""
        state = self.shell.state
        clock = reader_of(self).clock(*time.localtime()[3 : 6 if self.size.width >= 100 else 5])
        left: list[tuple[str, str]] = [(self._who(), "")]
        if state.confirm_until:
            words = say(self, _("commit waits: {seconds} s"), {"seconds": int(self._countdown())})
            left.append((words, "status--urgent"))
        if not state.connected:
            left.append((say(self, _("no connection, trying again")), "status--ill"))
        elif state.ill:
            left.append(("✗ " + ", ".join(state.ill), "status--ill"))
        else:
            left.append(("● " + say(self, _("services well")), "status--well"))
        if state.unread:
            words = say(self, _("{count} unread"), {"count": state.unread})
            left.append((words, "status--urgent"))
        room = max(self.size.width - len(clock) - 2, 0)
        line = Content("")
        for place, (words, style) in enumerate(left):
            piece = Content(plain_text(words))
            if style:
                piece = piece.stylize(self.get_visual_style(style, partial=True))
            line = Content.assemble(line, "  │  " if place else "", piece)
        line = line.truncate(room, ellipsis=True)
        return Content.assemble(line, " " * max(room - line.cell_length, 0), "  ", clock)

    def _who(self) -> str:
        person = self.shell.state.person
        if person is None:
            return ""
        roles = ", ".join(one.rpartition(".")[2] if self.size.width < 100 else one for one in person.roles)
        return f"{person.full_name or person.name} ({roles})" if roles else person.full_name or person.name
