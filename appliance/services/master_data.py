"""The commands of master data: look, add, change, remove, each derived from its one description."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table

from appliance.contract.commands import Command, Effect
from appliance.contract.context import Context
from appliance.contract.master_data import MasterData, summary_of
from appliance.store.rows import add_row, change_row, made, remove_row, row_of, values_of

__all__ = ["commands_of"]


def commands_of(master: MasterData, table: Table) -> tuple[Command, ...]:
    """``rooms.get``, ``rooms.add``, ``rooms.change`` and ``rooms.remove``."""

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
        context.publish("added", f"{master.name}/{key}")
        return kept(context, key)

    def change(context: Context, arguments: Any) -> Any:
        key = getattr(arguments, master.key)
        change_row(context, table, master.key, key, arguments.version, values_of(arguments.row), master.title)
        context.publish("changed", f"{master.name}/{key}")
        return kept(context, getattr(arguments.row, master.key))

    def remove(context: Context, arguments: Any) -> None:
        key = getattr(arguments, master.key)
        remove_row(context, table, master.key, key, arguments.version, master.title)
        context.publish("removed", f"{master.name}/{key}")

    def command(function: Any, effect: Effect, arguments: type, returns: Any) -> Command:
        return Command(
            name=f"{master.name}.{function.__name__}",
            function=function,
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
