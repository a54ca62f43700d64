"""A service: what an entry point of ``gerbang.services`` names.

A service is a package. Its modules are found by name and loaded when they are
used, because the console must not pay for the database nor the daemon for the
screens::

    model.py        records, rules, MASTER_DATA, Settings: imports appliance.contract only
    tables.py       METADATA: SQLAlchemy tables; MASTER: those of the master data, by ``master_tables``. Without
                    this module they are derived
    commands.py     the Commands, LISTINGS, BEFORE; TIMED: those that the daemon calls by itself
    screens.py      SCREENS: imports model.py and the console
    migrations/     Alembic revisions, one branch of its own
    templates/      documents of its own: ``templates/<service>/bill.txt.j2`` and ``.html.j2`` of ``<service>/bill``
    locale/         translations of its own: ``locale/id/LC_MESSAGES/gerbang.mo``
    components.py   components(connection): what it makes of the machine; PROGRAMS: the daemons it may run;
                    OPERATIONS: what it does to the machine beside them; DATA: what they keep beside the store and a
                    backup takes (``appliance.contract.program_data``); PACKAGES: names of the Debian packages that
                    they need; USERS: system users that own its data; DISPLACED: units of those
                    packages that must not start by themselves. completing(connection, components): what it makes
                    in answer to what the other services' components declare, such as the zones of a name server
    examples.py     load(context): sample data for --demo

Each Command that is a name of ``commands.py`` is found, one that is imported
from another module too: a large service has several, and imports them there.
``LISTINGS`` is a tuple of Listing with their ``select``.

Of master data, commands (``rooms.get``, ``.add``, ``.change``, ``.remove``) and
a listing (``rooms``) are derived, and of ``Settings`` the commands
``settings.get`` and ``settings.change``. A command of ``commands.py`` or a
listing of ``LISTINGS`` with the same name takes the place of the derived one;
``BEFORE`` adds a condition to one (``appliance.contract.master_data``).

What an administrator puts into ``templates/documents`` of the state folder takes
the place of a service's template of that name.

A service of another distribution says in its ``pyproject.toml``::

    [project.entry-points."gerbang.services"]
    library = "my_library:service"

where ``service = Service(name="library", …)`` stands in ``my_library/__init__.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from appliance.language import look_in

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

    def folder(self, name: str) -> Path | None:
        """A folder of its package (``templates``), or None when it has none of that name."""
        try:
            found = find_spec(self.package)
        except ModuleNotFoundError:
            return None
        for place in (found.submodule_search_locations or ()) if found else ():
            if (Path(place) / name).is_dir():
                return Path(place) / name
        return None

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The full names: ``hotel.receptionist``."""
        return frozenset(f"{self.name}.{role.name}" for role in self.roles)


def all_services() -> Iterator[Service]:
    """The services that are installed, in the order of their names."""
    from importlib.metadata import entry_points

    for entry in sorted(entry_points(group="gerbang.services"), key=lambda one: one.name):
        service: Service = entry.load()
        if (own := service.folder("locale")) is not None:
            look_in(own)
        yield service
