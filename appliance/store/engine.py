"""The store: one database, many readers on snapshots, one writer at a time.

SQLite in WAL mode keeps each transaction before it is acknowledged
(``synchronous=FULL``). One writer at a time is fairer than the database's own
lock: waiting writers are served in the order in which they came.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import StaticPool

__all__ = ["Store"]


class Store:
    """A database that is open. ``url`` is SQLAlchemy's: ``sqlite:///…``, ``sqlite://`` (in memory), ``postgresql://…``."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self._writer = threading.RLock()
        self._reading: Engine
        self.memory = self.url.get_backend_name() == "sqlite" and self.url.database in {None, "", ":memory:"}
        if self.url.get_backend_name() == "postgresql":
            self._writing = create_engine(
                self.url.set(drivername="postgresql+psycopg"), pool_size=2, pool_pre_ping=True
            )
            self._reading = self._writing.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        elif self.memory:
            # One connection is the whole database: readers wait for the writer.
            self._writing = self._reading = _sqlite(self.url, "BEGIN", poolclass=StaticPool)
        else:
            self._writing = _sqlite(self.url, "BEGIN IMMEDIATE", pool_size=1)
            self._reading = _sqlite(self.url, "BEGIN", read_only=True, pool_size=8)

    @property
    def engine(self) -> Engine:
        """The engine of the writer, for migrations and backups."""
        return self._writing

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot, read only."""
        if self.memory:
            with self._writer, self._reading.connect() as connection:
                yield connection
            return
        with self._reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, alone: kept when the block ends, undone when it raises."""
        with self._writer, self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._reading.dispose()
        self._writing.dispose()


def _sqlite(url: Any, begin: str, *, read_only: bool = False, **options: Any) -> Engine:
    # pysqlite's own handling of transactions is off: it would begin them late, and deferred.
    engine = create_engine(
        url, connect_args={"check_same_thread": False, "isolation_level": None, "timeout": 30}, **options
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 30000"):
            cursor.execute(f"PRAGMA {setting}")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def started(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
