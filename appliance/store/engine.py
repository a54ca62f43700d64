"""The store: one database, many readers on snapshots, one writer at a time.

SQLite in WAL mode keeps each transaction before it is acknowledged
(``synchronous=FULL``). One writer at a time is fairer than the database's own
lock: waiting writers are served in the order in which they came.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from appliance.store.connecting import server_engines, sqlite_engine, straight
from appliance.store.failures import StoreAway, StoreFault, explained
from appliance.store.owner import own_file, own_server
from appliance.store.touches import Touches
from compiler.errors import UsageError

__all__ = ["Store", "TogetherFailed"]

Told = list[tuple[Callable[[list[Any]], None], Any]]
"""Functions and the values that they are called with."""
log = logging.getLogger("gerbang.store")


class TogetherFailed(StoreFault):
    """Changes that stood in one transaction are all undone: one of them could not be taken back alone."""


class Store:
    """A database that is open. ``url`` is SQLAlchemy's: ``sqlite:///…``, ``sqlite://`` (in memory), ``postgresql://…``.

    Raises UsageError for a URL that is none of these.
    """

    def __init__(self, url: str) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError:
            raise UsageError("a store is named as sqlite:///FILE, sqlite:// or postgresql://USER@HOST/NAME") from None
        backend = self.url.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise UsageError(f"the store is kept in sqlite or postgresql, not in {backend}")
        self._writer = threading.RLock()
        self._within: Connection | None = None
        self._group: Connection | None = None
        self.transaction = 0
        """Which one the writer is in, or was in last."""
        self._when_kept: Told = []
        self._when_undone: Told = []
        self._release: Callable[[], None] | None = None
        self._holder: Connection | None = None
        self._owning = threading.RLock()
        self._wanted = self._doubtful = False
        """Whether the store is to be this process's; and whether the server may have forgotten that it is."""
        self._reading: Engine
        self.memory = backend == "sqlite" and self.url.database in {None, "", ":memory:"}
        if backend == "postgresql":
            self._writing, self._reading = server_engines(self.url)
            event.listen(self._writing, "connect", self._connected)
        elif self.memory:
            # One connection is the whole database: readers wait for the writer.
            self._writing = self._reading = sqlite_engine(self.url, "BEGIN", poolclass=StaticPool)
        else:
            self._writing = sqlite_engine(self.url, "BEGIN IMMEDIATE", pool_size=1)
            self._reading = sqlite_engine(self.url, "BEGIN", read_only=True)
        if backend == "sqlite":
            # A store that nobody has any more leaves no connection open.
            for engine in {self._writing, self._reading}:
                weakref.finalize(self, engine.dispose).atexit = False
        self.touches = Touches(self._writing)
        """How often the rows of each table were changed through this store."""

    @property
    def engine(self) -> Engine:
        """The engine of the writer, for migrations and backups."""
        return self._writing

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None in memory and on a server."""
        if self.memory or self.url.get_backend_name() != "sqlite":
            return None
        return Path(str(self.url.database))

    def own(self) -> None:
        """Take the store for this process until it is closed or dies; raises StoreBusy when another daemon has it.

        A new SQLite file is made readable by its owner only.
        """
        with self._owning:
            self._wanted = True
            if self._release is None and not self.memory:
                self._own()

    def _own(self) -> None:
        if (file := self.file) is not None:
            self._release = own_file(file)
            try:
                os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            except OSError as error:
                self.close()
                raise StoreAway(f"{file}: {error.strerror}") from None
            return
        with explained(self.url):
            self._holder, self._release = own_server(self._writing, self.url)

    @property
    def owned(self) -> bool:
        """Whether this process still owns it. A server that was restarted has forgotten: then ``own_again``."""
        with self._owning:
            if self._holder is None:
                return self._release is not None or self.memory
            if self._holder.invalidated:
                return False
            try:
                return bool(self._holder.execute(text("SELECT true")).scalar_one())
            except SQLAlchemyError:
                return False

    def own_again(self) -> None:
        """Nothing while it is owned. Raises StoreBusy when another daemon has taken the store in the meantime, and
        StoreAway while the server does not answer: then try again."""
        with self._owning:
            if self.owned:
                return
            release, self._release, self._holder = self._release, None, None
            if release is not None:
                release()
            self.own()
            log.warning("the database server had forgotten whose the store is; the store is owned again")

    def _connected(self, _connection: Any, _record: Any) -> None:
        """A new session of the writer: a server that has lost the last one may have lost the owner's too."""
        self._doubtful = True

    def _sure(self) -> None:
        """Before a change: nothing is written into a store that another daemon may have by now."""
        if self._doubtful and self._wanted:
            self._doubtful = False
            try:
                self.own_again()
            except BaseException:
                self._doubtful = True
                raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot, read only: the state at the first line of the block. Raises StoreFault.

        In memory a reader inside the writer's own block shares its connection.
        """
        if self.memory:
            with self._writer:
                if self._within is not None:
                    yield self._within
                    return
                with self._reading.connect() as connection, _alone(self, connection):
                    yield connection
            return
        with explained(self.url), self._reading.connect() as connection:
            # Both databases take the snapshot at the first statement, not at BEGIN.
            connection.begin()
            table = " FROM sqlite_schema LIMIT 1" if connection.dialect.name == "sqlite" else ""
            straight(connection, f"SELECT 1{table}")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, alone: kept when the block ends, undone when it raises. Raises StoreFault.

        Inside ``together`` it is a savepoint of that transaction, and kept with it.
        """
        with explained(self.url), self._writer:
            if self._group is not None:
                with self._part_of(self._group):
                    yield self._group
                return
            kept = False
            self.transaction += 1
            try:
                with self._writing.connect() as connection:
                    self._sure()
                    with connection.begin(), _alone(self, connection):
                        yield connection
                kept = True
            finally:
                self._tell(kept=kept)

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction for all that this thread writes in the block: one wait for the disk. Raises StoreFault.

        A ``writing`` that raises is undone alone. None of them may be
        acknowledged before the block has ended; when it raises, all are undone.
        """
        with self.writing() as connection:
            self._group = connection
            try:
                yield
            finally:
                self._group = None

    def when_kept(self, function: Callable[[list[Any]], None], value: Any) -> None:
        """Within ``writing``: call the function with a list of values, once they are kept. Those of several changes
        in one transaction come in one list. What it raises is logged: the rows are kept, whatever becomes of it."""
        self._when_kept.append((function, value))

    def when_undone(self, function: Callable[[list[Any]], None], value: Any) -> None:
        """Within ``writing``: call the function with a list of values if the transaction, or this part of it, is
        undone."""
        self._when_undone.append((function, value))

    @contextmanager
    def _part_of(self, group: Connection) -> Iterator[None]:
        kept, undone = len(self._when_kept), len(self._when_undone)
        try:
            straight(group, "SAVEPOINT part")
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise TogetherFailed(str(error)) from error
        try:
            yield
            straight(group, "RELEASE SAVEPOINT part")
        except BaseException as error:
            try:
                straight(group, "ROLLBACK TO SAVEPOINT part")
                straight(group, "RELEASE SAVEPOINT part")
            except (SQLAlchemyError, sqlite3.Error):
                # A full disk or a lost server ends the whole transaction (https://www.sqlite.org/lang_transaction.html,
                # "Response To Errors Within A Transaction"). Of a connection that was lost SQLAlchemy says
                # PendingRollbackError, which is none of the driver's.
                raise TogetherFailed(str(error)) from error
            del self._when_kept[kept:]
            taken_back, self._when_undone[undone:] = self._when_undone[undone:], []
            _call(taken_back)
            raise

    def _tell(self, *, kept: bool) -> None:
        told = self._when_kept if kept else self._when_undone
        self._when_kept, self._when_undone = [], []
        _call(told)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """``writing`` without checks of references on SQLite, so that a table can be made anew beside the old one.

        All references are checked before the transaction is kept
        (https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
        """
        if self.url.get_backend_name() != "sqlite":
            with self.writing() as connection:
                yield connection
            return
        with explained(self.url), self._writer, self._writing.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys = OFF")
            try:
                with connection.begin(), _alone(self, connection):
                    yield connection
                    wrong = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                    if wrong is not None:
                        raise LookupError(f"row {wrong[1]} of {wrong[0]} refers to nothing in {wrong[2]}")
            finally:
                driver.execute("PRAGMA foreign_keys = ON")

    def close(self) -> None:
        """Close all connections and give up the ownership."""
        with self._owning:
            self._wanted = False
            if self._release is not None:
                self._release()
                self._release = self._holder = None
        self._reading.dispose()
        self._writing.dispose()


def _call(told: Told) -> None:
    for function, same in groupby(told, key=itemgetter(0)):
        try:
            function([value for _function, value in same])
        except Exception:
            # The transaction has ended. Whoever waits for it is told how, and the others are called.
            name = getattr(function, "__qualname__", function)
            log.exception("what follows a transaction could not be done: %s", name)


@contextmanager
def _alone(store: Store, connection: Connection) -> Iterator[None]:
    before, store._within = store._within, connection
    try:
        yield
    finally:
        store._within = before
