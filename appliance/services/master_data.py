"""The commands of master data: look, add, change, remove, each derived from its one description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Table

from appliance.contract.commands import Command, Effect
from appliance.contract.context import Context
from appliance.contract.master_data import MasterData, summary_of
from appliance.contract.people import ANYONE, VISITOR
from appliance.store.rows import add_row, change_row, made, remove_row, row_of, values_of

__all__ = ["commands_of"]


Before = Callable[[Context, Any], None]


def commands_of(master: MasterData, table: Table, before: Mapping[str, Before] | None = None) -> tuple[Command, ...]:
    """``rooms.get``, ``rooms.add``, ``rooms.change`` and ``rooms.remove``; ``before`` is a service's ``BEFORE``."""
    first = before or {}
    # Who has a role of the service is told of each change; others where they may see the rows.
    told = master.see & {ANYONE, VISITOR}

    def kept(context: Context, key: Any) -> Any:
        row = row_of(context, table, master.key, key, master.title)
        described = {name: row[name] for name in ("id", "version", "changed_by", "changed_at")}
        described["changed_at"] = described["changed_at"].astimezone(context.zone)
        return master.kept(**described, row=made(master.record, row))

    def get(context: Context, arguments: Any) -> Any:
        return kept(context, getattr(arguments, master.key))

    def add(context: Context, arguments: Any) -> Any:
        add_row(context, table, master.key, values_of(arguments), master.title)
        key = getattr(arguments, master.key)
        context.publish("added", f"{master.name}/{key}", roles=told)
        return kept(context, key)

    def change(context: Context, arguments: Any) -> Any:
        key = getattr(arguments, master.key)
        values = values_of(arguments.row)
        change_row(context, table, master.key, key, arguments.version, values, master.title, number=arguments.id)
        context.publish("changed", f"{master.name}/{key}", roles=told)
        return kept(context, getattr(arguments.row, master.key))

    def remove(context: Context, arguments: Any) -> None:
        key = getattr(arguments, master.key)
        remove_row(context, table, master.key, key, arguments.version, master.title, number=arguments.id)
        context.publish("removed", f"{master.name}/{key}", roles=told)

    def command(function: Any, effect: Effect, arguments: type, returns: Any) -> Command:
        name = f"{master.name}.{function.__name__}"
        return Command(
            name=name,
            function=_after(first[name], function) if name in first else function,
            effect=effect,
            roles=master.see if effect is Effect.QUERY else master.change,
            arguments=arguments,
            returns=returns,
            summary=summary_of(function.__name__, master.title),
        )

    return (
        command(get, Effect.QUERY, master.named, master.kept),
        command(add, Effect.CHANGE, master.record, master.kept),
        command(change, Effect.CHANGE, master.changed, master.kept),
        command(remove, Effect.CHANGE, master.removed, type(None)),
    )


def _after(before: Before, function: Callable[[Context, Any], Any]) -> Callable[[Context, Any], Any]:
    def both(context: Context, arguments: Any) -> Any:
        before(context, arguments)
        return function(context, arguments)

    return both
