"""The commands of a service's settings: ``settings.get`` for its people, ``settings.change`` for those who set them."""

from __future__ import annotations

from dataclasses import make_dataclass
from typing import Any

from appliance.contract.commands import Command, Effect
from appliance.contract.context import Context
from appliance.contract.kinds import Count
from appliance.contract.records import STRICT
from appliance.contract.service import Service
from appliance.store.settings import change_settings, settings_version

__all__ = ["settings_commands"]


def settings_commands(service: Service, record: type) -> tuple[Command, ...]:
    """``settings.get`` and ``settings.change`` of a service whose settings are this record."""
    kept = _record("SettingsKept", record)
    changed = _record("SettingsChanged", record)

    def get(context: Context) -> Any:
        return kept(version=settings_version(context.connection, service.name), row=context.settings(record))

    def change(context: Context, arguments: Any) -> Any:
        version = change_settings(context, arguments.row, arguments.version)
        context.publish("changed", "settings")
        return kept(version=version, row=arguments.row)

    return (
        Command(
            name="settings.get",
            function=get,
            effect=Effect.QUERY,
            roles=frozenset(role.name for role in service.roles),
            arguments=None,
            returns=kept,
            summary="Look at the settings.",
        ),
        Command(
            name="settings.change",
            function=change,
            effect=Effect.CHANGE,
            roles=service.settings,
            arguments=changed,
            returns=kept,
            summary="Change the settings.",
        ),
    )


def _record(name: str, row: type) -> type:
    """``row`` with its version."""
    fields: tuple[tuple[str, Any], ...] = (("version", Count), ("row", row))
    made = make_dataclass(
        name, fields, frozen=True, kw_only=True, slots=True, namespace={"__pydantic_config__": STRICT}
    )
    made.__module__ = row.__module__
    return made
