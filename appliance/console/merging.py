"""Somebody else was first: what they changed comes into the form, what the user entered stays."""

from __future__ import annotations

from typing import Any

from textual.containers import VerticalScroll

from appliance.console.widgets.form import Form
from appliance.console.widgets.form_row import FormRow
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.whole import to_its_end
from appliance.contract.fields import fields_of
from appliance.language import _

__all__ = ["changed_fields", "merge"]


def changed_fields(record: type, before: Any, after: Any) -> tuple[str, ...]:
    """The names of the fields that differ."""
    return tuple(field.name for field in fields_of(record) if getattr(before, field.name) != getattr(after, field.name))


async def merge(form: Form, base: Any, theirs: Any, version: int, by: str, at: str) -> None:
    """Bring the form up to ``theirs``, which is of ``version``.

    Entries that nobody touched take their values. Where both have changed a
    field, the form asks whose it shall be.
    """
    reader = reader_of(form)
    changed = changed_fields(form.record, base, theirs)
    touched = {name for name, row in form.rows.items() if row.editor.touched}
    await to_its_end(_take(form, theirs, [name for name in changed if name not in touched]))
    labels = {field.name: reader.label(field) for field in fields_of(form.record)}
    values = {"by": by, "fields": ", ".join(labels[name] for name in changed) or "–", "at": at}
    words = reader.say(_("{by} has changed this at {at}: {fields}. Your entries are kept; save again."), values)
    if touched & set(changed):
        form.show_conflict(words, theirs, version)
    else:
        form.version = version
        form.show_refusal("", words)


async def _take(form: Form, theirs: Any, names: list[str]) -> None:
    """New rows in the places of these."""
    inner = form.query_one(VerticalScroll)
    fields = {field.name: field for field in fields_of(form.record)}
    with form.app.batch_update():
        for name in names:
            before = form.rows[name]
            row = FormRow(fields[name], form.editor_for(fields[name], getattr(theirs, name)))
            form.rows[name] = row
            await inner.mount(row, after=before)
            await before.remove()
