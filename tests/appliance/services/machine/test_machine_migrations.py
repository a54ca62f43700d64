"""The machine's migrations give its table, on both databases."""

from __future__ import annotations

from appliance.services.machine import service
from appliance.store.authoring import assert_migrations_match


def test_migrations_give_the_tables(database: str) -> None:
    assert_migrations_match(service, database)
