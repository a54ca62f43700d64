"""Fixtures of the tests of the daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance.daemon.house import Client, House
from tests.appliance.postgresql import database, postgresql, postgresql_server

__all__ = ["client", "database", "house", "postgresql", "postgresql_server"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A daemon's parts with an administrator, a manager and a clerk."""
    made = House(tmp_path)
    made.add("maya", "ledger.manager")
    made.add("ani", "ledger.clerk")
    yield made
    made.store.close()


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    """Requests to that house."""
    with house.client() as made:
        yield made
