"""A form made from a record's type: entries, checks while typing, refusals at their fields, and no lost work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Static

from appliance.console.plain import plain
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.console.widgets.editors import (
    NOTHING,
    ChoiceEditor,
    DayEditor,
    Editor,
    NoteEditor,
    TextEditor,
    YesNoEditor,
)
from appliance.console.widgets.form_row import FormRow, given_value
from appliance.console.widgets.front import FrontScreen
from appliance.console.widgets.queued import when_entered
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.reference import Lookup, ReferenceEditor
from appliance.console.widgets.several import RecordEditor, RecordLines, SeveralEditor
from appliance.console.widgets.validation import NEEDED, Fault, build
from appliance.console.widgets.whole import to_its_end
from appliance.contract.fields import Field, Kind, fields_of, title_of
from appliance.language import _

__all__ = ["SAVE", "Form", "FormScreen"]

SAVE = _("Save")
"""What the first button and its key say, unless the form asks something."""


class Form(Vertical):
    """The fields of a record."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", _("Save"), id="form.save", tooltip=_("Save the record"), priority=True),
        Binding("escape", "leave", _("Leave"), id="form.leave", tooltip=_("Leave the form")),
    ]
    DEFAULT_CSS = """
    Form {
        height: 1fr;
        & > VerticalScroll { height: 1fr; padding: 0 1; }
        & > .form--banner { height: auto; background: $error 30%; color: $foreground; padding: 0 1; }
        & > .form--conflict { height: 1; padding: 0 1; background: $error 30%; }
        & > .form--conflict Button { margin-right: 2; }
        & > .form--bar { height: 1; background: $panel; padding: 0 1; }
        & > .form--bar Button { margin-right: 2; }
        & > .form--help { height: 2; color: $text-muted; padding: 0 1; }
        & > .form--state { height: auto; max-height: 2; background: $panel; color: $foreground; padding: 0 1; }
    }
    """

    class Saved(Message):
        """The record is right and somebody saved it. ``version`` is the one that was looked at."""

        def __init__(self, form: Form, value: Any, version: int) -> None:
            super().__init__()
            self.form = form
            self.value = value
            self.version = version

        @property
        def control(self) -> Form:
            """The sender."""
            return self.form

    class Left(Message):
        """Somebody left without saving."""

        def __init__(self, form: Form) -> None:
            super().__init__()
            self.form = form

        @property
        def control(self) -> Form:
            """The sender."""
            return self.form

    def __init__(
        self,
        record: type,
        initial: Any = None,
        *,
        version: int = 0,
        lookup: Lookup | None = None,
        save: str = SAVE,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """``initial``: a record, or a mapping of some of its values. ``save``: what its first button and key say."""
        super().__init__(id=id, classes=classes)
        if save != SAVE:
            named = self._bindings.key_to_bindings
            named["ctrl+s"] = [replace(one, description=save, tooltip="") for one in named["ctrl+s"]]
        self.record = record
        self.version = version
        self._lookup = lookup
        self._save = save
        self._tried = False
        self._pending = False
        self._entering = asyncio.Lock()
        self._refused: dict[str, str] = {}
        self._refused_at: dict[str, Any] = {}
        self._theirs: tuple[Any, int] | None = None
        self._said = ""
        self._banner: Static | None = None
        self._conflict: Horizontal | None = None
        self.rows = {
            field.name: FormRow(field, self.editor_for(field, given_value(field, initial)))
            for field in fields_of(record)
        }

    def compose(self) -> ComposeResult:
        """The fields, the buttons, what is off and why. What concerns all comes above, when there is any."""
        reader = reader_of(self)
        with VerticalScroll(can_focus=False):
            yield from self.rows.values()
        if any(row.field.help for row in self.rows.values()):
            yield Static(classes="form--help")
        yield Static(classes="form--state")
        with Horizontal(classes="form--bar"):
            yield Button(plain(reader.say(self._save)), variant="primary", compact=True, id="form-save")
            yield Button(plain(reader.say(_("Leave"))), compact=True, id="form-leave")

    def on_mount(self) -> None:
        """Say what is missing from the start, and be ready to type."""
        # Before the first paint: all entries are mounted.
        self._check()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        focused = self.screen.focused
        if self.rows and (focused is None or focused.id in {"form-save", "form-leave"}):
            self._go_to(next(iter(self.rows)))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Tell of the field that is entered now."""
        row = next((one for one in event.widget.ancestors_with_self if isinstance(one, FormRow)), None)
        if row is not None:
            for told in self.query(".form--help").results(Static):
                told.update(plain(reader_of(self).say(row.field.help)))

    # Entries

    def editor_for(self, field: Field, value: Any) -> Editor:
        """An entry that begins with the value."""
        if field.kind is Kind.SEVERAL:
            lines = field.item is not None and field.item.kind is Kind.RECORD
            return RecordLines(field, value, self._edit) if lines else SeveralEditor(field, value, self.editor_for)
        if field.kind is Kind.RECORD:
            return RecordEditor(field, value, self._edit)
        if field.refers:
            return ReferenceEditor(field, value, self._lookup)
        made = {
            Kind.NOTE: NoteEditor,
            Kind.DAY: DayEditor,
            Kind.YES_NO: YesNoEditor,
            Kind.CHOICE: ChoiceEditor,
        }.get(field.kind, TextEditor)
        return made(field, value)

    def _edit(self, record: type, value: Any, saved: Callable[[Any], None]) -> None:
        def done(made: Any) -> None:
            if made is not None:
                saved(made)

        self.app.push_screen(FormScreen(record, None if value is NOTHING else value, lookup=self._lookup), done)

    # Checks

    @property
    def dirty(self) -> bool:
        """Whether something was entered."""
        return any(row.editor.touched for row in self.rows.values())

    def results(self) -> dict[str, Any | Fault]:
        """The value of each field, or what is wrong with it."""
        return {name: row.editor.result() for name, row in self.rows.items()}

    def _raws(self) -> dict[str, Any]:
        return {name: row.editor.raw() for name, row in self.rows.items()}

    @on(Editor.Changed)
    def _changed(self, event: Editor.Changed) -> None:
        event.stop()
        name = event.editor.field.name
        # What was refused was another value, unless this news is older than the refusal.
        if self._refused and event.editor.raw() != self._refused_at.get(name):
            self._refused.pop(name, None)
            if self._theirs is None:
                self._refused.pop("", None)
        if not self._pending:
            # All entries tell their first value at once: that is one check, not one for each.
            self._pending = True
            self.call_next(self._check)

    def _check(self) -> dict[str, Any | Fault]:
        """Show what is wrong at each field that was touched, and in one line what keeps it from being saved."""
        self._pending = False
        reader, results = reader_of(self), self.results()
        wrong: dict[str, str] = {}
        for name, row in self.rows.items():
            result = results[name]
            text = reader.say(result.template, result.values) if isinstance(result, Fault) else ""
            if text:
                wrong[name] = text
            text = text or self._refused.get(name, "")
            quiet = isinstance(result, Fault) and result.template == NEEDED and not self._tried
            row.show("" if quiet and not row.editor.touched else text)
        self._show_state(wrong)
        self._show_banner()
        return results

    def _show_banner(self) -> None:
        text = self._refused.get("", "")
        if self._banner is not None:
            self._banner.display = bool(text)
            self._banner.update(plain(text))
        elif text:
            self._banner = Static(plain(text), classes="form--banner")
            self.mount(self._banner, before=0)

    def _show_state(self, wrong: Mapping[str, str]) -> None:
        reader = reader_of(self)
        names = ", ".join(reader.label(self.rows[name].field) for name in wrong)
        values = {"action": reader.say(self._save), "count": len(wrong), "names": names}
        if len(wrong) == 1:
            text = reader.say(_("{action} is off: 1 field is wrong or missing: {names}"), values)
        elif wrong:
            text = reader.say(_("{action} is off: {count} fields are wrong or missing: {names}"), values)
        elif self._save != SAVE:
            text = ""  # a question is not kept: there is nothing to say of it
        else:
            text = reader.say(_("changed, not saved") if self.dirty else _("nothing changed"))
        if text == self._said:
            return
        self._said = text
        self.query_one(".form--state", Static).update(plain(text))
        save = self.query_one("#form-save", Button)
        save.disabled = bool(wrong)
        save.tooltip = plain(text) if wrong else None

    # Saving and leaving

    def action_save(self) -> None:
        """Post Saved, or show what is wrong and go there, as soon as all that was typed before is entered.

        A terminal behind a slow line hands over many keys at once, and this one overtakes those of the entries.
        """
        when_entered([one for one in self.query("Input, TextArea") if one.is_running], self._save_now)

    def _save_now(self) -> None:
        self._tried = True
        self._refused.clear()
        results = self._check()
        for name, result in results.items():
            if isinstance(result, Fault):
                self._go_to(name)
                self.app.bell()
                return
        made = build(self.record, results)
        if isinstance(made, tuple):
            name, fault = made
            self.show_refusal(name, reader_of(self).say(fault.template, fault.values))
            return
        self.post_message(self.Saved(self, made, self.version))

    def _go_to(self, name: str) -> None:
        row = self.rows[name]
        for widget in row.editor.query("*"):
            if widget.focusable:
                widget.focus()
                break
        row.scroll_visible(animate=False)

    def action_leave(self) -> None:
        """Post Left, after a question when something was entered."""
        if not self.dirty:
            self.post_message(self.Left(self))
            return

        def answered(leave: bool | None) -> None:
            if leave:
                self.post_message(self.Left(self))

        reader = reader_of(self)
        question = reader.say(_("What you entered is not saved. Leave without saving?"))
        yes, no = reader.say(_("Leave")), reader.say(_("Stay"))
        self.app.push_screen(ConfirmScreen(question, yes=yes, no=no, danger=True), answered)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        match event.button.id:
            case "form-save":
                self.action_save()
            case "form-leave":
                self.action_leave()
            case "form-theirs" | "form-mine":
                self._resolve(event.button.id == "form-theirs")

    # What the daemon says

    def show_refusal(self, field: str, text: str) -> None:
        """A refusal at its field (``lines.0.amount`` is at ``lines``); of no field here: above all. ``text`` is in the
        reader's language."""
        name = field.partition(".")[0]
        self._refused[name if name in self.rows else ""] = text
        self._refused_at = self._raws()
        self._check()
        if name in self.rows:
            self._go_to(name)

    def show_conflict(self, text: str, theirs: Any, version: int) -> None:
        """Somebody else changed the record. Each differing field shows their value; the user takes theirs, or keeps
        his and saves again, upon ``version``."""
        self._theirs = (theirs, version)
        reader = reader_of(self)
        mine = self.results()
        self._refused, self._refused_at = {"": text}, self._raws()
        for name, row in self.rows.items():
            other = getattr(theirs, name)
            if mine[name] != other:
                shown = reader.shown(row.field, other) or "–"
                self._refused[name] = reader.say(_("theirs: {value}"), {"value": shown})
        self._check()
        if self._conflict is None:
            self._conflict = Horizontal(
                Button(plain(reader.say(_("Take theirs"))), compact=True, id="form-theirs"),
                Button(plain(reader.say(_("Keep mine"))), compact=True, id="form-mine"),
                classes="form--conflict",
            )
            self.mount(self._conflict, before=self.query_one(VerticalScroll))
        self._conflict.display = True
        self.call_after_refresh(self._ask_whose)

    def _ask_whose(self) -> None:
        if self._theirs is not None:
            self.query_one("#form-theirs", Button).focus()

    def _resolve(self, take: bool) -> None:
        if self._theirs is None:
            return
        (theirs, self.version), self._theirs = self._theirs, None
        self._refused.clear()
        if self._conflict is not None:
            self._conflict.display = False
        if take:
            self.run_worker(self.set_value(theirs), exit_on_error=False)
        else:
            self._check()

    async def set_value(self, value: Any) -> None:
        """Enter this record, as if the form had begun with it: also after it was saved."""
        await to_its_end(self._enter(value))

    async def _enter(self, value: Any) -> None:
        async with self._entering:
            if not self.is_attached:
                return
            inner = self.query_one(VerticalScroll)
            self._tried = False
            self.rows = {
                field.name: FormRow(field, self.editor_for(field, given_value(field, value)))
                for field in fields_of(self.record)
            }
            with self.app.batch_update():
                await inner.remove_children()
                if inner.is_attached and inner.is_running:
                    await inner.mount(*self.rows.values())
                    self._check()


class FormScreen(FrontScreen[Any]):
    """A form in front of a screen: the record, or None when it is left."""

    DEFAULT_CSS = """
    FormScreen { align: center middle; }
    FormScreen > Vertical {
        width: 90%; max-width: 110; height: auto; max-height: 90%;
        background: $surface; color: $foreground; border: round $primary; padding: 0;
    }
    FormScreen Form { height: auto; max-height: 100%; }
    FormScreen Form > VerticalScroll { height: auto; max-height: 30; }
    """

    def __init__(self, record: type, initial: Any = None, *, lookup: Lookup | None = None) -> None:
        super().__init__()
        self._form = Form(record, initial, lookup=lookup)

    def compose(self) -> ComposeResult:
        """The form under the record's title."""
        box = Vertical(self._form)
        box.border_title = plain(reader_of(self).say(title_of(self._form.record)))
        yield box

    @on(Form.Saved)
    def _saved(self, event: Form.Saved) -> None:
        event.stop()
        self.dismiss(event.value)

    @on(Form.Left)
    def _left(self, event: Form.Left) -> None:
        event.stop()
        self.dismiss(None)
