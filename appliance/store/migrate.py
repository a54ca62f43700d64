"""Bringing the tables to where the code is, when the daemon starts: a backup first, then a transaction a service.

The files are Alembic's and run by its operations; the branch of a service is one
line of revisions (``revisions.py``), and ``core_revisions`` says where each is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, inspect, text, update

from appliance.contract.service import Service
from appliance.store.engine import Store
from appliance.store.failures import StoreFault
from appliance.store.revisions import REVISIONS, Revision, branch_of, metadata_of, standing, with_core

if TYPE_CHECKING:
    from alembic.migration import MigrationContext

__all__ = ["MigrationFailed", "NewerStore", "downgrade", "migration_context", "step", "upgrade"]


class NewerStore(StoreFault):
    """The database was written by a later version of the code."""


class MigrationFailed(StoreFault):
    """A revision could not be applied. The service's tables are as they were."""


def upgrade(store: Store, services: Iterable[Service], backup_folder: Path | None) -> Path | None:
    """Bring all tables to the heads of their branches; returns the backup that was taken, None when there was no need.

    A service is migrated whole or not at all, each in its own transaction. A new
    database is not backed up. Raises NewerStore, before anything is changed, and
    MigrationFailed, which names the revision and the backup.
    """
    ordered = with_core(services)
    branches = {one.name: branch_of(one) for one in ordered}
    with store.reading() as connection:
        now = standing(connection)
    ahead = {one: _ahead(branches[one], now.get(one, "")) for one in branches}
    backup: Path | None = None
    if now and any(ahead.values()) and backup_folder is not None:
        backup = _kept(store, backup_folder, [one for one in ordered if one.name in now])
    for service in ordered:
        if ahead[service.name]:
            _migrate(store, ahead[service.name], backup)
        elif not branches[service.name]:
            _without_branch(store, service)
    return backup


def downgrade(store: Store, service: Service, to: str = "") -> None:
    """Take the newest revisions of a service back, down to this one; without a name all of them."""
    branch = branch_of(service)
    with store.reading() as connection:
        now = standing(connection).get(service.name, "")
    if to and to not in [one.name for one in branch]:
        raise MigrationFailed(f"{service.name} has no revision {to}")
    applied = branch[: len(branch) - len(_ahead(branch, now))]
    for revision in reversed(applied):
        if revision.name == to:
            return
        with store.migrating() as connection:
            step(connection, revision, down=True)


def _ahead(branch: Sequence[Revision], at: str) -> tuple[Revision, ...]:
    """What is still to be applied; raises NewerStore for a revision that the code does not know."""
    if not at:
        return tuple(branch)
    for place, revision in enumerate(branch):
        if revision.name == at:
            return tuple(branch[place + 1 :])
    if not branch:
        return ()
    raise NewerStore(
        f"the tables of {branch[0].service} are of revision {at}, which this version does not know:"
        " the store was used by a newer one; install that, or restore a backup of before"
    )


def _migrate(store: Store, revisions: Sequence[Revision], backup: Path | None) -> None:
    at = revisions[0]
    try:
        with store.migrating() as connection:
            for at in revisions:
                step(connection, at)
    except Exception as error:
        kept = f"; a backup is in {backup}" if backup else ""
        words = str(getattr(error, "orig", None) or error)
        raise MigrationFailed(
            f"revision {at.name} of {at.service} failed and its tables are as they were{kept}:"
            f" {type(error).__name__}: {words} ({at.file})"
        ) from error


def step(connection: Connection, revision: Revision, *, down: bool = False) -> None:
    """Apply one revision, or take it back, in the transaction that is open."""
    from alembic.operations import Operations

    module = revision.load()
    context = migration_context(connection)
    with _numbers_kept(connection), Operations.context(context):
        module.downgrade() if down else module.upgrade()
    REVISIONS.create(connection, checkfirst=True)
    at = REVISIONS.c.service == revision.service
    values: dict[str, Any] = {"revision": revision.before if down else revision.name, "since": datetime.now(UTC)}
    if down and not revision.before:
        connection.execute(delete(REVISIONS).where(at))
    elif connection.execute(update(REVISIONS).where(at).values(values)).rowcount == 0:
        connection.execute(insert(REVISIONS).values(service=revision.service, **values))


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


def _without_branch(store: Store, service: Service) -> None:
    """A service without migrations has no tables; in memory, where nothing is ever migrated, they are just made."""
    tables = metadata_of(service)
    if not tables.tables:
        return
    if not store.memory:
        raise MigrationFailed(
            f'{service.name} has tables and no migrations: run "gerbang appliance migration {service.name} first"'
        )
    with store.writing() as connection:
        tables.create_all(connection)


def _kept(store: Store, folder: Path, services: Sequence[Service]) -> Path:
    """A copy of everything before the migration. SQLite copies its file page by page; PostgreSQL has no such
    copy for its clients, and gets a backup of all services that are in it."""
    from appliance.store.backup import backup
    from appliance.store.copies import copy_file

    name = f"before-migration-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if store.url.get_backend_name() == "sqlite":
        return copy_file(store, folder / f"{name}.db")
    file = folder / f"{name}.gerbang"
    backup(store, file, services, who="migration")
    return file
