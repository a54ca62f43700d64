"""What a service's author may get wrong, said with the service, the record and the field, when the daemon starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from appliance.contract.commands import Command, Effect
from appliance.contract.fields import Field, fields_of
from appliance.contract.listings import Listing
from appliance.contract.master_data import MasterData
from appliance.contract.people import ANYONE, VISITOR
from appliance.contract.service import Service
from appliance.contract.timed import Timed

__all__ = ["check_before", "check_commands", "check_listings", "check_master_data", "check_timed"]

OF_TABLES = frozenset({"id", "version", "changed_by", "changed_at"})
"""The columns that each table has beside those of its record."""
OF_COMMANDS = OF_TABLES | {"row"}
"""What stands beside the key in the arguments of the derived commands."""


def check_master_data(service: Service, all_of: Iterable[MasterData]) -> None:
    """Keys, unique sets, references and names of fields. Raises TypeError."""
    known = tuple(all_of)
    names = [one.name for one in known]
    for master in known:
        place = f"service {service.name}: {master.name} ({master.record.__name__})"
        fields = {one.name: one for one in fields_of(master.record)}
        if names.count(master.name) > 1:
            raise TypeError(f"{place}: there are two master data of this name")
        if master.key not in fields:
            raise TypeError(f"{place}: the key {master.key!r} is no field; {_meant(master.key, fields)}")
        if master.key in OF_COMMANDS:
            raise TypeError(f"{place}: the field {master.key} cannot be the key: derived commands say it of the row")
        for name in fields:
            if name in OF_TABLES:
                raise TypeError(f"{place}: the field {name} has the name of a column that each table has")
        for name in (one for several in master.unique for one in several):
            if name not in fields:
                raise TypeError(f"{place}: unique says {name!r}, which is no field; {_meant(name, fields)}")
        for name, to in _references(fields.values()):
            if to not in names:
                raise TypeError(f"{place}: the field {name} refers to {to!r}, no master data; {_meant(to, names)}")
        _check_roles(service, f"{place}: see", master.see)
        _check_roles(service, f"{place}: change", master.change)


def check_commands(service: Service, commands: Mapping[str, Command]) -> None:
    """Their roles. Raises TypeError."""
    for command in commands.values():
        _check_roles(service, f"service {service.name}: the command {command.name}", command.roles)
    if unknown := service.settings - _roles(service):
        raise TypeError(f"service {service.name}: settings: {_no_role(service, unknown)}")


def check_listings(service: Service, listings: Mapping[str, Listing]) -> None:
    """Their roles, keys, orders and selects. Raises TypeError."""
    for listing in listings.values():
        place = f"service {service.name}: the listing {listing.name} ({listing.row.__name__})"
        fields = {one.name for one in fields_of(listing.row)}
        _check_roles(service, place, listing.see)
        if listing.select is None:
            raise TypeError(f"{place} has no select")
        for name in (*filter(None, [listing.key]), *(one.column for one in listing.order)):
            if name not in fields:
                raise TypeError(f"{place}: {name!r} is no field; {_meant(name, fields)}")
        if found := fields & {"id", "version"}:
            raise TypeError(f"{place}: the field {min(found)} has the name of what each row has beside its record")


def check_before(service: Service, before: Mapping[str, Any], derived: Iterable[str]) -> None:
    """``BEFORE`` names derived commands. Raises TypeError."""
    known = tuple(derived)
    for name in before:
        if name not in known:
            raise TypeError(f"service {service.name}: BEFORE says {name!r}, no derived command; {_meant(name, known)}")


def check_timed(service: Service, all_of: Iterable[Timed], commands: Mapping[str, Command]) -> None:
    """``TIMED`` names changes and work, each once, with what they take. Raises TypeError."""
    names = [one.command for one in all_of]
    for one in all_of:
        place = f"service {service.name}: TIMED: {one.command}"
        command = commands.get(one.command)
        if command is None:
            raise TypeError(f"{place}: there is no such command; {_meant(one.command, commands)}")
        if names.count(one.command) > 1:
            raise TypeError(f"{place}: it stands there twice")
        if command.effect is Effect.QUERY:
            raise TypeError(f"{place}: a query does nothing")
        if command.arguments is None and one.arguments is not None:
            raise TypeError(f"{place}: it takes no arguments")
        takes = command.arguments
        if takes is not None and not callable(one.arguments) and not isinstance(one.arguments, takes):
            raise TypeError(f"{place}: its arguments are a {takes.__name__}, or a function that makes one")


def _references(fields: Iterable[Field]) -> Iterator[tuple[str, str]]:
    for field in fields:
        if field.refers:
            yield field.name, field.refers
        if field.item is not None and field.item.refers:
            yield field.name, field.item.refers


def _roles(service: Service) -> frozenset[str]:
    # "administrator" needs no declaration: the administrator of the appliance reaches everything.
    return frozenset(role.name for role in service.roles) | {"administrator", ANYONE, VISITOR}


def _check_roles(service: Service, place: str, roles: frozenset[str]) -> None:
    if isinstance(roles, str):
        raise TypeError(f"{place}: the roles are a frozenset of names, not the text {roles!r}")
    if unknown := roles - _roles(service):
        raise TypeError(f"{place}: {_no_role(service, unknown)}")


def _no_role(service: Service, unknown: frozenset[str]) -> str:
    name = min(unknown)
    return f"there is no role {name!r}; {_meant(name, _roles(service))}"


def _meant(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names) or 'none'}"
