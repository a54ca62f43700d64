"""A service: what an entry point of ``gerbang.services`` names.

A service is a package. Its modules are found by name and loaded when they are
used, because the console must not pay for the database nor the daemon for the
screens::

    model.py        records, rules, MASTER_DATA, LISTINGS, Settings: imports appliance.contract only
    tables.py       METADATA: SQLAlchemy tables, those of the master data derived
    commands.py     the Commands at module level
    screens.py      SCREENS: imports model.py and the console
    migrations/     Alembic revisions, one branch of its own
    components.py   components(connection): what it makes of the machine; PROGRAMS: the daemons it may run
    examples.py     load(context): sample data for --demo
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

__all__ = ["Role", "Service", "all_services"]


@dataclass(frozen=True, slots=True)
class Role:
    """A role of one service. ``name`` is local: ``receptionist``; ``title`` is English."""

    name: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a service says of itself without loading anything."""

    name: str
    title: str
    package: str
    roles: tuple[Role, ...]
    requires: tuple[str, ...] = ()
    """Services that must be there."""
    settings: frozenset[str] = frozenset({"administrator"})
    """The roles that change its settings, if its model has ``Settings``."""
    folders: tuple[str, ...] = ()
    """Folders below the state folder that a backup takes beside the tables."""
    public: bool = False
    """Has commands and a screen for visitors."""

    def module(self, name: str) -> ModuleType | None:
        """One of its modules, or None when it has none of that name."""
        full = f"{self.package}.{name}"
        return import_module(full) if find_spec(full) else None

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The full names: ``hotel.receptionist``."""
        return frozenset(f"{self.name}.{role.name}" for role in self.roles)


def all_services() -> Iterator[Service]:
    """The services that are installed, in the order of their names."""
    from importlib.metadata import entry_points

    for entry in sorted(entry_points(group="gerbang.services"), key=lambda one: one.name):
        yield entry.load()
