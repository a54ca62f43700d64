"""What goes wrong under the store, said to people: a full disk, a file that cannot be written, one that is damaged.

::

    StoreFault          exit code 2: starting again does not mend it
    ├── StoreBusy       another process owns the store, or too many use it at once
    ├── StoreFull       no room on the disk
    ├── StoreReadOnly   the file, its folder or the server does not let us write
    ├── StoreDamaged    the file is no database, or a damaged one
    └── StoreAway       the file or the server cannot be reached; exit code 1
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoPlace

from compiler.errors import GerbangError

__all__ = ["StoreAway", "StoreBusy", "StoreDamaged", "StoreFault", "StoreFull", "StoreReadOnly", "explained"]


class StoreFault(GerbangError):
    """The database cannot be used as it is. Nothing of the transaction was kept."""


class StoreBusy(StoreFault):
    """Another process has it, for one daemon owns a store; or too many use it at this moment."""


class StoreFull(StoreFault):
    """The disk or its quota is full."""


class StoreReadOnly(StoreFault):
    """Not writable."""


class StoreDamaged(StoreFault):
    """Not a database, or a damaged one."""


class StoreAway(StoreFault):
    """Not there, or not answering: a server that starts later than we do. So the unit of the daemon starts it again."""

    exit_code = 1


# Primary result codes: https://www.sqlite.org/rescode.html
_SQLITE: dict[int, tuple[type[StoreFault], str]] = {
    sqlite3.SQLITE_FULL: (StoreFull, "the disk is full"),
    sqlite3.SQLITE_READONLY: (StoreReadOnly, "the file or its folder cannot be written"),
    sqlite3.SQLITE_PERM: (StoreReadOnly, "access is denied"),
    sqlite3.SQLITE_CORRUPT: (StoreDamaged, "the database is damaged; restore a backup"),
    sqlite3.SQLITE_NOTADB: (StoreDamaged, "this file is not a database, or a damaged one; restore a backup"),
    sqlite3.SQLITE_CANTOPEN: (StoreAway, "the file cannot be opened; look at its folder and at who may enter it"),
    sqlite3.SQLITE_IOERR: (StoreFault, "the disk does not read or write; look at the system's log"),
    sqlite3.SQLITE_BUSY: (StoreBusy, "another program holds the database"),
}
# Error classes and codes: PostgreSQL's documentation, Appendix A.
_POSTGRESQL: dict[str, tuple[type[StoreFault], str]] = {
    "25P03": (StoreAway, "the database server has ended a transaction that waited too long"),
    "40001": (StoreBusy, "another transaction was in the way; try again"),
    "40P01": (StoreBusy, "another transaction was in the way; try again"),
    "53100": (StoreFull, "the disk of the database server is full"),
    "53200": (StoreBusy, "the database server has no memory left"),
    "53300": (StoreBusy, "the database server has no free connection"),
    "25006": (StoreReadOnly, "the database server is read only; is it a standby?"),
    "42501": (StoreReadOnly, "this user may not do that in the database"),
    "3D000": (StoreAway, "there is no such database on the server"),
    "28000": (StoreAway, "the database server does not let this user in"),
    "28P01": (StoreAway, "the database server refuses the password"),
    "57P01": (StoreAway, "the database server is shutting down"),
    "57P02": (StoreAway, "the database server has crashed and recovers"),
    "55P03": (StoreBusy, "another program holds a lock in the database"),
    "57014": (StoreBusy, "the database server has ended what took too long"),
    "57P03": (StoreAway, "the database server is starting; try again"),
    "57P05": (StoreAway, "the database server has ended a session that waited too long"),
    "58030": (StoreFault, "the disk of the database server does not read or write; look at its log"),
    "XX001": (StoreDamaged, "the database is damaged; restore a backup"),
    "XX002": (StoreDamaged, "an index of the database is damaged; REINDEX it, or restore a backup"),
}
_LOST = "08"
"""The class of connections that are lost, or never came about."""
_Failure = DBAPIError | PendingRollbackError | NoPlace | sqlite3.Error


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Raise what the driver says as a StoreFault; faults of our own statements pass as they are."""
    try:
        yield
    except (DBAPIError, PendingRollbackError, NoPlace, sqlite3.Error) as error:
        found = _found(error)
        if found is None:
            raise
        kind, words = found
        raise kind(f"{_place(url)}: {words} ({getattr(error, 'orig', error)})") from error


def _found(error: _Failure) -> tuple[type[StoreFault], str] | None:
    if isinstance(error, NoPlace):
        return StoreBusy, "too many use the store at this moment; try again"
    if isinstance(error, PendingRollbackError):
        # Somebody has caught what came first, and asked on.
        return StoreAway, "the connection to the database was lost"
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & 0xFF)
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str) and (known := _POSTGRESQL.get(state)) is not None:
        return known
    if isinstance(state, str) and state.startswith(_LOST):
        return StoreAway, "the connection to the database server was lost"
    if getattr(error, "connection_invalidated", False) or (
        state is None
        and type(cause).__module__.startswith("psycopg")
        and type(cause).__name__
        in {
            "OperationalError",
            "ConnectionTimeout",
        }
    ):
        return StoreAway, "the database server does not answer"
    return None


def _place(url: URL) -> str:
    """What people know it by, without a password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "the store in memory"
    return url.render_as_string(hide_password=True)
