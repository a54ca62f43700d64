"""A real daemon in a process of its own, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.appliance.daemon.process import Process


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A daemon with the ledger that runs."""
    made = Process(tmp_path_factory.mktemp("d"))
    made.start()
    yield made
    said = made.stop()
    assert "Traceback" not in said, said
    assert not made.socket.exists()
