"""Backup and restore of one service or all of them, to one file that is believed only after it was restored.

A backup may hold hashes of passwords and whatever people wrote: it is made with
mode 0600, and whoever keeps copies elsewhere should encrypt them. The key of
the audit log is not in it; keep ``audit.key`` apart, or an audit log that is
restored on another machine cannot be verified there.

The tables are of one moment (one reading transaction). Files are read after it:
one that a row of that moment names is there, unless it was removed meanwhile. What
services' programs keep beside the store (``appliance.contract.program_data``) is
taken last, where ``keeper``, the machine, is given: it may take hours.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from appliance.contract.program_data import DataKeeper
from appliance.contract.service import Service
from appliance.store.archive import BadBackup, Content, Manifest, Part, Reader, Writer, writing_to
from appliance.store.audit import AUDIT
from appliance.store.engine import Store
from appliance.store.failures import StoreFault
from appliance.store.folders import files_below, swapped
from appliance.store.kept_data import check_data, put_data, refuse_unknown_data, write_data
from appliance.store.parts import Shape, counter_of, dump, load, set_counter, shapes_of
from appliance.store.revisions import CORE, Revision, branch_of, standing, step, with_core
from appliance.store.settings import SETTINGS

__all__ = ["backup", "restore", "verify_backup"]


def backup(
    store: Store,
    file: Path,
    services: Sequence[Service],
    *,
    state: Path | None = None,
    who: str = "",
    all_of: Iterable[Service] = (),
    keeper: DataKeeper | None = None,
) -> Manifest:
    """Write the services to a new file. ``all_of`` are all that are installed: their names tell whose a table is."""
    with writing_to(file) as writer:
        with store.reading() as connection:
            now = standing(connection)
            names = {one.name for one in (*services, *all_of)} | {CORE.name, *now}
            shapes = shapes_of(connection, names)
            for service in services:
                for shape in shapes[service.name]:
                    if shape.name != SETTINGS.name:
                        _table(writer, connection, service.name, shape)
                _settings(writer, connection, service.name, shapes[CORE.name], names)
            for service in services:
                _files(writer, service, state)
        write_data(writer, services, keeper)
        return writer.finish(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            made_by=who,
            core=now.get(CORE.name, ""),
            services={one.name: Content(revision=now.get(one.name, ""), folders=one.folders) for one in services},
        )


def _table(writer: Writer, connection: Connection, service: str, shape: Shape) -> None:
    counter = counter_of(connection, shape) if shape.counted else None
    lines = dump(connection, shape)
    path = f"tables/{service}/{shape.name}.jsonl"
    writer.add(path, service, lines, table=shape.name, columns=dict(shape.columns), key=shape.key, counter=counter)


def _settings(
    writer: Writer, connection: Connection, service: str, core: Sequence[Shape], names: Iterable[str]
) -> None:
    """The settings of this service, though they stand in a table of the core."""
    for shape in core:
        if shape.name == SETTINGS.name:
            lines = dump(connection, shape, _settings_of(service, names))
            path = f"settings/{service}.jsonl"
            writer.add(path, service, lines, table=shape.name, columns=dict(shape.columns), key=shape.key)


def _settings_of(service: str, names: Iterable[str]) -> Any:
    """The core keeps the settings of those that are not there any more."""
    if service == CORE.name:
        return lambda kept: kept.c.service.not_in(sorted(set(names) - {CORE.name}))
    return lambda kept: kept.c.service == service


def _files(writer: Writer, service: Service, state: Path | None) -> None:
    for folder in service.folders if state is not None else ():
        assert state is not None
        for relative, chunks in files_below(state / folder):
            writer.add(f"files/{service.name}/{folder}/{relative}", service.name, chunks)


def verify_backup(
    file: Path, services: Iterable[Service], *, scratch: Path | None = None, keeper: DataKeeper | None = None
) -> Manifest:
    """Restore the backup into a database of its own, and look whether it is all there; returns its manifest.

    Each service is migrated to the revision of the backup and filled; every table
    is read back and its hash compared, all references are checked, and it is
    migrated to the newest revision. ``keeper`` tries the program data. Raises
    BadBackup.
    """
    with _checked(file, services, scratch, keeper) as (reader, _store):
        return reader.manifest


@contextmanager
def _checked(
    file: Path, services: Iterable[Service], scratch: Path | None, keeper: DataKeeper | None
) -> Iterator[tuple[Reader, Store]]:
    """The backup and a scratch store with its tables at the newest revisions."""
    with tempfile.TemporaryDirectory(prefix="gerbang-backup-", dir=scratch) as folder:
        reader = Reader(file)
        store = Store(f"sqlite:///{folder}/scratch.db")
        try:
            reader.room(Path(folder))
            known = {one.name: one for one in with_core(services)}
            rest = _fill(reader, store, known)
            for part in reader.manifest.parts:
                if not part.table and not part.data:
                    _digest(reader, part, Path(folder) / "file")
            for revision in rest:
                with store.migrating() as connection:
                    step(connection, revision)
            refuse_unknown_data(reader, tuple(known.values()))
            check_data(reader, keeper)
            yield reader, store
        except (LookupError, DBAPIError) as error:
            words = getattr(error, "orig", None) or error
            raise BadBackup(f"{file}: its rows do not fit together: {words}") from error
        finally:
            store.close()
            reader.close()


def _fill(reader: Reader, store: Store, known: Mapping[str, Service]) -> list[Revision]:
    """Fill the scratch store; returns the revisions that are still to be applied."""
    rest: list[Revision] = []
    wanted = {CORE.name: reader.manifest.core, **{name: one.revision for name, one in reader.manifest.services.items()}}
    with store.migrating() as connection:
        for name, revision in wanted.items():
            rest.extend(_migrate_to(connection, reader.path, known.get(name), name, revision))
        shapes = {one.name: one for several in shapes_of(connection, wanted).values() for one in several}
        for part in reader.manifest.parts:
            if part.table:
                _fill_table(connection, reader, part, shapes.get(part.table))
    return rest


def _migrate_to(
    connection: Connection, file: Path, service: Service | None, name: str, revision: str
) -> Sequence[Revision]:
    if service is None:
        raise BadBackup(f"{file}: it holds the service {name}, which is not installed")
    branch = branch_of(service)
    places = {one.name: place for place, one in enumerate(branch, 1)}
    if revision and revision not in places:
        raise BadBackup(f"{file}: it holds {name} of revision {revision}, which is newer than this version")
    reached = places.get(revision, 0)
    for one in branch[:reached]:
        step(connection, one)
    return branch[reached:]


def _fill_table(connection: Connection, reader: Reader, part: Part, shape: Shape | None) -> None:
    if shape is None or not shape.name.startswith((f"{part.service}_", SETTINGS.name)):
        raise BadBackup(f"{reader.path}: {part.table} is no table of {part.service}")
    if dict(shape.columns) != part.columns:
        raise BadBackup(f"{reader.path}: the columns of {part.table} are not those of its revision")
    shape = replace(shape, columns=part.columns)  # in the backup's order
    load(connection, shape, reader.lines(part))
    if part.counter is not None and shape.counted:
        set_counter(connection, shape, part.counter)
    digest = hashlib.sha256()
    where = _settings_of(part.service, reader.manifest.services) if shape.name == SETTINGS.name else None
    for line in dump(connection, shape, where):
        digest.update(line)
    if digest.hexdigest() != part.sha256:
        raise BadBackup(f"{reader.path}: {part.table} does not come back as it was written")


def _digest(reader: Reader, part: Part, scratch: Path) -> None:
    reader.unpack(part, scratch)
    scratch.unlink()


def restore(
    store: Store,
    file: Path,
    services: Sequence[Service],
    *,
    all_of: Iterable[Service],
    before: Path,
    state: Path | None = None,
    who: str = "",
    keeper: DataKeeper | None = None,
) -> Manifest:
    """Put these services of the backup in the place of what is there, in one transaction.

    The backup is verified first, and what is there is saved to the new file
    ``before``. The audit log is never rolled back: it comes from the backup only
    when there is none yet. Folders change their place just before the transaction
    is kept, and back when it is not; a kill in between is what ``before`` is for.
    Program data follows when the tables are kept: it may take hours, and restoring
    once more does it again. Raises BadBackup, StoreFault when it cannot be written,
    and what ``keeper`` raises.
    """
    installed = tuple(all_of)
    with _checked(file, installed, before.parent if before.parent.is_dir() else None, keeper) as (reader, scratch):
        manifest = reader.manifest
        for service in services:
            if service.name not in manifest.services:
                raise BadBackup(f"{file}: {service.name} is not in this backup")
        backup(store, before, services, state=state, who=who, all_of=installed, keeper=keeper)
        with swapped(reader, services, state) as swap, store.migrating() as connection, scratch.reading() as source:
            _refuse_older(connection, services)
            _empty_and_fill(connection, source, services, {one.name for one in (*installed, CORE)}, manifest)
            swap()
        put_data(reader, services, keeper)
        return manifest


def _refuse_older(connection: Connection, services: Sequence[Service]) -> None:
    now = standing(connection)
    for service in services:
        branch = branch_of(service)
        if now.get(service.name, "") != (branch[-1].name if branch else ""):
            raise StoreFault(f"the tables of {service.name} are not of this version: start the daemon once")


def _empty_and_fill(
    connection: Connection, source: Connection, services: Sequence[Service], names: set[str], manifest: Manifest
) -> None:
    kept, made = shapes_of(connection, names), shapes_of(source, names)
    has_log = connection.execute(select(func.count()).select_from(AUDIT)).scalar_one() > 0
    shapes = [
        shape
        for service in services
        for shape in kept[service.name]
        if shape.name != SETTINGS.name and not (shape.name == AUDIT.name and has_log)
    ]
    _empty(connection, shapes)
    from_scratch = {one.name: one for several in made.values() for one in several}
    counters = {part.table: part.counter or 0 for part in manifest.parts}
    for shape in shapes:
        # The columns are named in the order of the scratch store, which need not be that of the table here.
        load(connection, from_scratch[shape.name], dump(source, from_scratch[shape.name]))
        if shape.counted:
            set_counter(connection, shape, counters.get(shape.name, 0))
    settings = from_scratch[SETTINGS.name]
    for service in services:
        which = _settings_of(service.name, manifest.services)
        kept_there = settings.clause
        there = source.execute(select(kept_there.c.service).where(which(kept_there))).scalars().all()
        connection.execute(delete(SETTINGS).where(SETTINGS.c.service.in_([service.name, *there])))
        load(connection, settings, dump(source, settings, which))


def _empty(connection: Connection, shapes: Sequence[Shape]) -> None:
    if not shapes:
        return
    if connection.dialect.name == "postgresql":
        # Rows may come before those that they refer to.
        connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    try:
        with connection.begin_nested():
            for shape in reversed(shapes):
                connection.execute(delete(shape.clause))
    except IntegrityError:
        if connection.dialect.name != "postgresql":
            raise
        # Tables that refer to each other in a circle are only emptied at once. TRUNCATE locks out who reads
        # (PostgreSQL's documentation, 13.3.1: ACCESS EXCLUSIVE), so it is not what all are emptied by.
        quote = connection.dialect.identifier_preparer.quote
        connection.execute(text(f"TRUNCATE {', '.join(quote(shape.name) for shape in shapes)}"))
