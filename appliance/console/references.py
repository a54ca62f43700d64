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
        for row in answer["rows"][:MOST]:
            values = row["values"]
            parts = [
                pane.reader.shown(column.field, value)
                for column, value in zip(columns, values, strict=False)
                if column.name != master.key
            ]
            found.append((str(values[place]), " · ".join(part for part in parts if part)[:80]))
        return found

    return lookup


def _masters(pane: Pane) -> dict[str, Any]:
    for service in pane.shell.installed():
        if service.name == pane.service:
            return {one.name: one for one in getattr(service.module("model"), "MASTER_DATA", ())}
    return {}
