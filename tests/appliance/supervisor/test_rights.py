"""With which rights programs start, and what their folders are."""

import os
import pwd
import stat
from pathlib import Path

import pytest

from appliance.contract.programs import Program, Ready
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places, make_folder
from tests.appliance.supervisor.small import SERVES, Making

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
SHOWS = ("/bin/sh", "-c", "cat /proc/self/status; env; ls {state}; echo shown; sleep 60")


def shown(supervisor: OwnSupervisor, program: Program, files: str) -> dict[str, str]:
    supervisor.start(program, files)
    lines = supervisor.log(program.name, 200)
    return {line.partition(":")[0]: line.partition(":")[2].strip() for line in lines if ":" in line}


@as_root
def test_a_program_runs_as_its_user_with_its_capabilities_only(
    supervisor: OwnSupervisor, files: str, places: Places
) -> None:
    program = Program(
        name="test.rights",
        command=SHOWS,
        user="nobody",
        capabilities=("CAP_NET_BIND_SERVICE",),
        ready=Ready(line="shown"),
    )
    status = shown(supervisor, program, files)
    nobody = pwd.getpwnam("nobody")
    assert set(status["Uid"].split()) == {str(nobody.pw_uid)}
    assert set(status["Gid"].split()) == {str(nobody.pw_gid)}
    assert status["NoNewPrivs"] == "1"
    bit = f"{1 << 10:016x}"
    assert [status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == [bit] * 5
    for folder, mode in ((places.run_of("test.rights"), 0o755), (places.state_of("test.rights"), 0o750)):
        found = folder.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (nobody.pw_uid, nobody.pw_gid, mode)


@as_root
def test_one_that_drops_its_rights_itself_keeps_no_more_than_that_needs(supervisor: OwnSupervisor, files: str) -> None:
    status = shown(supervisor, Program(name="test.root", command=SHOWS, ready=Ready(line="shown")), files)
    kept = int(status["CapBnd"], 16)
    for number, allowed in {0: True, 7: True, 10: True, 12: False, 16: False, 19: False, 21: False}.items():
        assert bool(kept >> number & 1) is allowed, number
    assert status["NoNewPrivs"] == "1"


@as_root
def test_a_user_that_is_not_there_is_said(supervisor: OwnSupervisor, files: str) -> None:
    with pytest.raises(SupervisionFailed, match=r"test\.x: there is no user no-such-user"):
        supervisor.start(Program(name="test.x", command=("true",), user="no-such-user"), files)


def test_nothing_of_our_environment_comes_through(
    supervisor: OwnSupervisor, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GERBANG_DATABASE_PASSWORD", "hunter2")
    supervisor.start(Program(name="test.env", command=SHOWS, ready=Ready(line="shown")), files)
    assert not [line for line in supervisor.log("test.env", 200) if "hunter2" in line]


def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(SupervisionFailed, match="is no folder"):
        make_folder(tmp_path / "link", mode=0o777)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "a..b", "a\n", ".a", "a.", "a b", "-a"])
def test_names_that_are_no_names(supervisor: OwnSupervisor, making: Making, files: str, name: str) -> None:
    program = making("test.one", SERVES)
    bad = Program(name=name, command=program.command, ready=program.ready)
    with pytest.raises(SupervisionFailed):
        supervisor.start(bad, files)
