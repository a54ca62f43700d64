"""A program's own SQLite database as program data: declared by ``sqlite_data``, done by this module as a command.

It is copied by SQLite's online backup (https://www.sqlite.org/backup.html), which is of one moment though others write,
by the database's owner: root opens nothing in a folder of somebody else's. It is put by the same way the other way
round, in one transaction of the database that is there.
"""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from appliance.contract.program_data import ProgramData

__all__ = ["main", "sqlite_data"]

_ASIDE = ".gerbang-data-"
_CHUNK = 1 << 20
_PATIENCE = 120.0
"""Seconds for which another writer is waited for."""


def sqlite_data(name: str, *, program: str, file: str, user: str, without: tuple[str, ...] = ()) -> ProgramData:
    """The database ``file``, as ``{state}/shelf.db``, of the system user ``user``. ``without``: tables that are empty
    in a backup, such as sessions and what is only remembered. The program stands still while it is put."""

    def command(action: str, *words: str) -> tuple[str, ...]:
        return (sys.executable, "-I", "-m", __name__, action, file, user, *words)

    return ProgramData(
        name=name,
        program=program,
        take=command("take", *without),
        check=command("check"),
        put=command("put"),
        still=True,
    )


def main(words: Sequence[str]) -> int:
    """``take FILE USER TABLE …``, ``check FILE USER`` or ``put FILE USER``; why not on the error output."""
    action, path, user, *without = words
    file = Path(path)
    try:
        _become(user)
        if action == "take":
            return _take(file, without) if file.is_file() else 0
        with _aside(file.parent) as folder:
            given = _received(Path(folder) / "given")
            if action == "put":
                _copied(given, file)
    except (OSError, KeyError, ValueError, sqlite3.Error) as error:
        print(f"{file.name}: {error}", file=sys.stderr)
        return 1
    return 0


def _become(user: str) -> None:
    """Its owner; without root it is somebody else's business."""
    os.umask(0o077)
    if os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)


def _aside(parent: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder on the same disk. What a kill has left of earlier ones goes: one of these runs at a time."""
    for left in parent.glob(f"{_ASIDE}*"):
        shutil.rmtree(left, ignore_errors=True)
    return tempfile.TemporaryDirectory(prefix=_ASIDE, dir=parent)


def _take(file: Path, without: Sequence[str]) -> int:
    with _aside(file.parent) as folder:
        copy = Path(folder) / "copy"
        _copied(file, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as database:
            there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in without:
                if table in there:
                    database.execute(f'DELETE FROM "{table}"')
            # One file that is whole by itself, and nothing of what was deleted in its free pages.
            database.execute("PRAGMA journal_mode = DELETE")
            database.execute("VACUUM")
        _refuse_damaged(copy)
        with copy.open("rb") as opened:
            shutil.copyfileobj(opened, sys.stdout.buffer, _CHUNK)
        sys.stdout.buffer.flush()
    return 0


def _received(file: Path) -> Path:
    with file.open("xb") as opened:
        shutil.copyfileobj(sys.stdin.buffer, opened, _CHUNK)
        opened.flush()
        os.fsync(opened.fileno())
    _refuse_damaged(file)
    return file


def _refuse_damaged(file: Path) -> None:
    """Raises ValueError, sqlite3.Error."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        said = [str(row[0]) for row in database.execute("PRAGMA integrity_check(3)")]
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if said != ["ok"]:
        raise ValueError(f"the database is damaged: {said[0]}")
    if not tables:
        raise ValueError("the database is empty")


def _copied(source: Path, target: Path) -> None:
    """All in one step, so that nobody writes in between."""
    with (
        closing(sqlite3.connect(source, timeout=_PATIENCE)) as old,
        closing(sqlite3.connect(target, timeout=_PATIENCE)) as new,
    ):
        old.backup(new)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
