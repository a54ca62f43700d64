"""The keys of the workbench, its help, and its commands in the palette."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial

from textual.binding import Binding, BindingsMap, BindingType
from textual.command import DiscoveryHit, Hit, Hits, Provider

from appliance.console.plain import plain
from appliance.language import Translate, _

__all__ = ["BINDINGS", "HELP", "HELP_LINES", "Commands", "help_in", "in_words"]

BINDINGS: list[BindingType] = [
    Binding("f1", "explain", _("Help"), tooltip=_("What can be done here, and its keys"), id="workbench.help"),
    Binding("ctrl+o", "open_file", _("Open"), tooltip=_("Open a configuration"), id="workbench.open"),
    Binding("ctrl+s", "save", _("Save"), tooltip=_("Save this text"), id="workbench.save"),
    Binding("f2", "compare", _("Compare"), tooltip=_("Compare two open texts"), id="workbench.compare", show=False),
    Binding("f3", "files", _("Files"), tooltip=_("Show or hide the files"), id="workbench.files", show=False),
    Binding("f4", "panel", _("View"), tooltip=_("Both, results only, text only"), id="workbench.panel"),
    Binding("f5", "compile", _("Compile"), tooltip=_("Compile this text and prove it"), id="workbench.compile"),
    Binding("f6", "next_pane", _("Part"), tooltip=_("Between text and results"), id="workbench.part", show=False),
    Binding("f7", "find_next", _("Find next"), tooltip=_("Find the next place"), id="workbench.find-next", show=False),
    Binding("f8", "next_finding", _("Next"), tooltip=_("Go to the next finding"), id="workbench.next-finding"),
    Binding("shift+f8,f20", "next_finding(True)", _("Finding before"), id="workbench.last-finding", show=False),
    Binding("f9", "trace", _("Trace"), tooltip=_("Follow a packet through this text"), id="workbench.trace"),
    Binding("f10", "lab", _("Lab"), tooltip=_("Run a lab"), id="workbench.lab"),
    Binding("f11", "open_kept", _("Appliance"), tooltip=_("Open a policy of the appliance"), id="workbench.open-kept"),
    Binding(
        "alt+s",
        "save_kept",
        _("Save to the appliance"),
        tooltip=_("Save this text as a policy of the appliance"),
        id="workbench.save-kept",
        show=False,
    ),
    Binding("ctrl+n", "new_file", _("New"), id="workbench.new", show=False),
    Binding("f12", "save_as", _("Save as"), id="workbench.save-as", show=False),
    Binding("ctrl+w", "close_file", _("Close"), id="workbench.close", show=False),
    Binding("ctrl+f", "find", _("Find"), id="workbench.find", show=False),
    Binding("ctrl+g", "go_to_line", _("Line"), tooltip=_("Go to a line"), id="workbench.line", show=False),
    Binding("ctrl+pagedown,ctrl+t", "tab(1)", _("Next text"), id="workbench.next-tab", show=False),
    Binding("ctrl+pageup", "tab(-1)", _("Text before"), id="workbench.last-tab", show=False),
    Binding("escape", "leave", _("Back to the text"), id="workbench.leave", show=False),
]

HELP_LINES = (
    _("Ctrl+O open    Ctrl+N new      Ctrl+S save     F12 save as"),
    _("Ctrl+W close   F3 files        Ctrl+PgDn, Ctrl+PgUp other texts"),
    _("Ctrl+F find    F7 find next    Ctrl+G go to a line"),
    _("Ctrl+Z undo    Ctrl+Y redo     Ctrl+X cut, Ctrl+C copy, Ctrl+V paste"),
    _("F6 text or results             F4 both, results only, text only"),
    "",
    _("Texts are checked as you type: ● error, ▲ warning, · note."),
    _("F8 goes to the next finding, Shift+F8 to the one before."),
    "",
    _("F5 compiles for another device, and shows the text only when it is"),
    _("proved equal over all packets. Otherwise you see a packet that the two"),
    _("decide differently, or what the target cannot say, with its place."),
    _("Interfaces are HERE=THERE, with blanks between."),
    "",
    _("F9 follows a packet; ✓ and ✗ mark the line that decided. A whole packet"),
    _("pasted into “from” fills the form."),
    _("F2 compares two open texts, also of different dialects."),
    _("F10 runs a lab; the plot shows what its links carry."),
    "",
    _("In the console F11 opens a policy of the appliance, Alt+S saves one;"),
    _("Ctrl+S saves to where the text came from. Ctrl+R goes back."),
    "",
    _("In lists Enter goes to the place, or traces the packet ▸; C copies."),
)


def help_in(translate: Translate) -> str:
    """The help as Markdown, for the console's key sheet: each of the lines is a line there too."""
    lines = (re.sub(r" {2,}", " · ", translate(line)) if line else "" for line in HELP_LINES)
    return "  \n".join(lines)


HELP = help_in(_)


class Commands(Provider):
    """Every action of the workbench by its name."""

    async def discover(self) -> Hits:
        """All of them."""
        for binding in self._named():
            yield DiscoveryHit(plain(binding.description), self._action(binding.action), help=binding.tooltip or None)

    async def search(self, query: str) -> Hits:
        """Those that match what was typed."""
        matcher = self.matcher(query)
        for binding in self._named():
            score = matcher.match(binding.description)
            if score > 0:
                yield Hit(score, matcher.highlight(binding.description), self._action(binding.action))

    def _action(self, action: str) -> Callable[[], Awaitable[None]]:
        return partial(self.screen.run_action, action)

    def _named(self) -> Iterator[Binding]:
        for bindings in self.screen._bindings.key_to_bindings.values():
            for binding in bindings:
                ours = binding.id is not None and binding.id.startswith("workbench.") and binding.action != "leave"
                if ours and self.screen.check_action(binding.action, ()):
                    yield binding


def in_words(bindings: BindingsMap, translate: Translate) -> BindingsMap:
    """The same keys, with their words in the reader's language: Textual's own footer shows them as they are."""
    made = bindings.copy()
    for key, several in made.key_to_bindings.items():
        made.key_to_bindings[key] = [
            replace(one, description=translate(one.description), tooltip=translate(one.tooltip) if one.tooltip else "")
            if one.description
            else one
            for one in several
        ]
    return made
