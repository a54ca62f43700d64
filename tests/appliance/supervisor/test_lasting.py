"""What the supervisor is asked is there after a power cut: it is on the disk before the answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.contract.programs import Program, Ready
from appliance.supervisor.bounded import Outcome
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from appliance.supervisor.systemd import SystemdSupervisor
from appliance.supervisor.unit import unit_name
from tests.appliance.supervisor.small import SERVES, Making


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names, relative to their folders, of what was synced."""
    fsync, found = os.fsync, []

    def noted(descriptor: int) -> None:
        found.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return found


def test_a_program_is_wanted_and_has_its_files_after_a_power_cut(
    places: Places, making: Making, files: str, synced: list[str]
) -> None:
    with OwnSupervisor(places) as supervisor:
        supervisor.start(making("m.one", SERVES), files)
        assert {".files", ".wanted", ".m.one.json.new"} <= set(synced)


def test_a_unit_is_whole_after_a_power_cut(tmp_path: Path, synced: list[str]) -> None:
    units = tmp_path / "units"
    units.mkdir()

    def systemctl(words: object, within: float) -> Outcome:
        return Outcome(0, f"Id={unit_name('m.one')}\nActiveState=active\nMainPID=7")

    supervisor = SystemdSupervisor(Places(tmp_path / "r", tmp_path / "s"), units=units, run=systemctl)
    supervisor.start(Program(name="m.one", command=("/bin/x",), ready=Ready(settle=0)), "/g/1")
    assert {"units", f".{unit_name('m.one')}.new", ".files"} <= set(synced)
    assert [path.name for path in units.iterdir()] == [unit_name("m.one")]
