"""The policies of the appliance as texts for the workbench: read and kept by the network service's commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.console.screens import Pane
from appliance.contract.fields import fields_of
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.network.model import MASTER_DATA
from appliance.workbench.shelf import Kept, KeptElsewhere, ShelfFault

__all__ = ["PolicyShelf"]

MOST = 500


class PolicyShelf:
    """Satisfies :class:`appliance.workbench.shelf.Shelf`. What else a policy says stays as it is."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self._rows: dict[str, Mapping[str, Any]] = {}

    async def names(self) -> Sequence[tuple[str, str]]:
        """All policies, by name."""
        question = {"order": [{"column": "name"}]}
        try:
            found = await self._pane.door.ask(self._pane.service, "policies", question)
            rows = found["rows"]
            while len(rows) < min(found["count"], MOST):
                rows = [*rows, *await self._pane.door.rows(found["query"], len(rows), 100)]
        except Refused as error:
            raise self._fault(error) from error
        columns = [one.name for one in fields_of(MASTER_DATA[2].record)]
        listed = [dict(zip(columns, one["values"], strict=False)) for one in rows]
        return [(str(one["name"]), str(one.get("about") or "")) for one in listed]

    async def read(self, name: str) -> Kept:
        """As it is kept now."""
        try:
            return self._kept(await self._call("policies.get", {"name": name}))
        except Refused as error:
            raise self._fault(error) from error

    async def keep(self, name: str, text: str, version: int) -> Kept:
        """Change it, or add it where the version is 0."""
        try:
            if not version:
                added = await self._call("policies.add", {"name": name, "text": text})
                return self._kept(added) if isinstance(added, Mapping) and "row" in added else await self.read(name)
            row = {**self._rows.get(name, {}), "name": name, "text": text}
            return self._kept(await self._call("policies.change", {"name": name, "version": version, "row": row}))
        except Refused as error:
            if error.code in {"conflict", "already-there"}:
                raise await self._elsewhere(name) from error
            raise self._fault(error) from error

    async def _elsewhere(self, name: str) -> ShelfFault:
        try:
            answer = await self._call("policies.get", {"name": name})
        except Refused as error:
            return self._fault(error)
        who, when = str(answer.get("changed_by", "")), str(answer.get("changed_at", ""))[:19].replace("T", " ")
        return KeptElsewhere(self._kept(answer), who, when)

    async def _call(self, command: str, arguments: Mapping[str, Any]) -> Any:
        return await self._pane.door.call(self._pane.service, command, arguments)

    def _kept(self, answer: Mapping[str, Any]) -> Kept:
        row = answer["row"]
        self._rows[row["name"]] = row
        return Kept(str(row["name"]), str(row["text"]), int(answer["version"]))

    def _fault(self, error: Refused) -> ShelfFault:
        problems = getattr(error, "problems", ())
        reader = self._pane.reader
        if problems:
            named = ", ".join(str(one.get("field", "")) for one in problems)
            return ShelfFault(reader.say(_("the appliance does not accept this: {fields}"), {"fields": named}))
        return ShelfFault(reader.say(error.template, error.values))
