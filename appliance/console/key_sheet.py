"""All keys of the screen with their groups and their names for remapping, and the screen's own help."""

from __future__ import annotations

from typing import ClassVar, Self

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Markdown, Static

from appliance.console.keys import ShownKey, all_keys
from appliance.console.plain import plain, plain_text
from appliance.console.speaking import say, speaker
from appliance.console.widgets.front import FrontScreen
from appliance.language import _

__all__ = ["KeySheet"]

SHELL = _("Everywhere")
DIALOG = _("This dialogue")
GROUPS = {
    "console": SHELL, "grid": _("Rows"), "form": _("Form"), "plot": _("Plot"), "document": _("Paper"),
    "work": _("Work"), "master": _("Records"), "listing": _("Actions"), "report": _("Report"), "dialog": DIALOG,
    "password": DIALOG, "login": DIALOG,
}  # fmt: skip

WIDGETS = {GROUPS[name] for name in ("grid", "plot", "document")}


class KeySheet(FrontScreen[None]):
    """What a user asks with F1."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", _("Leave"), id="sheet.leave"),
        Binding("down,j", "scroll(1)", _("Down"), show=False, id="sheet.down"),
        Binding("up,k", "scroll(-1)", _("Up"), show=False, id="sheet.up"),
        Binding("pagedown,space", "scroll(12)", _("Page down"), show=False, id="sheet.page-down"),
        Binding("pageup", "scroll(-12)", _("Page up"), show=False, id="sheet.page-up"),
    ]
    DEFAULT_CSS = """
    KeySheet { align: center middle; }
    KeySheet VerticalScroll {
        width: 92; max-width: 98%; height: auto; max-height: 96%;
        background: $surface; border: round $primary; padding: 0 2;
    }
    KeySheet .sheet--keys { height: auto; }
    KeySheet .sheet--hint { height: auto; color: $text-muted; margin-top: 1; }
    KeySheet Markdown { padding: 0; margin: 0; background: $surface; }
    KeySheet .sheet--head { color: $text-primary; text-style: bold; }
    """

    def __init__(self, keys: list[ShownKey], help_text: str) -> None:
        """``help_text`` is Markdown in English."""
        super().__init__()
        self._keys = keys
        self._help = help_text

    @classmethod
    def of(cls, screen: Screen[object]) -> Self:
        """The sheet of a screen as it is now."""
        return cls(all_keys(screen), _help_of(screen))

    def compose(self) -> ComposeResult:
        """Help first, then the keys."""
        with VerticalScroll():
            if self._help:
                # Help is the authors' text, never the users'.
                yield Markdown(speaker(self)(self._help))
            yield Static(self._sheet(), classes="sheet--keys", markup=False)
            hint = _("Names on the right are for keys.yaml in your configuration folder: grid.sort: o")
            yield Static(plain(say(self, hint)), classes="sheet--hint")

    def on_mount(self) -> None:
        """Scrolling works at once."""
        self.query_one(VerticalScroll).focus()

    def _sheet(self) -> Content:
        groups: dict[str, list[ShownKey]] = {}
        for one in self._keys:
            name = GROUPS.get(one.identity.partition(".")[0], "")
            groups.setdefault(name, []).append(one)
        # The widgets' own keys, which are the same on all screens, come after those of this one.
        last = groups.pop(SHELL, [])
        groups = dict(sorted(groups.items(), key=lambda pair: pair[0] in WIDGETS))
        wide = max([len(one.key) for one in self._keys], default=8) + 2
        lines = []
        for name, keys in [*groups.items(), (SHELL, last)]:
            if keys:
                lines += [Content(""), plain(say(self, name or _("This screen"))).stylize("bold underline")]
                lines += [self._line(one, wide) for one in keys]
        return Content("\n").join(lines)

    def _line(self, one: ShownKey, wide: int) -> Content:
        words = f"{one.words}: {one.more}" if one.more and one.more != one.words else one.words
        line = Content.assemble(
            (f"{plain_text(one.key):<{wide}}", "bold"),
            (f"{plain_text(words)}  ", "" if one.enabled else "$text-disabled"),
        )
        return Content.assemble(line, (one.identity, "italic $text-muted")) if one.identity else line

    def action_leave(self) -> None:
        """Back to work."""
        self.dismiss()

    def action_scroll(self, by: int) -> None:
        """Up and down."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


def _help_of(screen: Screen[object]) -> str:
    pane = getattr(screen, "pane", None)
    return str(getattr(pane, "help_text", "") or screen.HELP or "")
