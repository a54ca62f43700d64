"""Bringing the tables to where the code is, when the daemon starts: a backup first, then one transaction.

The files are Alembic's and run by its operations; the branch of a service is one
line of revisions (``revisions.py``), and ``core_revisions`` says where each is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import inspect, select

from appliance.contract.service import Service
from appliance.store.audit import AUDIT
from appliance.store.engine import Store
from appliance.store.failures import StoreFault
from appliance.store.revisions import Revision, branch_of, metadata_of, stamp, standing, step, with_core

__all__ = ["MigrationFailed", "NewerStore", "downgrade", "make_at_once", "upgrade"]


class NewerStore(StoreFault):
    """The database was written by a later version of the code."""


class MigrationFailed(StoreFault):
    """A revision could not be applied. All tables are as they were."""


def upgrade(store: Store, services: Iterable[Service], backup_folder: Path | None) -> Path | None:
    """Bring all tables to the heads of their branches; returns the backup that was taken, None when there was no need.

    All services are migrated or none: half of them would suit neither this
    version of the code nor the one before. A new database is not backed up.
    Raises NewerStore, before anything is changed, and MigrationFailed, which
    names the revision and the backup.
    """
    ordered = with_core(services)
    branches = {one.name: branch_of(one) for one in ordered}
    with store.reading() as connection:
        now = standing(connection)
    ahead = [one for service in ordered for one in _ahead(branches[service.name], now.get(service.name, ""))]
    without = [one for one in ordered if not branches[one.name] and metadata_of(one).tables]
    if without and not store.memory:
        name = without[0].name
        raise MigrationFailed(f'{name} has tables and no migrations: run "gerbang appliance migration {name} first"')
    backup: Path | None = None
    if now and ahead and backup_folder is not None:
        backup = _kept(store, backup_folder, [one for one in ordered if one.name in now])
    if ahead:
        _migrate(store, ahead, backup)
    for service in without:  # in memory, where nothing is ever migrated
        with store.writing() as connection:
            metadata_of(service).create_all(connection)
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
    doing = ""
    try:
        with store.migrating() as connection:
            for at in revisions:
                doing = f"revision {at.name} of {at.service} ({at.file})"
                step(connection, at)
            doing = f"what {', '.join(one.name for one in revisions)} left"
    except Exception as error:
        kept = f"; a backup is in {backup}" if backup else ""
        words = str(getattr(error, "orig", None) or error)
        raise MigrationFailed(
            f"{doing} failed and all tables are as they were{kept}: {type(error).__name__}: {words}"
        ) from error


def make_at_once(store: Store, services: Iterable[Service]) -> None:
    """The tables of an empty store as their newest revisions have them, without going through the older ones.

    For a store in memory: Alembic takes half a second to load.
    """
    with store.writing() as connection:
        for service in with_core(services):
            metadata_of(service).create_all(connection)
            if branch := branch_of(service):
                stamp(connection, service.name, branch[-1].name)


def _kept(store: Store, folder: Path, services: Sequence[Service]) -> Path:
    """A copy of everything before the migration; the one of a start before, when nothing has changed since.

    SQLite copies its file page by page; PostgreSQL has no such copy for its
    clients, and gets a backup of all services that are in it.
    """
    from appliance.store.backup import backup
    from appliance.store.copies import copy_file

    begin = f"before-migration-{_state_of(store)}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sqlite = store.url.get_backend_name() == "sqlite"
    suffix = ".db" if sqlite else ".gerbang"
    # A daemon that is started again and again by its supervisor would fill the disk with the same backup.
    for already in sorted(folder.glob(f"{begin}-*{suffix}")):
        return already
    file = folder / f"{begin}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}{suffix}"
    if sqlite:
        return copy_file(store, file)
    backup(store, file, services, who="migration")
    return file


def _state_of(store: Store) -> str:
    """The revisions and the last line of the audit log, in short: each change has a line."""
    with store.reading() as connection:
        last = ""
        if inspect(connection).has_table(AUDIT.name):
            last = connection.execute(select(AUDIT.c.hash).order_by(AUDIT.c.number.desc()).limit(1)).scalar() or ""
        said = f"{sorted(standing(connection).items())} {last}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]
