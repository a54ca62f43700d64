"""A log that somebody cut, or whose database was put back, stays cut: what is written later does not fill the gap."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from appliance.store.audit import AUDIT, Head
from appliance.store.chain import verify
from appliance.store.engine import Store
from appliance.store.seal import HeadFile, key_of
from tests.appliance.daemon.house import House
from tests.appliance.daemon.process import Process


def write(house: House, lines: int) -> None:
    for number in range(lines):
        house.parts.runner.tell("ani", "system", "login", {"number": number}, "refused")


def faults(store: Store, key: bytes, head: Head | None) -> list[str]:
    with store.reading() as connection:
        return [str(one) for one in verify(connection, key, head).tampered]


def test_a_log_that_is_cut_under_a_daemon_that_runs(database: str, tmp_path: Path) -> None:
    house = House(tmp_path, database)
    write(house, 10)
    head = house.parts.runner.head
    assert head is not None
    with house.store.writing() as connection:
        connection.execute(delete(AUDIT).where(AUDIT.c.number > head.number - 4))
    write(house, 10)
    now = house.parts.runner.head
    assert now is not None
    assert now.number == head.number + 10
    assert faults(house.store, b"k" * 32, now) == [f"lines {head.number - 3} to {head.number} are missing"]
    house.store.close()


def test_an_older_database_is_told_at_the_start(house: House, caplog: pytest.LogCaptureFixture) -> None:
    write(house, 5)
    house.parts.read_log(house.parts.runner.head)
    assert not caplog.records
    with house.store.writing() as connection:
        last = connection.execute(select(func.max(AUDIT.c.number))).scalar_one()
        connection.execute(delete(AUDIT).where(AUDIT.c.number == last))
    house.parts.read_log(house.parts.runner.head)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("gerbang.audit", logging.CRITICAL)
    assert f"ends at line {last - 1}, and line {last} was written before" in record.getMessage()


def deposit(process: Process, times: int) -> None:
    with process.client("admin") as client:
        for _ in range(times):
            client.call("ledger", "deposit", {"account": "A1", "amount": 1})


def test_an_older_database_that_is_put_back_while_nobody_looks(tmp_path: Path) -> None:
    process = Process(tmp_path)
    file, older = process.state / "gerbang.sqlite", tmp_path / "older.sqlite"
    process.start()
    with process.client("admin") as client:
        client.call("ledger", "accounts.add", {"code": "A1", "title": "Kas"})
    process.stop()
    shutil.copy(file, older)
    process.start()
    deposit(process, 3)
    process.stop()
    shutil.copy(older, file)
    process.start()
    deposit(process, 6)  # more than those that went
    process.stop()
    store, key = Store(process.url), key_of(process.state)
    head = HeadFile(process.state, key)
    (found,) = faults(store, key, head.read())
    assert found.startswith("lines ")
    assert found.endswith(" are missing")
    head.close()
    store.close()
