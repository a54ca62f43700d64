"""A daemon with the appliance's own services, and the console on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.services.machine import service as machine
from appliance.services.network import service as network
from appliance.services.system import service as system
from tests.appliance.console.driving import Driven
from tests.appliance.daemon.house import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    """People: ``admin``, and ``watcher``, who only looks at network and machine."""
    folder: Path = tmp_path_factory.mktemp("house")
    made = House(folder, f"sqlite:///{folder / 'house.sqlite'}", services=(system, machine, network))
    made.add("watcher", "network.observer", "machine.observer")
    with made.live(folder) as socket:
        yield Driven(made, socket, (system, machine, network))
