"""Entries of several values, of a record, and of a record's lines (those of a bill)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button

from appliance.console.plain import plain
from appliance.console.widgets.editors import NOTHING, Editor
from appliance.console.widgets.grid_body import GridBody
from appliance.console.widgets.list_source import ListSource
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.row_cache import PAGE, RowCache
from appliance.console.widgets.validation import Fault, check
from appliance.contract.fields import Field
from appliance.language import _

__all__ = ["EditRecord", "RecordEditor", "RecordLines", "SeveralEditor"]

EditRecord = Callable[[type, Any, Callable[[Any], None]], None]
"""Open a form in front for a record (or NOTHING), and call back with what was saved."""


class _Line(Horizontal):
    """One of several values."""

    DEFAULT_CSS = "_Line { height: auto; } _Line Editor { width: 1fr; } _Line Button { min-width: 5; width: 5; }"

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.editor = editor

    def compose(self) -> ComposeResult:
        """The entry, and what removes it."""
        yield self.editor
        yield Button("×", compact=True, classes="remove", tooltip=reader_of(self).say(_("Remove")))


class SeveralEditor(Editor):
    """Lines of one value each."""

    def __init__(self, field: Field, value: Any, make: Callable[[Field, Any], Editor]) -> None:
        super().__init__(field, value)
        assert field.item is not None
        self._item = field.item
        self._make = make
        given = () if value is NOTHING or value is None else value
        self._lines = [_Line(make(self._item, one)) for one in given]

    def compose(self) -> ComposeResult:
        """The lines, and what adds one."""
        yield from self._lines
        yield Button(plain("+ " + reader_of(self).say(_("Add"))), compact=True, classes="add")

    def raw(self) -> Any:
        """Which lines, and what is entered in each."""
        # A line that is just added is not composed yet: it holds nothing.
        return [(line, line.editor.raw() if line.editor.is_mounted and line.editor.children else None)
                for line in self._lines]  # fmt: skip

    def read_raw(self) -> Any | Fault:
        """All values, or what is wrong with the first that is."""
        values = []
        for place, line in enumerate(self._lines, 1):
            one = line.editor.result() if line.editor.is_mounted and line.editor.children else Fault(_("reading …"))
            if isinstance(one, Fault):
                return Fault(_("line {place}: {what}"), {"place": place, "what": reader_of(self).say(one.template,
                             one.values)})  # fmt: skip
            values.append(one)
        return check(self.field, tuple(values))

    @on(Button.Pressed, ".add")
    async def _add(self, event: Button.Pressed) -> None:
        event.stop()
        line = _Line(self._make(self._item, NOTHING))
        self._lines.append(line)
        await self.mount(line, before=event.button)
        self.changed()
        line.editor.query("Input, Select, Checkbox, TextArea").first().focus()

    @on(Button.Pressed, ".remove")
    async def _remove(self, event: Button.Pressed) -> None:
        event.stop()
        line = event.button.parent
        assert isinstance(line, _Line)
        self._lines.remove(line)
        self.query_one("Button.add", Button).focus()
        await line.remove()
        self.changed()

    @on(Editor.Changed)
    def _line_changed(self, event: Editor.Changed) -> None:
        if event.editor is not self:
            event.stop()
            self.changed()


class RecordEditor(Editor):
    """A record inside a record: its words, and a form in front of this one."""

    def __init__(self, field: Field, value: Any, edit: EditRecord) -> None:
        super().__init__(field, value)
        self._value = value
        self._edit = edit

    def compose(self) -> ComposeResult:
        """A button with its words."""
        yield Button(plain(self._words()), compact=True)

    def _words(self) -> str:
        reader = reader_of(self)
        return reader.say(_("Enter …")) if self._value in (NOTHING, None) else reader.value(self._value) + " …"

    def raw(self) -> Any:
        """The record."""
        return self._value

    def read_raw(self) -> Any | Fault:
        """The record as it is."""
        return check(self.field, None if self._value is NOTHING else self._value)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._edit(self.field.plain, self._value or NOTHING, self._saved)

    def _saved(self, value: Any) -> None:
        self._value = value
        self.query_one(Button).label = plain(self._words())
        self.changed()


class RecordLines(Editor):
    """Lines of a record, as a small grid with add, edit and remove."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", _("Edit line"), id="lines.edit", tooltip=_("Edit the line")),
        Binding("plus,insert", "add", _("Add line"), id="lines.add", tooltip=_("Add a line")),
        Binding("delete,backspace", "remove_line", _("Remove line"), id="lines.remove", tooltip=_("Remove the line")),
    ]
    DEFAULT_CSS = """
    RecordLines GridBody { height: 6; }
    RecordLines Horizontal { height: 1; }
    RecordLines Button { margin-right: 1; min-width: 8; }
    """

    def __init__(self, field: Field, value: Any, edit: EditRecord) -> None:
        super().__init__(field, value)
        assert field.item is not None
        self._record = field.item.plain
        self._values: list[Any] = [] if value is NOTHING or value is None else list(value)
        self._edit = edit

    def compose(self) -> ComposeResult:
        """The lines above their buttons."""
        reader = reader_of(self)
        yield GridBody(ListSource.of(self._record, ()))
        with Horizontal():
            yield Button(plain("+ " + reader.say(_("Add"))), compact=True, id="add")
            yield Button(plain(reader.say(_("Edit"))), compact=True, id="edit")
            yield Button(plain("× " + reader.say(_("Remove"))), compact=True, id="remove")

    def on_mount(self) -> None:
        """Show what was given."""
        super().on_mount()
        self._show(0)

    def raw(self) -> Any:
        """The lines."""
        return tuple(self._values)

    def read_raw(self) -> Any | Fault:
        """The lines as they are: each was a record when it was saved."""
        return check(self.field, tuple(self._values))

    def _show(self, cursor: int) -> None:
        body = self.query_one(GridBody)
        source = ListSource.of(self._record, self._values)
        cache = RowCache(len(source.rows), pages=1 + len(source.rows) // PAGE)
        for start in range(0, len(source.rows), PAGE):
            cache.put(start // PAGE, source.rows[start : start + PAGE])
        body.words = reader_of(self).say(_("No lines yet."))
        body.accept(cache, cursor, keep_line=True)

    def action_add(self) -> None:
        """A new line at the end."""

        def saved(value: Any) -> None:
            self._values.append(value)
            self._changed(len(self._values) - 1)

        self._edit(self._record, NOTHING, saved)

    def action_edit(self) -> None:
        """The line of the cursor."""
        place = self.query_one(GridBody).cursor
        if not 0 <= place < len(self._values):
            self.app.bell()
            return

        def saved(value: Any) -> None:
            self._values[place] = value
            self._changed(place)

        self._edit(self._record, self._values[place], saved)

    def action_remove_line(self) -> None:
        """The line of the cursor."""
        place = self.query_one(GridBody).cursor
        if 0 <= place < len(self._values):
            del self._values[place]
            self._changed(place)

    def _changed(self, cursor: int) -> None:
        self._show(cursor)
        self.changed()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        actions = {"add": self.action_add, "edit": self.action_edit, "remove": self.action_remove_line}
        actions[event.button.id or "add"]()

    @on(GridBody.RowClicked)
    def _clicked(self, event: GridBody.RowClicked) -> None:
        event.stop()
        if event.chain == 2:
            self.action_edit()

    @on(GridBody.Moved)
    @on(GridBody.HeaderClicked)
    def _moved(self, event: GridBody.Moved | GridBody.HeaderClicked) -> None:
        event.stop()
