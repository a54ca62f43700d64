"""One hospital for all files whose tests leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.appliance.services.mail.hospital import Hospital


@pytest.fixture(scope="session")
def hospital() -> Iterator[Hospital]:
    """It takes some seconds to stand, once in a process."""
    with Hospital() as made:
        yield made
