"""One writer, readers on snapshots, one owner, and faults that say what is wrong."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select
from sqlalchemy.exc import DBAPIError

from appliance.store import connecting
from appliance.store.engine import Store
from appliance.store.failures import StoreAway, StoreBusy, StoreDamaged, StoreFault, StoreFull
from appliance.store.owner import own_folder
from compiler.errors import UsageError
from tests.appliance.postgresql import Server

METADATA = MetaData()
NUMBERS = Table("numbers", METADATA, Column("id", Integer, primary_key=True), Column("value", Integer))
COUNT = select(func.count()).select_from(NUMBERS)


def opened(url: str) -> Store:
    store = Store(url)
    METADATA.create_all(store.engine)
    return store


def test_snapshot_is_of_the_first_line_of_the_block(database: str) -> None:
    store = opened(database)
    with store.reading() as snapshot:
        with store.writing() as writer:
            writer.execute(insert(NUMBERS).values(value=1))
        assert snapshot.execute(COUNT).scalar_one() == 0
    with store.reading() as snapshot:
        assert snapshot.execute(COUNT).scalar_one() == 1
    store.close()


@pytest.mark.parametrize("memory", [True, False])
def test_reader_cannot_write(database: str, memory: bool) -> None:
    store = opened("sqlite://" if memory else database)
    if memory:  # one connection: what a reader writes is undone
        with store.reading() as reader:
            reader.execute(insert(NUMBERS).values(value=1))
    else:
        with pytest.raises((StoreFault, DBAPIError)), store.reading() as reader:
            reader.execute(insert(NUMBERS).values(value=1))
    with store.reading() as reader:
        assert reader.execute(COUNT).scalar_one() == 0
    store.close()


def test_what_raises_is_undone(database: str) -> None:
    store = opened(database)
    with pytest.raises(ZeroDivisionError), store.writing() as writer:  # noqa: PT012
        writer.execute(insert(NUMBERS).values(value=1))
        raise ZeroDivisionError
    with store.reading() as reader:
        assert reader.execute(COUNT).scalar_one() == 0
    store.close()


@pytest.mark.parametrize("memory", [True, False])
def test_writers_take_turns(database: str, memory: bool) -> None:
    store = opened("sqlite://" if memory else database)

    def count_up() -> None:
        for _ in range(20):
            with store.writing() as writer:
                last = writer.execute(select(func.max(NUMBERS.c.value))).scalar_one() or 0
                writer.execute(insert(NUMBERS).values(value=last + 1))

    threads = [threading.Thread(target=count_up) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as reader:
        assert reader.execute(select(func.max(NUMBERS.c.value))).scalar_one() == 100
    store.close()


def test_second_owner_is_refused_until_the_first_has_closed(database: str) -> None:
    first, second = Store(database), Store(database)
    first.own()
    with pytest.raises(StoreBusy, match="owns this store"):
        second.own()
    assert first.owned
    assert not second.owned
    first.close()
    second.own()
    second.close()


def test_a_file_has_one_owner_by_whatever_name(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "file").symlink_to("real/x.sqlite")
    first = Store(f"sqlite:///{tmp_path}/real/x.sqlite")
    first.own()
    for name in ("folder/x.sqlite", "file", "real/../real/x.sqlite"):
        second = Store(f"sqlite:///{tmp_path}/{name}")
        with pytest.raises(StoreBusy, match=f"process {os.getpid()} owns this store"):
            second.own()
        second.close()
    first.close()


def test_a_state_folder_has_one_owner(tmp_path: Path) -> None:
    """The note of the audit log, files and generations in it are of one daemon, wherever its store is."""
    release = own_folder(tmp_path)
    with pytest.raises(StoreBusy, match=f"process {os.getpid()} runs on this state folder"):
        own_folder(tmp_path)
    release()
    own_folder(tmp_path)()
    assert (tmp_path / "daemon.lock").stat().st_mode & 0o777 == 0o600


def test_owner_learns_that_the_server_has_forgotten_it(postgresql_server: Server) -> None:
    url = postgresql_server.create()
    store = Store(url)
    store.own()
    postgresql_server.stop("QUIT")
    with pytest.raises(StoreAway), store.reading():
        pass
    postgresql_server.start()
    assert not store.owned
    with store.reading():
        pass
    store.close()
    postgresql_server.drop(url)


def test_readers_never_take_the_writers_place(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many look at once: one too many is told so, and the writer and the owner go on."""
    monkeypatch.setattr(connecting, "WAIT", 0.1)
    store = opened(database)
    store.own()
    with contextlib.ExitStack() as held:
        with pytest.raises(StoreBusy, match="too many"):  # noqa: PT012
            for _ in range(100):
                held.enter_context(store.reading())
        with store.writing() as writer:
            writer.execute(insert(NUMBERS).values(value=1))
        assert store.owned
    with store.reading() as reader:
        assert reader.execute(COUNT).scalar_one() == 1
    store.close()


def test_first_change_after_a_restart_of_the_server_owns_the_store_again(postgresql_server: Server) -> None:
    url = postgresql_server.create()
    store, other = opened(url), Store(url)
    store.own()
    postgresql_server.stop("QUIT")
    with pytest.raises(StoreAway), store.writing():
        pass
    postgresql_server.start()
    with store.writing() as writer:
        writer.execute(insert(NUMBERS).values(value=1))
        with pytest.raises(StoreBusy, match="owns this store"):
            other.own()
    postgresql_server.stop("QUIT")
    postgresql_server.start()
    other.own()
    with pytest.raises(StoreBusy, match="owns this store"), store.writing() as writer:
        writer.execute(insert(NUMBERS).values(value=2))
    with other.reading() as reader:
        assert reader.execute(COUNT).scalar_one() == 1
    other.close()
    with store.writing() as writer:
        writer.execute(insert(NUMBERS).values(value=3))
    assert store.owned
    store.close()
    postgresql_server.drop(url)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        *[("08006", StoreAway), ("25P03", StoreAway), ("57P05", StoreAway), ("08P01", StoreAway)],
        *[("40001", StoreBusy), ("40P01", StoreBusy), ("53200", StoreBusy), ("55P03", StoreBusy)],
        *[("57014", StoreBusy), ("58030", StoreFault)],
    ],
)
def test_what_the_server_says_is_a_fault_of_the_store(postgresql: str, state: str, kind: type[StoreFault]) -> None:
    store = Store(postgresql)
    with pytest.raises(StoreFault) as caught, store.writing() as writer:
        writer.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'as it says' USING ERRCODE = '{state}'; END $$")
    assert type(caught.value) is kind
    store.close()


def test_asking_on_after_the_connection_was_lost(postgresql: str) -> None:
    store = Store(postgresql)
    with pytest.raises(StoreAway), store.writing() as writer:  # noqa: PT012
        with contextlib.suppress(DBAPIError):
            writer.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        writer.exec_driver_sql("SELECT 1")
    with store.writing() as writer:
        writer.exec_driver_sql("SELECT 1")
    store.close()


def test_new_file_is_its_owners_only(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db")
    store.own()
    METADATA.create_all(store.engine)
    assert {oct(one.stat().st_mode & 0o777) for one in tmp_path.iterdir()} == {"0o600"}
    store.close()


def test_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"this is a letter to my mother, and a long one at that\n" * 200)
    store = Store(f"sqlite:///{tmp_path}/store.db")
    with pytest.raises(StoreDamaged, match=r"store\.db: this file is not a database"), store.writing():
        pass
    store.close()


def test_damaged_page(tmp_path: Path) -> None:
    store = opened(f"sqlite:///{tmp_path}/store.db")
    with store.writing() as writer:
        writer.execute(insert(NUMBERS), [{"value": one} for one in range(5000)])
    store.close()
    with (tmp_path / "store.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096 * 4))
    store = Store(f"sqlite:///{tmp_path}/store.db")
    with pytest.raises(StoreDamaged, match="restore a backup"), store.reading() as reader:
        reader.execute(select(NUMBERS)).all()
    store.close()


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/none/store.db")
    with pytest.raises(StoreAway, match="cannot be opened"), store.reading():
        pass
    with pytest.raises(StoreAway):
        store.own()


def test_full_disk_undoes_the_transaction(tmp_path: Path) -> None:
    store = opened(f"sqlite:///{tmp_path}/store.db")
    with pytest.raises(StoreFull, match="the disk is full"), store.writing() as writer:  # noqa: PT012
        # SQLite gives the same answer when it may not grow as when the disk may not.
        writer.exec_driver_sql("PRAGMA max_page_count = 10")
        for _ in range(50):
            writer.execute(insert(NUMBERS), [{"value": one} for one in range(1000)])
    with store.writing() as writer:
        assert writer.execute(COUNT).scalar_one() == 0
        writer.exec_driver_sql("PRAGMA max_page_count = 100000")
        writer.execute(insert(NUMBERS).values(value=1))
    store.close()


def test_server_that_is_not_there(tmp_path: Path) -> None:
    store = Store(f"postgresql://gerbang:secret@/x?host={tmp_path}")
    with pytest.raises(StoreAway, match="does not answer") as caught, store.reading():
        pass
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://x", "nonsense", "", "postgres"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        Store(url)


@pytest.mark.parametrize("kept", [True, False])
def test_what_follows_a_transaction_does_not_change_how_it_ended(
    tmp_path: Path, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The rows are kept, or not, whatever becomes of the calls after it; and each is made."""
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    heard: list[list[str]] = []

    def fails(_values: list[str]) -> None:
        raise OSError("no such file")

    promise = store.when_kept if kept else store.when_undone
    ended: contextlib.AbstractContextManager[object] = contextlib.nullcontext() if kept else pytest.raises(LookupError)
    with ended, store.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a INTEGER)")
        promise(fails, "a")
        promise(heard.append, "b")
        if not kept:
            raise LookupError
    assert heard == [["b"]]
    assert "fails" in caplog.text
    with store.reading() as connection:
        assert len(connection.exec_driver_sql("SELECT name FROM sqlite_schema").all()) == kept
    store.close()
