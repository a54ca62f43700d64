"""Queries that are kept: how many, how large, and until when."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.daemon import listings
from tests.appliance.daemon.house import Client, House

ACCOUNTS = "/listings/ledger/accounts"


def asked(client: Client, headers: dict[str, str], search: str = "") -> str:
    answer = client.post(ACCOUNTS, {"search": search}, headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["query"])


def test_all_queries_are_bounded_in_number(house: House, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "MOST", 5)
    people = [house.header("maya") for _ in range(8)]
    queries = [asked(client, one) for one in people]
    found = [client.get(f"/queries/{query}", one).status_code for query, one in zip(queries, people, strict=True)]
    assert found == [404] * 3 + [200] * 5


def test_all_queries_are_bounded_in_size(house: House, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question counts too: it may be long."""
    monkeypatch.setattr(listings, "MOST_BYTES", 10_000)
    people = [house.header("maya") for _ in range(4)]
    queries = [asked(client, one, "x" * 200) for one in people]
    assert client.get(f"/queries/{queries[0]}", people[0]).status_code == 200
    asked(client, people[3], "y" * 200)
    assert client.get(f"/queries/{queries[1]}", people[1]).status_code == 404, "looked at least lately"
    assert client.get(f"/queries/{queries[0]}", people[0]).status_code == 200
    assert house.parts.queries._bytes == sum(one.size for one in house.parts.queries._queries.values()) <= 10_000


def test_the_queries_of_a_session_end_with_it(house: House, client: Client) -> None:
    maya, ani = house.header("maya"), house.header("ani")
    query = asked(client, ani)
    asked(client, maya)
    house.clock.forward(hours=200)
    fresh = house.header("ani")
    later = asked(client, fresh)
    house.parts.queries.retain(house.parts.sessions.flush())
    assert list(house.parts.queries._queries) == [later] != [query]
    assert house.parts.queries._bytes == house.parts.queries._queries[later].size
    client.post("/logout", headers=fresh)
    assert not house.parts.queries._queries
    assert house.parts.queries._bytes == 0


def test_exports_that_are_written_at_once_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds a snapshot: the others wait for their turn, and look at nothing meanwhile."""
    house = House(tmp_path, f"sqlite:///{tmp_path}/store.db")
    maya = house.header("admin")
    go, lock = threading.Event(), threading.Lock()
    at_once = [0, 0]
    real = listings.export_csv

    def slow(*given: Any, **more: Any) -> Iterator[bytes]:
        with lock:
            at_once[0] += 1
            at_once[1] = max(at_once)
        go.wait(60)
        with lock:
            at_once[0] -= 1
        return real(*given, **more)

    monkeypatch.setattr(listings, "export_csv", slow)

    async def all_of_them(client: Client, path: str) -> list[int]:
        asking = [asyncio.create_task(client._http.get(path, headers=maya)) for _ in range(12)]
        until = time.monotonic() + 60
        while at_once[0] < 3 and time.monotonic() < until:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # a fourth would begin now
        go.set()
        return [one.status_code for one in await asyncio.gather(*asking)]

    with house.client() as client:
        found = client.run(all_of_them(client, f"/queries/{asked(client, maya)}/export"))
    house.store.close()
    assert found == [200] * 12
    assert at_once[1] == 3


def test_an_export_that_cannot_be_made_is_refused_and_not_cut(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said with its status, before the first byte of the file."""
    monkeypatch.setattr("appliance.store.export.LARGEST_SHEET", 0)
    maya = house.header("maya")
    assert client.post("/commands/ledger/accounts.add", {"code": "A1", "title": "Kas"}, maya).status_code == 200
    answer = client.get(f"/queries/{asked(client, maya)}/export?format=xlsx", maya)
    assert answer.status_code == 422
    assert "take CSV" in answer.json()["error"]["message"]
