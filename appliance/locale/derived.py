"""What is shown and nobody marks: labels, choices and titles of records, summaries of commands, names of roles."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, get_args

from appliance.contract.commands import Command
from appliance.contract.fields import Field, fields_of, title_of
from appliance.contract.master_data import SUMMARIES, MasterData, summary_of
from appliance.contract.service import Service
from appliance.locale.marked import Message

__all__ = ["derived", "own_services"]

MODULES = ("model", "commands", "screens", "listings", "reports", "standing_shown")


def own_services() -> Iterator[Service]:
    """The services of this distribution, whether their entry points are installed or not."""
    import appliance.services as package

    for module in iter_modules(package.__path__):
        if module.ispkg:
            found = getattr(import_module(f"{package.__name__}.{module.name}"), "service", None)
            if isinstance(found, Service):
                yield found


def derived(services: Iterable[Service]) -> Iterator[Message]:
    """The texts of these services."""
    for service in services:
        yield Message(service.title, service.name)
        for role in service.roles:
            yield Message(role.title, f"{service.name}.{role.name}")
        for name in MODULES:
            if (module := service.module(name)) is not None:
                yield from _of_module(service.name, module)


def _of_module(service: str, module: ModuleType) -> Iterator[Message]:
    for value in list(vars(module).values()):
        if isinstance(value, Command):
            yield Message(value.summary, f"{service}.{value.name}")
            # A command answers a record, or a tuple of them.
            for record in (value.arguments, value.returns, *get_args(value.returns)):
                yield from _of_record(service, record)
        elif isinstance(value, type):
            yield from _of_record(service, value)
    for master in getattr(module, "MASTER_DATA", ()):
        yield from _of_master(service, master)
    for screen in getattr(module, "SCREENS", ()):
        for text in (screen.title, screen.help):
            if text:
                yield Message(text, f"{service} screens")
        yield from _of_record(service, getattr(screen, "row", None))


def _of_master(service: str, master: MasterData) -> Iterator[Message]:
    yield Message(master.title, f"{service}.{master.name}")
    # The screen's title is the plural name.
    yield Message(master.name.replace("_", " ").replace("-", " ").capitalize(), f"{service}.{master.name}")
    for command in SUMMARIES:
        yield Message(summary_of(command, master.title), f"{service}.{master.name}")
    yield from _of_record(service, master.record)


def _of_record(service: str, record: Any) -> Iterator[Message]:
    if not (isinstance(record, type) and dataclasses.is_dataclass(record) and hasattr(record, "__record_title__")):
        return
    if record.__module__.startswith("appliance.contract"):
        return
    try:
        fields = fields_of(record)
    except (TypeError, NameError):  # a value that no form and no grid shows
        return
    place = f"{service}.{record.__name__}"
    yield Message(title_of(record), place)
    for field in fields:
        yield from _of_field(place, field)


def _of_field(place: str, field: Field) -> Iterator[Message]:
    yield Message(field.label, f"{place}.{field.name}")
    if field.help:
        yield Message(field.help, f"{place}.{field.name}")
    if field.unit and field.unit != "%":
        yield Message(field.unit, f"{place}.{field.name}")
    for choice in field.choices:
        yield Message(choice, f"{place}.{field.name}")
    if field.item is not None:
        yield from _of_field(place, field.item)
        if dataclasses.is_dataclass(field.item.plain):
            yield from _of_record(place.partition(".")[0], field.item.plain)
