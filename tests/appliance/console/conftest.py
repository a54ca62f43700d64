"""A real daemon with the example service for the tests of the console, one a file, and the console on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.services.system import service as system
from tests.appliance.console.driving import Driven
from tests.appliance.daemon.house import ROOT, House
from tests.appliance.example_service import examples
from tests.appliance.example_service import service as pool


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    """People: ``admin``, ``clerk`` and ``reader`` of the pool, ``nobody`` without roles."""
    folder: Path = tmp_path_factory.mktemp("house")
    made = House(folder, services=(system, pool))
    made.add("clerk", "pool.clerk")
    made.add("reader", "pool.reader")
    made.add("nobody")
    with made.parts.runner.changing(ROOT, "pool", "examples", {}) as context:
        examples.load(context)
    with made.live(folder) as socket:
        yield Driven(made, socket, (system, pool))
