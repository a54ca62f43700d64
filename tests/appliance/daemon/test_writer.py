"""Group commit: changes that wait together share a transaction, and each is still done whole, alone, or not at all."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.people import ADMINISTRATOR, Person
from appliance.contract.refusals import NotFound
from appliance.daemon.writer import WriterLane
from appliance.store.chain import verify
from appliance.store.engine import Store, TogetherFailed
from appliance.store.failures import StoreAway
from tests.appliance.daemon.house import House

ADMIN = Person("admin", frozenset({ADMINISTRATOR}))


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    made = House(tmp_path, f"sqlite:///{tmp_path / 'store.sqlite'}")
    made.parts.runner.call(ADMIN, "ledger", "accounts.add", b'{"code":"A","title":"Kas"}')
    yield made
    made.store.close()


def balance(house: House) -> int:
    answer = house.parts.runner.call(ADMIN, "ledger", "accounts.get", b'{"code":"A"}')
    return int(answer.value.row.balance)


def deposit(house: House, account: str) -> Any:
    return house.parts.runner.call(ADMIN, "ledger", "deposit", b'{"account":"%s","amount":1}' % account.encode())


async def queued(lane: WriterLane, *functions: Any, share: bool = True) -> list[Any]:
    """All of them wait behind one that holds the writer, and so run together."""
    held = threading.Event()
    first = asyncio.create_task(lane.run(held.wait))
    turn = lane.share if share else lane.run
    waiting = [asyncio.create_task(turn(*one)) for one in functions]
    while lane.waiting < 1 + len(functions):
        await asyncio.sleep(0)
    held.set()
    await first
    return await asyncio.gather(*waiting, return_exceptions=True)


def test_those_that_wait_share_a_transaction_and_a_refusal_is_undone_alone(kept: House) -> None:
    told: list[int] = []
    kept.parts.runner.publish = lambda events: told.append(len(events))
    lane = kept.parts.threads.writer
    before = kept.store.transaction
    wanted = [(deposit, kept, account) for account in ("A", "A", "nobody", "A")]
    answers = asyncio.run(queued(lane, *wanted))
    assert [getattr(one, "value", one.__class__) for one in answers][2] is NotFound
    assert balance(kept) == 3
    assert kept.store.transaction == before + 1
    assert told == [3]
    with kept.store.reading() as connection:
        assert verify(connection, b"k" * 32, None).intact
    assert [line.command for line in kept.audit()][-3:] == ["deposit"] * 3
    lane.close()


def test_a_change_that_is_alone_ends_the_transaction_before_it(kept: House) -> None:
    lane = kept.parts.threads.writer
    seen: list[int] = []

    async def all_of_them() -> None:
        held = threading.Event()
        tasks = [asyncio.create_task(lane.run(held.wait))]
        tasks += [asyncio.create_task(lane.share(deposit, kept, "A")) for _ in range(3)]
        tasks += [asyncio.create_task(lane.run(lambda: seen.append(balance(kept))))]
        tasks += [asyncio.create_task(lane.share(deposit, kept, "A")) for _ in range(2)]
        while lane.waiting < 7:
            await asyncio.sleep(0)
        held.set()
        await asyncio.gather(*tasks)

    asyncio.run(all_of_them())
    assert (seen, balance(kept)) == ([3], 5)
    lane.close()


def test_nobody_is_answered_well_when_the_transaction_is_lost(kept: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lane = kept.parts.threads.writer
    told: list[Any] = []
    kept.parts.runner.publish = told.append

    def spoil() -> None:
        with kept.store.writing():
            raise TogetherFailed("the disk is full")

    answers = asyncio.run(queued(lane, (deposit, kept, "A"), (deposit, kept, "nobody"), (spoil,), (deposit, kept, "A")))
    assert [type(one) for one in answers[:3]] == [TogetherFailed, NotFound, TogetherFailed]
    assert answers[3].value.balance == 1  # it came after the loss, and was done
    assert balance(kept) == 1
    assert len(told) == 1
    with kept.store.reading() as connection:
        assert verify(connection, b"k" * 32, None).intact
    lane.close()


def test_all_are_answered_when_the_transaction_cannot_begin(kept: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lane = kept.parts.threads.writer

    def away() -> Any:
        raise StoreAway("the server does not answer")

    async def asked() -> list[Any]:
        async with asyncio.timeout(20):
            return await queued(lane, *[(deposit, kept, "A")] * 3)

    with monkeypatch.context() as patched:
        patched.setattr(kept.store, "together", away)
        answers = asyncio.run(asked())
    # Each begins a transaction for those behind it; the last is alone, and has one of its own.
    assert [type(one) for one in answers[:2]] == [StoreAway, StoreAway]
    assert answers[2].value.balance == 1
    assert lane.waiting == 0
    lane.close()


@pytest.mark.parametrize("memory", [True, False])
def test_a_part_that_raises_takes_its_promises_back(tmp_path: Path, memory: bool) -> None:
    store = Store("sqlite://" if memory else f"sqlite:///{tmp_path / 'x.sqlite'}")
    kept: list[list[Any]] = []
    undone: list[list[Any]] = []
    with store.together():
        for value in (1, 2, 3):
            try:
                with store.writing() as connection:
                    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (a INTEGER)")
                    connection.exec_driver_sql("INSERT INTO t VALUES (?)", (value,))
                    store.when_kept(kept.append, value)
                    store.when_undone(undone.append, value)
                    if value == 2:
                        raise ValueError
            except ValueError:
                assert undone == [[2]]
        assert kept == []
    assert (kept, undone) == ([[1, 3]], [[2]])
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT a FROM t ORDER BY a").scalars().all() == [1, 3]
    store.close()


def test_the_log_is_told_the_last_line_once_it_has_grown(kept: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "gerbang.audit"):
        kept.parts._tell_head()
        kept.parts._tell_head()
        deposit(kept, "A")
        kept.parts._tell_head()
    last = kept.audit()[-2:]
    assert [record.getMessage() for record in caplog.records] == [
        f"audit log: line {line.number} has the hash {line.hash}" for line in last
    ]


def test_a_password_is_hashed_while_others_write(kept: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in its turn: the store is not held for that tenth of a second."""
    held: list[bool] = []

    def slow(password: str) -> str:
        held.append(kept.store._within is not None)
        return f"hash of {len(password)}"

    monkeypatch.setattr("appliance.services.system.commands.hashed", slow)
    with kept.client() as client:
        admin = kept.header("admin")
        row = {"name": "budi", "full_name": "Budi", "roles": []}
        assert client.post("/commands/system/people.add", row, admin).status_code == 200
        assert client.post("/commands/system/people.reset-password", {"name": "budi"}, admin).status_code == 200
    assert held == [False, False]
