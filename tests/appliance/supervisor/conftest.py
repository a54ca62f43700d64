"""A supervisor in folders of the test's own, and real small programs for it."""

import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.contract.programs import Program, Ready
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from tests.appliance.supervisor.small import PACE, Eventually, Making


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Folders that nobody else has; short, because a socket's path has at most 107 bytes."""
    return Places(tmp_path / "r", tmp_path / "s")


@pytest.fixture
def files(tmp_path: Path) -> str:
    """A generation's folder."""
    folder = tmp_path / "files"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def supervisor(places: Places) -> Iterator[OwnSupervisor]:
    """Our own, with short waits."""
    with OwnSupervisor(places, pace=PACE, look_every=0.05) as made:
        yield made


@pytest.fixture
def making(tmp_path: Path) -> Making:
    """Make a program from a Python text."""

    def make(name: str, text: str, **more: object) -> Program:
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        more.setdefault("ready", Ready(line="ready", within=20))
        more.setdefault("stop_within", 5.0)
        command = (sys.executable, "-S", "-E", "-u", str(path), "{files}", "{run}", "{state}")
        return Program(name=name, command=command, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def eventually() -> Eventually:
    """Wait until something holds; fail when it does not for very long."""

    def wait(holds: Callable[[], object]) -> object:
        end = time.monotonic() + 20
        while not (found := holds()):
            assert time.monotonic() < end, "it never came"
            time.sleep(0.01)
        return found

    return wait
