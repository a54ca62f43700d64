"""The revisions of a service's tables: Alembic files in its ``migrations/`` folder, one after the other, no forks.

Finding them needs no Alembic: a daemon whose store is as its code wants it does
not pay for the import (0.2 s).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, inspect, select, text, update

from appliance.contract.service import Service
from appliance.store.failures import StoreFault
from appliance.store.tables import NAMING, master_tables, metadata
from appliance.store.types import Utc

if TYPE_CHECKING:
    from alembic.migration import MigrationContext

__all__ = [
    "CORE",
    "REVISIONS",
    "BrokenBranch",
    "Revision",
    "branch_of",
    "folder_of",
    "in_order",
    "metadata_of",
    "migration_context",
    "stamp",
    "standing",
    "step",
    "with_core",
]

CORE = Service(name="core", title="Core", package="appliance.store", roles=())
"""The audit log and the settings, as a service beside the others."""

_OWN = MetaData(naming_convention=NAMING)
REVISIONS = Table(
    "core_revisions",
    _OWN,
    Column("service", String(100), primary_key=True),
    Column("revision", String(100), nullable=False),
    Column("since", Utc, nullable=False),
)
"""Which revision the tables of each service have. Made by the migration itself, so it has none of its own."""


_ALONE = threading.Lock()
_NAME = re.compile(r"""^revision(?:\s*:[^=\n]*)?\s*=\s*(["'])([^"']+)\1\s*$""", re.MULTILINE)
_BEFORE = re.compile(r"""^down_revision(?:\s*:[^=\n]*)?\s*=\s*(?:(["'])([^"']+)\1|None)\s*$""", re.MULTILINE)


class BrokenBranch(StoreFault):
    """A service's migrations are not one line. A fault of its author."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One step. ``before`` is empty for the first."""

    service: str
    name: str
    before: str
    file: Path

    def load(self) -> ModuleType:
        """The module with ``upgrade`` and ``downgrade``."""
        spec = spec_from_file_location(f"gerbang_migration_{self.service}_{self.name}", self.file)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def folder_of(service: Service) -> Path | None:
    """Where its migrations are, or would be; None for a service that is in no package."""
    try:
        spec = find_spec(service.package)
    except ModuleNotFoundError:
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "migrations"


def branch_of(service: Service) -> tuple[Revision, ...]:
    """Its revisions from the first to the head; none without a folder. Raises BrokenBranch."""
    folder = folder_of(service)
    if folder is None or not folder.is_dir():
        return ()
    found = [_read(service.name, file) for file in sorted(folder.glob("*.py")) if file.name != "__init__.py"]
    after: dict[str, Revision] = {}
    for revision in found:
        if revision.before in after:
            raise BrokenBranch(f"{revision.file}: {after[revision.before].file.name} follows the same revision")
        after[revision.before] = revision
    line: list[Revision] = []
    while (following := after.pop(line[-1].name if line else "", None)) is not None:
        line.append(following)
    if after:
        raise BrokenBranch(f"{next(iter(after.values())).file}: the revision before it is not there")
    return tuple(line)


def _read(service: str, file: Path) -> Revision:
    """The names in an Alembic file, which are literals at the begin of a line. It is not run for them."""
    text = file.read_text(encoding="utf-8")
    name, before = _NAME.search(text), _BEFORE.search(text)
    if name is None or before is None:
        raise BrokenBranch(f'{file}: a migration says revision = "…" and down_revision = "…" or None')
    return Revision(service, name[2], before[2] or "", file)


def standing(connection: Connection) -> Mapping[str, str]:
    """The revision that the tables of each service have in this database; empty for a new one."""
    if not inspect(connection).has_table(REVISIONS.name):
        return {}
    return {row.service: row.revision for row in connection.execute(select(REVISIONS))}


def with_core(services: Iterable[Service]) -> tuple[Service, ...]:
    """The core first, and each service after those that it requires."""
    return (CORE, *in_order([one for one in services if one.name != CORE.name]))


def in_order(services: Iterable[Service]) -> tuple[Service, ...]:
    """Each service after those that it requires."""
    known = {one.name: one for one in services}
    done: dict[str, Service] = {}

    def take(service: Service, above: frozenset[str]) -> None:
        for name in service.requires:
            if name in known and name not in above and name not in done:
                take(known[name], above | {name})
        done.setdefault(service.name, service)

    for service in known.values():
        take(service, frozenset({service.name}))
    return tuple(done.values())


def metadata_of(service: Service) -> MetaData:
    """Its tables: of ``tables.py``, or derived from its master data."""
    if service.name == CORE.name:
        from appliance.store import audit, settings

        assert settings.SETTINGS.metadata is audit.METADATA
        return audit.METADATA
    tables = service.module("tables")
    if tables is not None:
        found = tables.METADATA
        assert isinstance(found, MetaData)
        return found
    made = metadata()
    master_tables(service.name, getattr(service.module("model"), "MASTER_DATA", ()), made)
    return made


def step(connection: Connection, revision: Revision, *, down: bool = False) -> None:
    """Apply one revision, or take it back, in the transaction that is open."""
    from alembic.operations import Operations

    module = revision.load()
    context = migration_context(connection)
    # Alembic's ``op`` is of the whole process: two backups that are checked at a time would share it.
    with _ALONE, _numbers_kept(connection), Operations.context(context):
        module.downgrade() if down else module.upgrade()
    stamp(connection, revision.service, revision.before if down else revision.name)


def stamp(connection: Connection, service: str, revision: str) -> None:
    """Write down that the tables of the service are of this revision; empty: it has none."""
    REVISIONS.create(connection, checkfirst=True)
    at = REVISIONS.c.service == service
    values: dict[str, Any] = {"revision": revision, "since": datetime.now(UTC)}
    if not revision:
        connection.execute(delete(REVISIONS).where(at))
    elif connection.execute(update(REVISIONS).where(at).values(values)).rowcount == 0:
        connection.execute(insert(REVISIONS).values(service=service, **values))


@contextmanager
def _numbers_kept(connection: Connection) -> Iterator[None]:
    """A table that SQLite makes anew would count from the highest row that is left."""
    if connection.dialect.name != "sqlite" or not inspect(connection).has_table("sqlite_sequence"):
        yield
        return
    before = connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence").all()
    yield
    for name, number in before:
        connection.execute(
            text("UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = :name"),
            {"name": name, "number": number},
        )


def migration_context(connection: Connection, prefix: str = "") -> MigrationContext:
    """Alembic's context on this connection, comparing the tables whose names begin so; never our own one."""
    from alembic.migration import MigrationContext

    options = {
        "compare_type": True,
        "render_as_batch": True,
        "include_name": lambda name, kind, _parents: (
            kind != "table" or (name != REVISIONS.name and str(name).startswith(prefix))
        ),
    }
    return MigrationContext.configure(connection, opts=options)
