"""What a screen can do with a command: a form, a question, a paper, or work that takes long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from appliance.console.answers import is_kept, show_answer
from appliance.console.dialog import RecordDialog
from appliance.console.papers import show_paper
from appliance.console.references import lookup_of
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.console.working import follow
from appliance.contract.fields import fields_of
from appliance.contract.records import Row
from appliance.contract.refusals import Refused
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.screens import Pane
    from appliance.console.words import Reader

__all__ = ["Action", "perform"]


@dataclass(frozen=True, slots=True)
class Action:
    """One command of the service on one key.

    ``Action("return", Return, _("Return"), "t", fills={"number": "number"})``
    opens the form of ``Return`` with its ``number`` from the row's ``number``.
    Without entries left to make it only asks.
    """

    command: str
    record: type | None
    """The command's record; None for a command without arguments."""
    title: str
    """English, a key of the translations."""
    key: str
    fills: Mapping[str, str] = field(default_factory=dict)
    """Fields of the record, and the columns of the row that they begin with; ``"version"`` is the row's."""
    form: bool = True
    """Whether there are entries to make. False: the row says everything, and a question is asked."""
    ask: bool = True
    """Whether a question is asked when there is no form."""
    paper: bool = False
    """The answer is a document, to be looked at and printed."""
    given: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """More values to begin with, made from the row's."""
    tooltip: str = ""
    rule: Callable[[Row], object] | None = None
    """What the command asks of the row first: raises Refused for one that does not fit. The command and the screen
    share it, so the key of what would be refused is dim, and says why in the same words."""

    @property
    def needs_row(self) -> bool:
        """Whether it is about the row under the cursor."""
        return bool(self.fills) or self.given is not None

    def why_not(self, reader: Reader, row: Mapping[str, Any]) -> str:
        """Why the rule would refuse this row, in the reader's words; empty when it would not."""
        if self.rule is not None:
            try:
                self.rule(row)
            except Refused as error:
                return reader.say(error.template, error.values)
        return ""

    def initial(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the form begins with, or the arguments themselves when there is no form."""
        values = {name: row[column] for name, column in self.fills.items() if column in row}
        return values | dict(self.given(row) if self.given else {})


async def perform(pane: Pane, action: Action, row: Mapping[str, Any]) -> bool:
    """Do it; whether it was done. To be run in a worker of the pane."""
    initial = action.initial(row)
    if action.form and action.record is not None and fields_of(action.record):
        return await _by_form(pane, action, initial)
    if action.ask and not action.paper:
        question = pane.reader.say(_("{action}: {subject}?"), {"action": pane.reader.say(action.title),
                                                            "subject": _subject(pane, action, initial)})  # fmt: skip
        if not await pane.app.push_screen_wait(ConfirmScreen(question)):
            return False
    try:
        await _answered(pane, action, initial if action.record else None)
    except Refused as error:
        pane.shell.say_refused(error)
        return False
    return True


def _subject(pane: Pane, action: Action, initial: Mapping[str, Any]) -> str:
    """What is asked about, for the eyes: its version says nothing to them."""
    fields = {one.name: one for one in fields_of(action.record)} if action.record else {}
    seen = {name: value for name, value in initial.items() if action.fills.get(name) != "version"}
    return ", ".join(
        pane.reader.shown(fields[name], value) if name in fields else str(value) for name, value in seen.items()
    )


async def _by_form(pane: Pane, action: Action, initial: Mapping[str, Any]) -> bool:
    answers: list[Any] = []
    arguments: list[Any] = []

    async def submit(value: Any, _version: int) -> Any:
        arguments[:] = [value]
        if action.paper:
            # The paper is asked for as text; the same arguments print it.
            answers[:] = [await pane.door.document(pane.service, action.command, value, "text/plain")]
        else:
            answers[:] = [await pane.door.call(pane.service, action.command, value)]
        return True

    assert action.record is not None
    dialog = RecordDialog(
        pane.reader.say(action.title),
        action.record,
        _typed(action.record, initial),
        submit,
        lookup=lookup_of(pane),
    )
    dialog.unseen = frozenset(name for name, column in action.fills.items() if column == "version")
    if await pane.app.push_screen_wait(dialog) is None:
        return False
    if action.paper:
        show_paper(pane, action.command, arguments[0], pane.reader.say(action.title), answers[0].decode())
    else:
        await _show(pane, action, answers[0])
    return True


async def _answered(pane: Pane, action: Action, arguments: Any) -> None:
    if action.paper:
        text = await pane.door.document(pane.service, action.command, arguments, "text/plain")
        show_paper(pane, action.command, arguments, pane.reader.say(action.title), text.decode())
    else:
        await _show(pane, action, await pane.door.call(pane.service, action.command, arguments))


async def _show(pane: Pane, action: Action, answer: Any) -> None:
    if pane.access.effect_of(pane.service, action.command) == "work":
        await follow(pane, pane.reader.say(action.title), str(answer["work"]))
    elif not action.form and is_kept(answer):
        # The row stands in the screen behind, with what is new about it.
        pane.shell.tell(_("Done."))
    else:
        show_answer(pane, action.title, answer)


def _typed(record: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values of a row as those of the record's fields; what does not fit is left for the user to enter."""
    import json

    from pydantic import TypeAdapter, ValidationError

    found = {}
    for one in fields_of(record):
        if one.name in values and values[one.name] is not None:
            try:
                found[one.name] = TypeAdapter(one.type).validate_json(json.dumps(values[one.name]))
            except ValidationError:
                continue
    return found
