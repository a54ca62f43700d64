"""Jumping: a letter over each thing that can have the focus; the letter goes there."""

from __future__ import annotations

from typing import ClassVar, Self

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from appliance.console.widgets.front import FrontScreen
from appliance.language import _

__all__ = ["JumpScreen"]

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""Those under the resting fingers first."""


class JumpScreen(FrontScreen[None]):
    """Lies over a screen that is seen through it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", _("Leave"), id="jump.leave")]
    DEFAULT_CSS = """
    JumpScreen { background: $background 30%; layers: letters; }
    JumpScreen .letter {
        layer: letters; width: 3; height: 1; text-align: center;
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; position: absolute;
    }
    """

    def __init__(self, below: Screen[object], targets: list[Widget]) -> None:
        super().__init__()
        self._below = below
        self._targets = dict(zip(LETTERS, targets, strict=False))

    @classmethod
    def over(cls, screen: Screen[object]) -> Self:
        """Letters for all that is seen of the screen."""
        return cls(screen, [one for one in screen.focus_chain if one.region.area and _seen(screen, one)])

    def compose(self) -> ComposeResult:
        """The letters at the upper left corners."""
        for letter, target in self._targets.items():
            shown = Static(Content(letter.upper()), classes="letter")
            region = target.region
            shown.styles.offset = (max(region.x, 0), max(region.y, 0))
            yield shown

    def on_key(self, event: events.Key) -> None:
        """A letter goes there; anything else leaves."""
        target = self._targets.get((event.character or "").lower())
        event.stop()
        self.dismiss()
        if target is not None and target.is_mounted:
            self._below.set_focus(target)

    def action_leave(self) -> None:
        """Stay where one was."""
        self.dismiss()


def _seen(screen: Screen[object], widget: Widget) -> bool:
    return screen.region.overlaps(widget.region)
