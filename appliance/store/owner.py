"""One owner: a second daemon on the same store is refused.

Beside a SQLite file stands a lock file under flock(2), which the kernel releases
when its holder dies. On PostgreSQL it is a session's advisory lock, which the
server releases with the session (PostgreSQL, 13.3.5).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, text

from appliance.store.failures import StoreAway, StoreBusy

__all__ = ["own_file", "own_server"]

_KEY = int.from_bytes(b"gerbang", "big")
"""Advisory locks are per database: the number only tells ours from those of other programs."""


def own_file(database: Path) -> Callable[[], None]:
    """Lock the file; returns what releases it. Raises StoreBusy, which names the process that has it."""
    path = database.with_name(database.name + ".lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreAway(f"{path}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise StoreBusy(f"{database}: process {holder or 'of another daemon'} owns this store") from None
    try:  # a courtesy: a full disk does not stop the start
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        pass
    return lambda: os.close(descriptor)


def own_server(engine: Engine, url: URL) -> tuple[Connection, Callable[[], None]]:
    """Lock the database on its server; returns the session that holds the lock and what ends it."""
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}).scalar_one():
        connection.invalidate()
        connection.close()
        raise StoreBusy(f"{url.render_as_string(hide_password=True)}: another daemon owns this store")

    def release() -> None:
        # The session ends with its lock; it never goes back to the pool.
        connection.invalidate()
        connection.close()

    return connection, release
