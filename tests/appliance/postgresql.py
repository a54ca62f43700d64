"""A private PostgreSQL for the tests: a server of an unprivileged user in a folder of its own, on a UNIX socket only.

One server a worker of pytest-xdist, started when the first test asks; one fresh
database a test. Import the fixtures in a ``conftest.py``.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

__all__ = ["Server", "database", "postgresql", "postgresql_server", "started"]


def _programs() -> Path | None:
    """Where Debian keeps initdb and postgres, newest first; or wherever the PATH has them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: -int(one.parts[-3]))
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@dataclass
class Server:
    """A server that runs. ``stop("INT")`` is PostgreSQL's fast shutdown, ``"QUIT"`` its immediate one, a crash."""

    programs: Path
    folder: Path
    who: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)],
            stdout=log,
            stderr=log,
            cwd=self.folder,
            **self.who,
        )
        log.close()
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.address("postgres")).close()
                return
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.folder / "log").read_text()[-2000:]) from error
                time.sleep(0.02)

    def stop(self, how: str = "INT") -> None:
        """Stop it and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(signal.Signals[f"SIG{how}"])
            self.process.wait(60)
            self.process = None

    def address(self, database: str) -> str:
        """For psycopg."""
        return f"host={self.folder} dbname={database} user=gerbang"

    def url(self, database: str) -> str:
        """For the store."""
        return f"postgresql://gerbang@/{database}?host={quote(str(self.folder), safe='')}"

    def create(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{next(self.numbers)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = url.rpartition("/")[2].partition("?")[0]
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def started() -> Server:
    """A new server; skips when PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    who: dict[str, Any] = {}
    # Its socket's path has at most 107 bytes, and pytest's own folders are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    server = Server(programs, folder, who)
    try:
        subprocess.run(
            [
                *(programs / "initdb", "-D", folder / "data", "-U", "gerbang", "-A", "trust"),
                *("--locale=C.UTF-8", "--encoding=UTF8", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **who,
        )
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            # Without fsync a crash of the server loses nothing, only one of the machine does.
            settings.write("listen_addresses = ''\nfsync = off\nshared_buffers = 32MB\nmax_connections = 90\n")
        server.start()
    except BaseException:
        ended(server)
        raise
    return server


def ended(server: Server) -> None:
    """Stop the server and remove its folder."""
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """The worker's server."""
    server = started()
    yield server
    ended(server)


@pytest.fixture
def postgresql(postgresql_server: Server) -> Iterator[str]:
    """The URL of a fresh database."""
    url = postgresql_server.create()
    yield url
    postgresql_server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database, once in a SQLite file and once in PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return str(request.getfixturevalue("postgresql"))
