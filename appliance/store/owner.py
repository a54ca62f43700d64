"""One owner: a second daemon on the same store is refused.

Beside a SQLite file, and in the state folder, stands a lock file under
flock(2), which the kernel releases when its holder dies. On PostgreSQL it is a session's advisory lock, which the
server releases with the session (PostgreSQL, 13.3.5).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, text

from appliance.store.failures import StoreAway, StoreBusy

__all__ = ["own_file", "own_folder", "own_server"]

_KEY = int.from_bytes(b"gerbang", "big")
"""Advisory locks are per database: the number only tells ours from those of other programs."""


def own_file(database: Path) -> Callable[[], None]:
    """Lock the file; returns what releases it. Raises StoreBusy, which names the process that has it."""
    # By whichever name it is called: SQLite too keeps its log beside the file that a symbolic link names.
    real = Path(os.path.realpath(database))
    return _lock(real.with_name(real.name + ".lock"), lambda holder: f"{database}: {holder} owns this store")


def own_folder(state: Path) -> Callable[[], None]:
    """Lock the state folder, whose notes, files and generations are of one daemon, wherever its store is; as above."""
    return _lock(state / "daemon.lock", lambda holder: f"{state}: {holder} runs on this state folder")


def _lock(path: Path, said: Callable[[str], str]) -> Callable[[], None]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreAway(f"{path}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise StoreBusy(said(f"process {holder}" if holder else "another daemon")) from None
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
