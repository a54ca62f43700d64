"""One entry of a form for each kind of value that is written or chosen in one place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Checkbox, Input, Select, TextArea
from textual.widgets._select import SelectCurrent, SelectOverlay
from textual.widgets.text_area import Edit, EditResult

from appliance.console.plain import plain, plain_lines, plain_text
from appliance.console.widgets.calendar import CalendarScreen, moved
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.typed import Unreadable, read_day
from appliance.console.widgets.validation import Fault, check, read
from appliance.console.words import Reader
from appliance.contract.fields import Field, Kind
from appliance.language import _

__all__ = ["NOTHING", "ChoiceEditor", "DayEditor", "Editor", "NoteEditor", "PlainInput", "TextEditor", "YesNoEditor"]


class _Nothing:
    """No value was given."""


NOTHING = _Nothing()


class Editor(Vertical):
    """An entry. A value that nobody touched comes back as it was given, whatever its text leaves out."""

    DEFAULT_CSS = """
    Editor {
        height: auto;
        & Input, & TextArea { background: $foreground 8%; color: $foreground; }
        & Input:focus, & TextArea:focus { background: $primary 25%; }
    }
    """

    class Changed(Message):
        """Something else is entered."""

        def __init__(self, editor: Editor) -> None:
            super().__init__()
            self.editor = editor

    def __init__(self, field: Field, value: Any = NOTHING) -> None:
        super().__init__()
        self.field = field
        self.initial = value
        self._start: Any = NOTHING

    def raw(self) -> Any:
        """What is entered, in the widget's own terms."""
        raise NotImplementedError

    def read_raw(self) -> Any | Fault:
        """The value that is entered, or what is wrong with it."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """What it begins with is untouched."""
        self._start = self.raw()

    @property
    def touched(self) -> bool:
        """Whether something else is entered than at first."""
        return self._start is not NOTHING and bool(self.raw() != self._start)

    def result(self) -> Any | Fault:
        """The value, or what is wrong with it."""
        if self.initial is not NOTHING and not self.touched:
            return check(self.field, self.initial)
        return self.read_raw()

    def changed(self) -> None:
        """Tell the form."""
        self.post_message(self.Changed(self))


class PlainInput(Input):
    """An Input whose text moves no cursor of the terminal, also when it was pasted."""

    def validate_value(self, value: str) -> str:
        """Unseen characters are seen."""
        return plain_text(value)


class DayInput(PlainInput):
    """A line whose day is moved by + and -. Where no whole day stands, they are typed: as in 2013-02-15."""

    def __init__(self, value: str, step: Callable[[int], bool], **options: Any) -> None:
        super().__init__(value, **options)
        self._step = step

    def on_key(self, event: events.Key) -> None:
        """+ (also without shift) and -."""
        days = {"+": 1, "=": 1, "-": -1}.get(event.character or "")
        if days and self._step(days):
            event.prevent_default()
            event.stop()


class PlainTextArea(TextArea):
    """The same for several lines."""

    def edit(self, edit: Edit) -> EditResult:
        """Unseen characters are seen."""
        edit.text = "\n".join(plain_lines(edit.text))
        return super().edit(edit)


def entry_text(field: Field, value: Any, reader: Reader) -> str:
    """The text by which a value is entered: without its unit."""
    if value is None or value is NOTHING:
        return ""
    if field.kind is Kind.SECRET:
        return str(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None, microsecond=0).isoformat(" ") + value.strftime("%z")
    if field.kind is Kind.NUMBER:
        return reader.shown(field, value)
    if isinstance(value, date | int | float):
        return reader.value(value)
    return plain_text(str(value))


class _Chosen(SelectCurrent):
    """What is chosen, and an arrow: drawn, where Textual has a widget for each."""

    DEFAULT_CSS = "_Chosen { height: 1; }"

    def compose(self) -> ComposeResult:
        """Nothing."""
        yield from ()

    def update(self, label: Any) -> None:
        """Something else is chosen."""
        self.label = label
        self.has_value = label is not Select.NULL
        self.refresh()

    def render(self) -> Content:
        """On one line."""
        if isinstance(self.label, Content) and self.has_value:
            words = self.label
        else:
            words = Content.styled(self.placeholder, "$foreground 60%")
        room = max(1, self.content_size.width - 2)
        opened = self.parent is not None and self.parent.has_class("-expanded")
        return Content("").join([words.truncate(room, ellipsis=True, pad=True), Content(" ▲" if opened else " ▼")])


class Choice(Select[Any]):
    """Textual's Select of half the widgets."""

    DEFAULT_CSS = "Choice { height: 1; }"

    def compose(self) -> ComposeResult:
        """What is chosen, and the list that opens."""
        yield _Chosen(self.prompt)
        yield SelectOverlay(type_to_search=self._type_to_search).data_bind(compact=Select.compact)


class TextEditor(Editor):
    """A line, a secret, a number, a moment."""

    def compose(self) -> ComposeResult:
        """One line."""
        text = entry_text(self.field, self.initial, reader_of(self))
        yield self.make_line(text)

    def make_line(self, text: str) -> PlainInput:
        """The line that is typed in."""
        return PlainInput(text, password=self.field.kind is Kind.SECRET, compact=True, select_on_focus=False)

    def raw(self) -> str:
        """The text."""
        return self.query_one(PlainInput).value

    def read_raw(self) -> Any | Fault:
        """By the field's kind and the reader's language."""
        return read(self.field, self.raw(), reader_of(self).language)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.changed()


class DayEditor(TextEditor):
    """A day: typed, moved by + and -, or chosen from a month."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "calendar", _("Calendar"), id="form.calendar", tooltip=_("Choose from a month")),
    ]

    def make_line(self, text: str) -> PlainInput:
        """A line that + and - move."""
        return DayInput(text, self.step, compact=True, select_on_focus=False)

    def step(self, days: int) -> bool:
        """Move the day; whether there was one to move."""
        day = self._day()
        if day is None:
            return False
        self._put(moved(day, days=days))
        return True

    def _day(self) -> date | None:
        try:
            return read_day(self.raw().strip())
        except Unreadable:
            return None

    def _put(self, day: date) -> None:
        line = self.query_one(PlainInput)
        line.value = reader_of(self).value(day)
        line.cursor_position = len(line.value)

    def action_calendar(self) -> None:
        """Choose from a month."""

        def chosen(day: date | None) -> None:
            if day:
                self._put(day)

        self.app.push_screen(CalendarScreen(self._day()), chosen)


class NoteEditor(Editor):
    """Several lines."""

    DEFAULT_CSS = "NoteEditor TextArea { height: 4; padding: 0; }"

    def compose(self) -> ComposeResult:
        """An area; Tab leaves it."""
        text = "" if self.initial is None or self.initial is NOTHING else str(self.initial)
        yield PlainTextArea(
            "\n".join(plain_lines(text)), tab_behavior="focus", compact=True, highlight_cursor_line=False
        )

    def raw(self) -> str:
        """The text."""
        return self.query_one(PlainTextArea).text

    def read_raw(self) -> Any | Fault:
        """The text, or None when it is empty and may be."""
        return read(self.field, self.raw(), reader_of(self).language)

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.changed()


class Tick(Checkbox):
    """A tick that is seen to be off without its colours. Textual's own draws the same sign for both."""

    def __init__(self, label: Content, value: bool, *, compact: bool) -> None:
        super().__init__(label, value, compact=compact)
        self._draw(value)

    def _draw(self, value: bool) -> None:
        self.BUTTON_INNER = "X" if value else " "

    def watch_value(self) -> None:
        """It was ticked, or is no more."""
        self._draw(self.value)
        super().watch_value()


class YesNoEditor(Editor):
    """A tick; where None is allowed too, a choice of three."""

    def compose(self) -> ComposeResult:
        """The widget that fits."""
        reader = reader_of(self)
        value = self.initial
        if self.field.optional:
            options = [(plain(reader.say(_("yes"))), True), (plain(reader.say(_("no"))), False)]
            start = value if isinstance(value, bool) else Select.NULL
            yield Choice(options, value=start, prompt="–", compact=True)
        else:
            yield Tick(self._words(value is True), value=value is True, compact=True)

    def raw(self) -> bool | None:
        """Yes, no, or neither."""
        if self.field.optional:
            select = self.query_one(Select)
            return None if select.is_blank() else bool(select.value)
        return self.query_one(Checkbox).value

    def read_raw(self) -> Any | Fault:
        """As it is."""
        return check(self.field, self.raw())

    def _words(self, value: bool) -> Content:
        # A tick that is off looks much like one that is on.
        return plain(reader_of(self).say(_("yes") if value else _("no")))

    @on(Checkbox.Changed)
    @on(Select.Changed)
    def _changed(self, event: Checkbox.Changed | Select.Changed) -> None:
        event.stop()
        if isinstance(event, Checkbox.Changed):
            event.checkbox.label = self._words(event.value)
        self.changed()


class ChoiceEditor(Editor):
    """One of the choices, shown in the reader's language."""

    def compose(self) -> ComposeResult:
        """A list that opens."""
        reader = reader_of(self)
        value = self.initial.value if isinstance(self.initial, Enum) else self.initial
        options = [(plain(reader.say(choice)), choice) for choice in self.field.choices]
        start = value if isinstance(value, str) and value in self.field.choices else Select.NULL
        yield Choice(options, value=start, prompt=reader.say(_("choose")), compact=True)

    def raw(self) -> str | None:
        """The choice, or None."""
        select = self.query_one(Select)
        return None if select.is_blank() else str(select.value)

    def read_raw(self) -> Any | Fault:
        """The choice as the record takes it."""
        return check(self.field, self.raw())

    @on(Select.Changed)
    def _changed(self, event: Select.Changed) -> None:
        event.stop()
        self.changed()
