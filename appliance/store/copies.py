"""A copy of a SQLite database, whole or not at all, page by page (https://www.sqlite.org/backup.html)."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from appliance.durable import sync_folder
from appliance.store.engine import Store
from appliance.store.failures import StoreFull

__all__ = ["copy_file"]


def copy_file(store: Store, target: Path) -> Path:
    """Copy a SQLite database into a new file, mode 0600; other connections go on meanwhile."""
    aside = target.with_name(f".{target.name}.new")
    os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        with closing(sqlite3.connect(aside)) as copy, store.reading() as connection:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file that says everything
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(aside, target)
    except (OSError, sqlite3.OperationalError) as error:
        raise StoreFull(f"{target}: no copy could be made before the migration: {error}") from error
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(target.parent)
    return target
