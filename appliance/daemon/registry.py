"""All that the services offer, collected once when the daemon starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import MetaData, Table, select

from appliance.contract.commands import Command
from appliance.contract.listings import Listing, Order
from appliance.contract.master_data import MasterData
from appliance.contract.service import Service
from appliance.contract.timed import Timed
from appliance.daemon.offering import check_before, check_commands, check_listings, check_master_data, check_timed
from appliance.language import look_in
from appliance.services.master_data import commands_of
from appliance.services.settings import settings_commands
from appliance.store.revisions import metadata_of

__all__ = ["Offered", "Registry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One service with everything that is derived for it."""

    service: Service
    metadata: MetaData
    commands: Mapping[str, Command]
    listings: Mapping[str, Listing]
    settings: type | None
    timed: tuple[Timed, ...] = ()
    """What it does by itself."""


class Registry:
    """The services by name. Raises TypeError for a service that contradicts itself: that is a fault of its author."""

    def __init__(self, services: Iterable[Service]) -> None:
        self.services: dict[str, Offered] = {one.name: _offered(one) for one in services}
        for one in self.services.values():
            if (own := one.service.folder("locale")) is not None:
                look_in(own)
        for offered in self.services.values():
            missing = [name for name in offered.service.requires if name not in self.services]
            if missing:
                raise TypeError(f"service {offered.service.name} requires {', '.join(missing)}")

    @property
    def roles(self) -> frozenset[str]:
        """The full names of all roles."""
        return frozenset().union(*(one.service.role_names for one in self.services.values()))


def _offered(service: Service) -> Offered:
    model = service.module("model")
    master_data: tuple[MasterData, ...] = getattr(model, "MASTER_DATA", ())
    # Before the tables are made of it, which would fail with less to say.
    check_master_data(service, master_data)
    tables, commands = (service.module(name) for name in ("tables", "commands"))
    before: Mapping[str, Any] = getattr(commands, "BEFORE", {})
    kept = metadata_of(service)
    by_name: Mapping[str, Table] = getattr(tables, "MASTER", {})
    if tables is None:
        by_name = {one.name: kept.tables[f"{service.name}_{one.name}"] for one in master_data}
    found: dict[str, Command] = {}
    listings: dict[str, Listing] = {one.name: one for one in getattr(commands, "LISTINGS", ())}
    for master in master_data:
        if master.name not in by_name:
            raise TypeError(f"service {service.name}: MASTER of tables.py has no {master.name}")
        table = by_name[master.name]
        found |= {command.name: command for command in commands_of(master, table, before)}
        listings.setdefault(master.name, _listing(master, table))
    check_before(service, before, found)
    settings: type | None = getattr(model, "Settings", None)
    if settings is not None:
        found |= {command.name: command for command in settings_commands(service, settings)}
    for value in vars(commands).values() if commands else ():
        if isinstance(value, Command):
            found[value.name] = value
    check_commands(service, found)
    check_listings(service, listings)
    timed: tuple[Timed, ...] = tuple(getattr(commands, "TIMED", ()))
    check_timed(service, timed, found)
    return Offered(
        service=service,
        metadata=kept,
        commands=found,
        listings=listings,
        settings=settings,
        timed=timed,
    )


def _listing(master: MasterData, table: Any) -> Listing:
    rows = select(table)
    return Listing(
        name=master.name,
        row=master.record,
        see=master.see,
        key=master.key,
        order=(Order(column=master.key),),
        select=lambda _asking: rows,
    )
