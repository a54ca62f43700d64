"""The migrations of certificates give their tables, on both databases."""

from __future__ import annotations

from appliance.services.certificates import service
from appliance.store.authoring import assert_migrations_match


def test_migrations_give_the_tables(database: str) -> None:
    assert_migrations_match(service, database)
