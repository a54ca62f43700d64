"""How the store reaches its database: what each connection is told at its start, and how many there may be.

A server has two pools. However many look at once, the writer and the session
that owns the store never wait for a reader's place.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from appliance.contract.folding import fold

__all__ = ["READERS", "WAIT", "server_engines", "sqlite_engine", "straight"]

READERS = 20
"""Connections of those that read, at most: one for each thread of the daemon that may look into the store."""
KEPT_OPEN = 8
"""Of these, how many stay open."""
WAIT = 10.0
"""Seconds for a free connection, then it is StoreBusy."""
# A server that loses its power says nothing. Without these a change would wait for it for a quarter of an hour
# (tcp(7); PostgreSQL's documentation, 34.1.2). They do nothing on a UNIX socket.
_NOTICED = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def server_engines(url: URL) -> tuple[Engine, Engine]:
    """The writer's engine of PostgreSQL, which also has the owner's session and migrations; and that of the readers."""
    writing = _server(url, pool_size=2, max_overflow=4)
    reading = _server(url, pool_size=KEPT_OPEN, max_overflow=READERS - KEPT_OPEN)
    return writing, reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _server(url: URL, **options: Any) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_timeout=WAIT,
        # Kept means on the disk, whatever the server's own default is.
        # A list of 100,000 rows is sorted in memory, without compiling its query first.
        connect_args={
            "options": "-c synchronous_commit=on -c timezone=UTC -c work_mem=16MB -c jit=off",
            "connect_timeout": 10,
            # What the URL says itself goes before.
            **{name: value for name, value in _NOTICED.items() if name not in url.query},
        },
        **options,
    )


def sqlite_engine(url: URL, begin: str, *, read_only: bool = False, **options: Any) -> Engine:
    """An engine of a SQLite file or of memory, whose transactions begin with ``begin``."""
    # pysqlite's own handling of transactions is off: it would begin them late, and deferred.
    if read_only:
        options = {"pool_size": KEPT_OPEN, "max_overflow": READERS - KEPT_OPEN, "pool_timeout": WAIT, **options}
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
        # SQLite's own lower() knows ASCII only.
        connection.create_function("fold_text", 1, _fold, deterministic=True)

    @event.listens_for(engine, "begin")
    def started(connection: Connection) -> None:
        straight(connection, begin)

    return engine


def straight(connection: Connection, statement: str) -> None:
    """A statement that answers nothing, on SQLite past SQLAlchemy, which takes a tenth of a millisecond for each."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.execute(statement).fetchall()
    else:
        connection.exec_driver_sql(statement)


def _fold(value: Any) -> Any:
    """A column of text may still hold what was put there past us."""
    return fold(value) if isinstance(value, str) else value
