"""What root writes, and what it believes, lies where no other user can put anything."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from appliance.helper.serving import HelperSettings
from appliance.services.network import applying
from appliance.services.network.records import FOLDERS, Folders
from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.records import Deployed, Records
from tests.appliance.helper.small import as_root

UNITS = Path(__file__).parents[3] / "templates" / "systemd"


def folders_of_the_daemon() -> list[Path]:
    """What systemd makes for the daemon, and gives to its user."""
    text = (UNITS / "gerbang.service").read_text(encoding="utf-8")
    found = {key: re.findall(rf"^{key}Directory=(.*)$", text, re.MULTILINE) for key in ("Runtime", "State")}
    named = [Path("/run") / name for line in found["Runtime"] for name in line.split()]
    return named + [Path("/var/lib") / name for line in found["State"] for name in line.split()]


def test_nothing_of_the_helper_lies_in_a_folder_of_the_daemon() -> None:
    settings = HelperSettings()
    roots = folders_of_the_daemon()
    assert roots == [Path("/run/gerbang"), Path("/var/lib/gerbang")]
    for own in (FOLDERS.run, FOLDERS.state, settings.socket, settings.store, settings.run, settings.state):
        assert not any(own.is_relative_to(root) for root in roots), own


def test_the_watch_of_the_uplinks_has_a_folder_of_its_own_too() -> None:
    text = (UNITS / "gerbang-balance-watch@.service").read_text(encoding="utf-8")
    assert f"RuntimeDirectory={FOLDERS.run.relative_to('/run')}\n" in text


@as_root
def test_records_in_a_folder_of_another_user_are_not_believed(tmp_path: Path) -> None:
    """A setting named ``../kernel/core_pattern`` would be a command of root's."""
    run, state = tmp_path / "run", tmp_path / "state"
    run.mkdir()
    (run / "network-settings.json").write_text(json.dumps({"../kernel/no_such_setting": "1"}), encoding="utf-8")
    os.chown(run, 65534, 65534)
    for call in (applying.start, applying.confirm, applying.roll_back):
        with pytest.raises(DeployError, match="another user may write there"):
            call(folders=Folders(run, state))
    with pytest.raises(DeployError, match="another user may write there"):
        applying.apply(None, None, 60, folders=Folders(run, state))


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(DeployError, match="another user may write there"), Records(folder).alone():
        pass
    with pytest.raises(DeployError, match="another user may write there"):
        Records(folder).deploy(Deployed("", "x"))
    assert list(folder.iterdir()) == []


def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to("elsewhere")
    with pytest.raises(DeployError), Records(tmp_path / "run").alone():
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", ["deployed.new", "lock"])
def test_a_link_in_the_place_of_a_record_is_not_followed(tmp_path: Path, name: str) -> None:
    victim, folder = tmp_path / "passwd", tmp_path / "run"
    folder.mkdir(mode=0o700)
    (folder / name).symlink_to(victim)
    records = Records(folder)
    with pytest.raises(DeployError):
        records.deploy(Deployed("", "x")) if name == "deployed.new" else records.alone().__enter__()
    assert not victim.exists()
