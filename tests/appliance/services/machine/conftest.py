"""Fixtures of the tests of the machine's records."""

from tests.appliance.postgresql import database, postgresql, postgresql_server

__all__ = ["database", "postgresql", "postgresql_server"]
