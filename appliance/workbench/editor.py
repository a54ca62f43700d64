"""The editor of one configuration: colours, marks of remarks and of deciding lines, find and go to line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Document, DocumentNavigator, Edit, EditResult, Selection, TextAreaTheme

from appliance.language import _
from appliance.workbench.highlighting import NAMES, coloured
from appliance.workbench.kinds import Kind
from appliance.workbench.long_texts import QuickDocument, UnwrappedDocument
from appliance.workbench.remarks import Level, Remark

__all__ = ["Editor"]

_TREE_SITTER = {
    Kind.BALANCE: "yaml",
    Kind.LAB: "yaml",
    Kind.PROPERTIES: "yaml",
    Kind.YAML: "yaml",
    Kind.JSON: "json",
}
_UNSEEN = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)} | {0x7F: 0x2421}
_UNSEEN |= dict.fromkeys([*range(0x80, 0xA0), 0x200B, *range(0x2028, 0x202F), *range(0x2060, 0x206A), 0xFEFF], 0xFFFD)
"""Characters that would move the terminal's cursor or disguise what is read: each is shown as one that is seen."""
_SIGNS = {Level.ERROR: "●", Level.WARNING: "▲", Level.NOTE: "·"}


class Editor(TextArea):
    """A TextArea that colours dialects, and shows remarks about its lines.

    Uses the hooks that TextArea documents: ``get_line`` for styles, and
    ``render_line`` for the sign beside the line's number.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"editor--{name}" for name in NAMES),
        *(f"editor--mark-{level}" for level in Level),
        "editor--passed",
        "editor--stopped",
        "editor--found",
    }
    DEFAULT_CSS = """
    Editor {
        border: none;
        padding: 0;
        height: 1fr;
        scrollbar-size: 0 1;
        &:focus { border: none; }
        & .editor--comment { color: $foreground-muted; text-style: italic; }
        & .editor--keyword { color: $text-primary; }
        & .editor--permit { color: $text-success; text-style: bold; }
        & .editor--deny { color: $text-error; text-style: bold; }
        & .editor--number { color: $text-warning; }
        & .editor--address { color: $text-accent; }
        & .editor--string { color: $text-success; }
        & .editor--name { color: $text-secondary; }
        & .editor--operator { color: $text-warning; }
        & .editor--mark-error { color: $text-error; text-style: underline; }
        & .editor--mark-warning { color: $text-warning; text-style: underline; }
        & .editor--mark-note { color: $foreground-muted; text-style: underline; }
        & .editor--passed { background: $success-muted; text-style: bold; }
        & .editor--stopped { background: $error-muted; text-style: bold; }
        & .editor--found { background: $warning-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+f", "screen.find", _("Find"), show=False, id="editor.find"),
        Binding("ctrl+w", "screen.close_file", _("Close"), show=False, id="editor.close"),
        Binding("ctrl+pagedown", "screen.tab(1)", _("Next text"), show=False, id="editor.next-tab"),
        Binding("ctrl+pageup", "screen.tab(-1)", _("Text before"), show=False, id="editor.last-tab"),
        Binding("f6", "screen.next_pane", _("Next part"), show=False, id="editor.next-pane"),
        Binding("f7", "screen.find_next", _("Find next"), show=False, id="editor.find-next"),
    ]

    _whole: str | None = None  # TextArea asks for its text while it is made

    def __init__(self, text: str, kind: Kind, *, read_only: bool = False, id: str | None = None) -> None:
        super().__init__(
            text,
            soft_wrap=False,
            show_line_numbers=True,
            tab_behavior="focus" if read_only else "indent",
            read_only=read_only,
            max_checkpoints=500,
            id=id,
        )
        self.kind = kind
        self.indent_width = 1 if kind is Kind.IOS else 2
        self._remarks: dict[int, list[Remark]] = {}
        self._deciding: dict[int, bool] = {}
        self._sought: re.Pattern[str] | None = None
        self._styles_of: dict[str, Style] = {}

    def on_mount(self) -> None:
        """Follow the app's theme, and read YAML as YAML."""
        self._dress(self.app.current_theme.dark)
        self.app.theme_changed_signal.subscribe(self, lambda theme: self._dress(theme.dark))
        if self.kind in _TREE_SITTER:
            self.language = _TREE_SITTER[self.kind]

    # -- the text ------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The whole text; TextArea joins it anew for every line that it draws."""
        if self._whole is None:
            self._whole = self.document.text
        return self._whole

    @text.setter
    def text(self, value: str) -> None:
        self.load_text(value)

    def edit(self, edit: Edit) -> EditResult:
        """See TextArea."""
        self._whole = None
        self._forget()
        result = super().edit(edit)
        self._whole = None
        return result

    def undo(self) -> None:
        """See TextArea."""
        self._whole = None
        self._forget()
        super().undo()
        self._whole = None

    def redo(self) -> None:
        """See TextArea."""
        self._whole = None
        self._forget()
        super().redo()
        self._whole = None

    def load_text(self, text: str) -> None:
        """See TextArea."""
        self._whole = None
        self._remarks, self._deciding = {}, {}
        super().load_text(text)
        self._whole = None

    def become(self, kind: Kind) -> None:
        """Colour it as another kind: a new file became a configuration."""
        if kind is not self.kind:
            self.kind = kind
            self.language = _TREE_SITTER.get(kind)
            self.notify_style_update()
            self.refresh()

    def _set_document(self, text: str, language: str | None) -> None:
        """Measure long texts quickly: the one place where TextArea makes its document."""
        super()._set_document(text, language)
        if type(self.document) is Document:
            self.document = QuickDocument(text)
        self.wrapped_document = UnwrappedDocument(self.document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)

    # -- marks ---------------------------------------------------------------------

    def mark(self, remarks: Iterable[Remark]) -> None:
        """Show these remarks, in place of those before."""
        found: dict[int, list[Remark]] = {}
        for remark in remarks:
            if remark.line and not remark.source:
                found.setdefault(remark.line - 1, []).append(remark)
        if found != self._remarks:
            self._remarks = found
            self._redraw()

    def decide(self, deciding: Mapping[int, bool]) -> None:
        """Show lines, from 1, that decided about a packet, and whether they let it pass."""
        self._deciding = {line - 1: passes for line, passes in deciding.items()}
        self.highlight_cursor_line = not deciding  # its colour would lie over theirs
        self._redraw()

    def remark_here(self) -> Remark | None:
        """The worst remark about the cursor's line."""
        here = self._remarks.get(self.cursor_location[0], ())
        return min(here, key=lambda one: list(Level).index(one.level), default=None)

    def decided(self) -> Mapping[int, bool]:
        """The lines, from 1, that are shown as deciding."""
        return {line + 1: passes for line, passes in self._deciding.items()}

    # -- ways to a place -------------------------------------------------------------

    def go(self, line: int, column: int = 1) -> None:
        """Put the cursor on a place, counted from 1, in the middle of the view; the nearest that there is."""
        row = min(max(line - 1, 0), self.document.line_count - 1)
        self.move_cursor((row, min(max(column - 1, 0), len(self.document[row]))), center=True)

    def seek(self, words: str, *, backwards: bool = False, stay: bool = False) -> tuple[int, int]:
        """Select the next place of these words, over the end if need be; which of how many it is, (0, 0) for none.

        Letters match in either case unless a capital is among the words.
        """
        flags = re.IGNORECASE if words == words.lower() else 0
        self._sought = re.compile(re.escape(words), flags) if words else None
        self._redraw()
        if self._sought is None:
            return 0, 0
        places = [
            (row, found.start(), found.end())
            for row in range(self.document.line_count)
            for found in self._sought.finditer(self.document[row])
        ]
        if not places:
            return 0, 0
        start, end = sorted((self.selection.start, self.selection.end))
        if backwards:
            before = [number for number, (row, column, _end) in enumerate(places) if (row, column) < start]
            chosen = before[-1] if before else len(places) - 1
        else:
            least = start if stay or start == end else end
            after = (number for number, (row, column, _end) in enumerate(places) if (row, column) >= least)
            chosen = next(after, 0)
        row, first, last = places[chosen]
        self.selection = Selection((row, first), (row, last))
        self.scroll_cursor_visible(center=True)
        return chosen + 1, len(places)

    # -- drawing ---------------------------------------------------------------------

    def get_line(self, line_index: int) -> Text:
        """The line in colours; characters that are not seen are replaced by pictures of them, one for one."""
        words = self.document.get_line(line_index)
        line = Text(
            words if words.isascii() and words.isprintable() else words.translate(_UNSEEN), end="", no_wrap=True
        )
        for part in coloured(words, self.kind):
            line.stylize(self._style(part.name), part.start, part.end)
        if self._sought is not None:
            for found in self._sought.finditer(words):
                line.stylize(self._style("found"), found.start(), found.end())
        for remark in reversed(self._remarks.get(line_index, ())):
            start = max(remark.column - 1, 0)
            end = remark.end - 1 if remark.end > remark.column else len(words)
            line.stylize(self._style(f"mark-{remark.level}"), start, max(end, start + 1))
        if line_index in self._deciding:
            line.stylize(self._style("passed" if self._deciding[line_index] else "stopped"))
        return line

    def render_line(self, y: int) -> Strip:
        """The line with a sign between its number and its text."""
        strip = super().render_line(y)
        row = self.scroll_offset.y + y  # lines are not wrapped
        sign, name = "", ""
        if row in self._deciding:
            sign, name = ("✓", "permit") if self._deciding[row] else ("✗", "deny")
        elif row in self._remarks:
            level = min((one.level for one in self._remarks[row]), key=list(Level).index)
            sign, name = _SIGNS[level], f"mark-{level}"
        place = self.gutter_width - 1
        if not sign or place < 1:
            return strip
        style = self._style(name)
        beside = next(iter(strip.crop(place - 1, place)), None)
        background = beside.style.bgcolor if beside is not None and beside.style is not None else None
        return Strip.join(
            [
                strip.crop(0, place),
                Strip([Segment(sign, Style(color=style.color, bgcolor=background, bold=True))]),
                strip.crop(place + 1),
            ]
        )

    def notify_style_update(self) -> None:
        """Styles are looked up once, for the theme."""
        self._styles_of = {}
        super().notify_style_update()

    def _style(self, name: str) -> Style:
        found = self._styles_of.get(name)
        if found is None:
            found = self.get_component_rich_style(f"editor--{name}", partial=True)
            if name in ("passed", "stopped", "found"):
                found = Style(bgcolor=found.bgcolor, bold=found.bold, underline=False)
            else:
                found = Style(color=found.color, bold=found.bold, italic=found.italic, underline=found.underline)
            self._styles_of[name] = found
        return found

    def _forget(self) -> None:
        """The lines that decided are others once the text is."""
        if self._deciding:
            self._deciding = {}
            self.highlight_cursor_line = True

    def _redraw(self) -> None:
        super().notify_style_update()
        self.refresh()

    def _dress(self, is_dark: bool) -> None:
        """The colours of tree-sitter's words, on the app's own background."""
        base = TextAreaTheme.get_builtin_theme("vscode_dark" if is_dark else "github_light")
        assert base is not None
        name = "workbench-dark" if is_dark else "workbench-light"
        self.register_theme(TextAreaTheme(name, syntax_styles=base.syntax_styles))
        self.theme = name
        self.notify_style_update()
