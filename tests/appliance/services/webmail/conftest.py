"""One web mail for all files whose tests leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.appliance.postgresql import database, postgresql, postgresql_server
from tests.appliance.services.webmail.house import House

__all__ = ["database", "house", "postgresql", "postgresql_server"]


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """It takes some seconds to stand, once in a process."""
    with House() as made:
        yield made
