"""A form in front of a screen that stays until the daemon has taken what was entered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from appliance.console.door import Failure
from appliance.console.once import Once
from appliance.console.plain import plain
from appliance.console.status import KeyLine
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.editors import NOTHING
from appliance.console.widgets.form import SAVE, Form
from appliance.console.widgets.front import FrontScreen
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.reference import Lookup
from appliance.console.widgets.validation import TEMPLATES
from appliance.contract.fields import fields_of
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["AskDialog", "LookScreen", "RecordDialog", "focus_first", "show_failure"]

AROUND = 9
"""Lines of a dialog that are no entries: frame, buttons, what is wrong, and the keys and the state below it."""
Submit = Callable[[Any, int], Awaitable[Any]]
"""Give the record and its version to the daemon; raises Refused."""
Conflicted = Callable[[Form, Failure], Awaitable[None]]


def show_failure(form: Form, error: Refused, prefix: str = "") -> None:
    """What the daemon refused, at the fields that it names. ``prefix``: ``row.``, where the command takes more."""
    reader = reader_of(form)
    problems = error.problems if isinstance(error, Failure) else ()
    for problem in problems:
        bounds = problem.get("bounds") or {}
        template = str(bounds.get("template") or TEMPLATES.get(str(problem.get("kind")), _("this is not accepted")))
        values = bounds.get("values") or bounds
        form.show_refusal(str(problem.get("field", "")).removeprefix(prefix), reader.say(template, values))
    if not problems:
        form.show_refusal(error.field.removeprefix(prefix), reader.say(error.template, error.values))


def focus_first(form: Form) -> None:
    """Into the form's first entry; where some were filled in from a row, into the first that is still wanted: who gives
    the reason of a cancellation does not write it into the number of the booking."""
    required = [row for row in form.rows.values() if row.field.required and row.display]
    wanted = [row for row in required if row.editor.initial is NOTHING]
    for row in wanted if len(wanted) < len(required) and wanted else form.rows.values():
        for widget in row.editor.query("*"):
            if widget.focusable and row.display:
                widget.focus()
                return


class RecordDialog(FrontScreen[Any]):
    """What the daemon answered, or None when it is left. All that was typed stays until one of them."""

    AUTO_FOCUS = ""
    save: ClassVar[str] = SAVE
    """What the first button and its key say."""

    DEFAULT_CSS = """
    RecordDialog { align: center middle; }
    RecordDialog > Vertical {
        width: 90%; max-width: 110; height: auto; max-height: 94%;
        background: $surface; color: $foreground; border: round $primary; padding: 0;
    }
    RecordDialog Form { height: auto; max-height: 100%; }
    RecordDialog Form > VerticalScroll { height: auto; }
    """

    def __init__(
        self,
        title: str,
        record: type,
        initial: Any,
        submit: Submit,
        *,
        version: int = 0,
        lookup: Lookup | None = None,
        conflicted: Conflicted | None = None,
        prefix: str = "",
    ) -> None:
        """``title`` is in the reader's language. ``prefix`` as in ``show_failure``."""
        super().__init__()
        self._title_text = title
        self.form = Form(record, initial, version=version, lookup=lookup, save=self.save)
        self._submit = submit
        self._conflicted = conflicted
        self._prefix = prefix
        self._once = Once()
        self.unseen: frozenset[str] = frozenset()
        """Fields that are given and say nothing to people, as versions."""

    @property
    def unsaved(self) -> str:
        """What would be lost."""
        return self._title_text if self.form.is_mounted and self.form.dirty else ""

    @property
    def help_text(self) -> str:
        """For the key sheet."""
        return FORM_HELP

    @property
    def pane(self) -> RecordDialog:
        """The key sheet asks a screen's pane for help."""
        return self

    def compose(self) -> ComposeResult:
        """The form under its title."""
        box = Vertical(self.form)
        box.border_title = plain(self._title_text)
        yield box
        yield KeyLine(classes="-front")

    def on_resize(self, event: Resize) -> None:
        """The entries scroll where they are too many; what saves and what is wrong with them is always seen."""
        self.form.query_one(VerticalScroll).styles.max_height = max(3, event.size.height - AROUND)

    def on_mount(self) -> None:
        """Into the first entry; the conflict's buttons come before it, and are not seen yet."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        for name in self.unseen & self.form.rows.keys():
            self.form.rows[name].display = False
        focus_first(self.form)

    @on(Form.Saved)
    def _saved(self, event: Form.Saved) -> None:
        event.stop()
        begin(self, self._give(event.value, event.version), group="submit")

    async def _give(self, value: Any, version: int) -> None:
        try:
            with self._once.of((value, version)):
                answer = await self._submit(value, version)
        except Refused as error:
            if error.code == "conflict" and isinstance(error, Failure) and self._conflicted is not None:
                await self._conflicted(self.form, error)
            else:
                show_failure(self.form, error, self._prefix)
        else:
            # A command without an answer has been done all the same.
            self.dismiss(True if answer is None else answer)

    @on(Form.Left)
    def _left(self, event: Form.Left) -> None:
        event.stop()
        self.dismiss(None)


FORM_HELP = _("""\
# A form

Each entry is checked as you type; what is wrong stands below it. **Tab** and **Shift+Tab** go from entry to entry,
**Ctrl+S** saves, **Esc** leaves, after a question when something was entered.

When somebody else has changed the record in the meantime, you see who, what and when; your own entries stay.
""")


class AskDialog(RecordDialog):
    """A form that asks, and changes nothing."""

    save = _("Ask")


class LookScreen(FrontScreen[None]):
    """A record to be read only."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "leave", _("Leave"), id="look.leave")]
    DEFAULT_CSS = """
    LookScreen { align: center middle; }
    LookScreen > VerticalScroll {
        width: 90%; max-width: 100; height: auto; max-height: 94%;
        background: $surface; color: $foreground; border: round $primary; padding: 1 2;
    }
    LookScreen Static { height: auto; }
    """

    def __init__(self, title: str, record: type, values: Mapping[str, Any], note: str = "") -> None:
        """``title`` and ``note`` are in the reader's language."""
        super().__init__()
        self._title_text = title
        self._record = record
        self._values = values
        self._note = note

    def compose(self) -> ComposeResult:
        """A line a field."""
        reader = reader_of(self)
        lines = []
        for field in fields_of(self._record):
            shown = reader.shown(field, self._values.get(field.name))
            lines.append(Content.assemble((f"{reader.label(field):<24} ", "bold"), shown or "–"))
        if self._note:
            lines += [Content(""), plain(self._note).stylize("$text-muted")]
        box = VerticalScroll(Static(Content("\n").join(lines), markup=False))
        box.border_title = plain(self._title_text)
        yield box
        yield KeyLine(classes="-front")

    def action_leave(self) -> None:
        """Back."""
        self.dismiss()
