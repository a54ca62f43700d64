"""References of a service's records: suggestions of what fits the typed text, and forms for new records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from appliance.console.dialog import RecordDialog
from appliance.console.widgets.validation import Fault, read
from appliance.contract.fields import Kind, fields_of
from appliance.contract.listings import Question, columns_of
from appliance.contract.master_data import MasterData
from appliance.contract.refusals import Refused
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.screens import Pane

__all__ = ["References", "add_record", "begun", "lookup_of"]

MOST = 20


def lookup_of(pane: Pane) -> References:
    """For the forms of a pane."""
    return References(pane)


async def add_record(pane: Pane, master: MasterData, initial: Mapping[str, Any] | None = None) -> Any:
    """The form of a new record: what the daemon answered, or None when it was left. To be run in a worker."""

    async def submit(value: Any, _version: int) -> Any:
        return await pane.door.call(pane.service, f"{master.name}.add", value)

    title = pane.reader.say(_("New: {what}"), {"what": pane.reader.say(master.title)})
    dialog = RecordDialog(title, master.record, initial, submit, lookup=lookup_of(pane))
    return await pane.app.push_screen_wait(dialog)


@dataclass(frozen=True, slots=True)
class References:
    """A Lookup, and an Adding."""

    pane: Pane

    async def __call__(self, refers: str, typed: str) -> Sequence[tuple[str, str]]:
        """Keys and texts of the records that fit; who may not look at them types the key."""
        pane, master = self.pane, self._master(refers)
        if master is None or not pane.access.may_see(pane.service, refers):
            return ()
        question = Question(search=typed[:200])
        try:
            answer = await pane.door.ask(pane.service, refers, question)
        except Refused:
            return ()
        columns = columns_of(master.record)
        names = [column.name for column in columns]
        place = names.index(master.key)
        found = []
        for row in answer["rows"]:
            values = row["values"]
            parts = [
                pane.reader.shown(column.field, value)
                for column, value in zip(columns, values, strict=False)
                if column.name != master.key
            ]
            parts.sort(key=lambda part: _fit(part, typed))
            found.append((str(values[place]), " · ".join(part for part in parts if part)[:80]))
        # Nobody is to get another guest's bill because a street has the letters of his name.
        found.sort(key=lambda one: min(_fit(one[0], typed), _fit(one[1], typed)))
        return found[:MOST]

    def may_add(self, refers: str) -> bool:
        """Whether there is such master data, and the person may add to it."""
        return self._master(refers) is not None and self.pane.access.may(self.pane.service, f"{refers}.add")

    async def add(self, refers: str, typed: str) -> str | None:
        """The form, begun with what was typed; the new key."""
        master = self._master(refers)
        assert master is not None
        answer = await add_record(self.pane, master, begun(master, typed, self.pane.reader.language))
        row = answer.get("row") if isinstance(answer, Mapping) else None
        return str(row[master.key]) if isinstance(row, Mapping) else None

    def _master(self, refers: str) -> MasterData | None:
        for service in self.pane.shell.installed():
            if service.name == self.pane.service:
                known: Sequence[MasterData] = getattr(service.module("model"), "MASTER_DATA", ())
                return next((one for one in known if one.name == refers), None)
        return None


def begun(master: MasterData, typed: str, language: str) -> dict[str, Any]:
    """A typed text in the place that it is for: one with a digit is a key, a name is none."""
    if not typed:
        return {}
    names = [one for one in fields_of(master.record) if one.kind is Kind.LINE and one.name != master.key]
    field = master.key_field if any(letter.isdigit() for letter in typed) or not names else names[0]
    value = read(field, typed, language)
    return {} if isinstance(value, Fault) else {field.name: value}


def _fit(text: str, typed: str) -> int:
    """0: begins with what is typed; 1: one of its words does; 2: it is within; 3: it is not."""
    text, typed = text.casefold(), typed.casefold()
    if text.startswith(typed):
        return 0
    if any(word.startswith(typed) for word in text.split()):
        return 1
    return 2 if typed in text else 3
