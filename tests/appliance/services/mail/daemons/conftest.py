"""One ward for all files whose tests leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.appliance.services.mail.daemons.ward import Ward


@pytest.fixture(scope="session")
def ward() -> Iterator[Ward]:
    """It stands once in a process."""
    with Ward() as made:
        yield made
