"""Queries that are kept: how many, how large, and until when."""

from __future__ import annotations

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
