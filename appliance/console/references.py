"""Suggestions for references: the records of the same service whose key or text fits what is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from appliance.console.widgets.editors import Lookup
from appliance.contract.listings import Question, columns_of
from appliance.contract.refusals import Refused

if TYPE_CHECKING:
    from appliance.console.screens import Pane

__all__ = ["lookup_of"]

MOST = 20


def lookup_of(pane: Pane) -> Lookup:
    """For the forms of a pane; who may not look at what is referred to types the key."""

    async def lookup(refers: str, typed: str) -> Sequence[tuple[str, str]]:
        master = _masters(pane).get(refers)
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

    return lookup


def _fit(text: str, typed: str) -> int:
    """0: begins with what is typed; 1: one of its words does; 2: it is within; 3: it is not."""
    text, typed = text.casefold(), typed.casefold()
    if text.startswith(typed):
        return 0
    if any(word.startswith(typed) for word in text.split()):
        return 1
    return 2 if typed in text else 3


def _masters(pane: Pane) -> dict[str, Any]:
    for service in pane.shell.installed():
        if service.name == pane.service:
            return {one.name: one for one in getattr(service.module("model"), "MASTER_DATA", ())}
    return {}
