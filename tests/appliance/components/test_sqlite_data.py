"""A program's SQLite database, taken while it is written and put while it is read."""

from __future__ import annotations

import os
import pwd
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from appliance.components.sqlite_data import sqlite_data
from appliance.contract.program_data import ProgramData

USER = pwd.getpwuid(os.geteuid()).pw_name


def _kept(file: Path, user: str = USER) -> ProgramData:
    return sqlite_data("m.people", program="m.web", file=str(file), user=user, without=("sessions", "never"))


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, timeout=60)) as database, database:
        yield database


def _rows(file: Path, table: str = "people") -> int:
    with _opened(file) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A live database, as web programs have it (WAL), with a session in it."""
    file = tmp_path / "live" / "people.db"
    file.parent.mkdir()
    with _opened(file) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE people (name TEXT, twin TEXT)")
        database.execute("CREATE TABLE sessions (password TEXT)")
        database.executemany("INSERT INTO people VALUES (?, ?)", ((f"p{n}", f"p{n}") for n in range(500)))
        database.execute("INSERT INTO sessions VALUES ('tujuh-bangau')")
    return file


def _take(file: Path) -> bytes:
    done = subprocess.run(_kept(file).take, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _given(words: tuple[str, ...], content: bytes) -> str:
    done = subprocess.run(words, input=content, capture_output=True, check=False)
    assert (done.returncode == 0) is (done.stderr == b"")
    return done.stderr.decode()


def test_it_is_of_one_moment_though_others_write(filled: Path, tmp_path: Path) -> None:
    ended = threading.Event()

    def writes() -> None:
        place = 0
        while not ended.is_set():
            place += 1
            with _opened(filled) as database:  # both rows, or neither
                database.executemany("INSERT INTO people VALUES (?, ?)", ((f"a{place}", "x"), (f"b{place}", "x")))

    writer = threading.Thread(target=writes)
    writer.start()
    try:
        taken = [_take(filled) for _ in range(3)]
    finally:
        ended.set()
        writer.join()
    for place, content in enumerate(taken):
        copy = tmp_path / f"copy{place}"
        copy.write_bytes(content)
        assert _rows(copy) >= 500
        assert _rows(copy) % 2 == 0
        assert _rows(copy, "sessions") == 0
        assert b"tujuh-bangau" not in content
    assert _rows(filled, "sessions") == 1
    assert [one.name for one in filled.parent.iterdir() if one.name.startswith(".")] == []


def test_it_is_put_below_who_reads_it(filled: Path) -> None:
    taken = _take(filled)
    with closing(sqlite3.connect(filled)) as reader:
        with _opened(filled) as database:
            database.execute("DELETE FROM people")
            database.execute("CREATE TABLE later (x)")
        assert reader.execute("SELECT count(*) FROM people").fetchone()[0] == 0
        assert _given(_kept(filled).put, taken) == ""
        assert reader.execute("SELECT count(*) FROM people").fetchone()[0] == 500
        assert reader.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_it_is_put_where_none_is(filled: Path, tmp_path: Path) -> None:
    assert _take(tmp_path / "none.db") == b""
    new = tmp_path / "new.db"
    assert _given(_kept(new).check, _take(filled)) == ""
    assert not new.exists()
    assert _given(_kept(new).put, _take(filled)) == ""
    assert _rows(new) == 500
    assert new.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("what", ["half", "bent", "empty", "other"])
def test_what_is_damaged_is_not_put(filled: Path, what: str) -> None:
    taken = _take(filled)
    bent = bytearray(taken)
    bent[4096 * 2 : 4096 * 3] = b"\xff" * 4096
    content = {"half": taken[: len(taken) // 2], "bent": bytes(bent), "empty": b"", "other": b"x" * 5000}[what]
    for words in (_kept(filled).check, _kept(filled).put):
        assert _given(words, content)
    assert _rows(filled) == 500


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_root_opens_nothing_there_itself(tmp_path: Path, filled: Path) -> None:
    """The folder is somebody else's, who may put a link in it."""
    tmp_path.chmod(0o755)
    secret = tmp_path / "secret.db"
    filled.rename(secret)
    secret.chmod(0o600)
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, *pwd.getpwnam("nobody")[2:4])
    (folder / "people.db").symlink_to(secret)
    done = subprocess.run(_kept(folder / "people.db", "nobody").take, capture_output=True, check=False)
    assert done.stdout == b""
