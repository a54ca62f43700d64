"""The helper under attack: by whoever owns the socket, the folders of programs, the disk, and the moment."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.operations import Operation
from appliance.contract.program_data import ProgramData
from appliance.contract.programs import Program, Ready
from appliance.helper import data
from appliance.helper.actions import Actions
from appliance.helper.admission import Admission
from appliance.helper.answers import Done, HelperRefused
from appliance.helper.catalogue import Catalogue
from appliance.helper.checking import check
from appliance.helper.client import HelperMachine
from appliance.helper.operating import perform
from appliance.helper.requests import Request, read_request
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.output import Output
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from tests.appliance.helper.small import Answering, Generations, as_root, ask

TELLS = (
    "umask; sed -n 's/NoNewPrivs:[^0-9]*/new /p' /proc/self/status; env | cut -d= -f1 | sort | tr '\\n' ' '; echo; "
    # No pipe here: the shell would hold an end of it while it is looked at.
    "ls -m /proc/$$/fd"
)
"""What a child has been given."""
STATUS = {"action": "status"}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "r", tmp_path / "s")


def acting(tmp_path: Path, places: Places, supervisor: Any, **programs: Program) -> Actions:
    return Actions(
        catalogue=Catalogue({one.name: one for one in programs.values()}),
        supervisor=supervisor,
        admission=Admission(tmp_path / "daemon", tmp_path / "store"),
        places=places,
        privileged=os.geteuid() == 0,
    )


# What a child is given


def said_by_a_program(places: Places, command: tuple[str, ...]) -> str:
    program = Program(
        name="m.one", command=("/bin/sh", "-c", f"{TELLS}; echo ready; sleep 600"), ready=Ready(line="ready")
    )
    with OwnSupervisor(places) as supervisor:
        supervisor.start(program, "/")
        return "\n".join(supervisor.log("m.one", 10))


def said_by_a_validator(places: Places, command: tuple[str, ...]) -> str:
    refuses = (*command[:2], f"{command[2]}; exit 1")
    return check(Program(name="m.one", command=(), check=refuses), Path("/"), places, privileged=os.geteuid() == 0)


def said_by_an_operation(places: Places, command: tuple[str, ...]) -> str:
    return perform(Operation(name="m.op", program="m.one", command=command), {}, "", places, privileged=False)


def said_by_data(places: Places, command: tuple[str, ...]) -> str:
    kept = ProgramData(name="m.data", program="m.one", take=command, check=command, put=command)
    with closing(data.take(kept, places, privileged=False)) as chunks:
        return b"".join(chunks).decode()


@pytest.mark.parametrize("way", [said_by_a_program, said_by_a_validator, said_by_an_operation, said_by_data])
def test_a_child_has_nothing_of_ours(
    places: Places, monkeypatch: pytest.MonkeyPatch, way: Callable[[Places, tuple[str, ...]], str]
) -> None:
    """Neither our mask nor our environment nor an open file, whatever state we ourselves are in."""
    places.prepare()
    monkeypatch.setenv("LD_PRELOAD_OF_OURS", "/evil.so")
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    mask = os.umask(0)
    try:
        lines = way(places, ("/bin/sh", "-c", TELLS)).splitlines()
    finally:
        os.umask(mask)
        os.close(reading)
        os.close(writing)
    assert lines[0] == "0022"
    rest = lines[1:]
    if rest[0].startswith("new "):
        assert rest.pop(0) == "new 1" or way is said_by_data
    assert set(rest[0].split()) <= {"GERBANG_START", "HOME", "LANG", "LOGNAME", "PATH", "PWD", "SHLVL", "USER", "_"}
    assert set(rest[1].split(", ")) <= {"0", "1", "2"}


# Folders of the programs' users


def test_what_vanishes_while_the_run_folder_is_emptied_keeps_nothing_else_in_it(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its user may take things away at any moment; a socket that stays keeps the next start from binding."""
    places.prepare()
    places.prepare_for(Program(name="m.one", command=()), privileged=False)
    for number in range(5):
        (places.run_of("m.one") / f"{number}.sock").touch()
    unlink, gone = os.unlink, []

    def races(path: str, *rest: Any, **more: Any) -> None:
        if not gone:
            gone.append(path)
            unlink(path)
        unlink(path, *rest, **more)

    monkeypatch.setattr(os, "unlink", races)
    places.empty_run("m.one")
    assert list(places.run_of("m.one").iterdir()) == []


@pytest.mark.parametrize("what", ["link to a folder", "link to a file", "folder with a link", "pipe", "hard link"])
def test_emptying_the_run_folder_touches_nothing_elsewhere(places: Places, tmp_path: Path, what: str) -> None:
    places.prepare()
    places.prepare_for(Program(name="m.one", command=()), privileged=False)
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "kept").write_text("kept", encoding="utf-8")
    planted = places.run_of("m.one") / "planted"
    match what:
        case "link to a folder":
            planted.symlink_to(victim)
        case "link to a file":
            planted.symlink_to(victim / "kept")
        case "folder with a link":
            planted.mkdir()
            (planted / "inside").symlink_to(victim)
        case "pipe":
            os.mkfifo(planted)
        case _:
            os.link(victim / "kept", planted)
    places.empty_run("m.one")
    assert list(places.run_of("m.one").iterdir()) == []
    assert (victim / "kept").read_text(encoding="utf-8") == "kept"


# The disk


def test_a_full_disk_is_said_in_its_own_words(answering: Answering) -> None:
    def full(request: Request) -> Done:
        raise OSError(28, "No space left on device", "/var/lib/gerbang-programs/.wanted/m.one.new")

    with answering(full) as path:
        answer = ask(path, STATUS)
    assert (answer["code"], answer["message"]) == (
        "failed",
        "/var/lib/gerbang-programs/.wanted/m.one.new: No space left on device",
    )


@as_root
def test_a_disk_of_a_few_kilobytes(generations: Generations, tmp_path: Path) -> None:
    """Every write of the copy on a real full file system: refused by name, and nothing half is left or believed."""
    files = {"m.one/large": b"x" * 60_000, **{f"m.one/{number}": b"y" * 500 for number in range(5)}}
    generations.write(7, files)
    code = f"""
import json, os, subprocess, sys
sys.path[:] = {sys.path!r}
from pathlib import Path
from appliance.helper.admission import Admission
from appliance.helper.answers import HelperRefused
store = Path(sys.argv[1])
store.mkdir()
said = []
for kilobytes in (8, 16, 40, 64, 72, 76, 80, 84, 200):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={{kilobytes}}k", "tmpfs", store], check=True)
    try:
        copy = Admission(Path({str(generations.root)!r}), store).admit(7, "m.one")
        said.append([kilobytes, sorted(path.name for path in copy.iterdir()), ""])
    except (HelperRefused, OSError) as error:
        said.append([kilobytes, [str(path) for path in store.rglob("*") if path.is_file()], str(error)])
    subprocess.run(["umount", "-l", store], check=True)
print(json.dumps(said))
"""
    words = ["unshare", "--mount", sys.executable, "-c", code, str(tmp_path / "small")]
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    for kilobytes, left, why in json.loads(ran.stdout):
        if why:
            assert left == [], kilobytes
            assert "No space left" in why
        else:
            assert left == sorted(name.removeprefix("m.one/") for name in files), kilobytes
    assert [bool(one[2]) for one in json.loads(ran.stdout)][0::8] == [True, False]


@as_root
def test_a_user_that_is_not_there_is_said(generations: Generations, tmp_path: Path) -> None:
    """As before the packages of a service are installed."""
    generations.write(7, {"m.one/x": b"x"})
    admission = Admission(generations.root, tmp_path / "store")
    for readers, words in (("", "there is no user no-such"), ("no-such", "there is no group no-such")):
        with pytest.raises(HelperRefused, match=words):
            admission.admit(7, "m.one", "no-such", readers=readers)
    assert list((tmp_path / "store").glob(".new-*")) == []


# The socket


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode(errors="replace")))
def test_no_bytes_are_a_request_but_those_of_the_list(octets: bytes) -> None:
    try:
        request = read_request(octets)
    except ValueError:
        return
    assert type(request).__module__ == "appliance.helper.requests"


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "a\n", "a\nb", "\nm.one", "m.one\0", "", ".", "..", "A", "m.ö", "m" * 101, "m..x", "-m", "m.-x"],
)
@pytest.mark.parametrize("where", ["program", "operation", "component"])
def test_names_that_are_none_are_refused_before_anything_is_looked_up(name: str, where: str) -> None:
    asked: dict[str, Any] = {"action": "start", "program": "m.one", "generation": 1, "component": "m.one"}
    if where == "operation":
        asked = {"action": "perform", "operation": "m.one", "arguments": {}}
    with pytest.raises(ValueError, match=r"validation error"):
        read_request(json.dumps(asked | {where: name}).encode())


def test_a_log_of_the_worst_characters_is_answered(answering: Answering, tmp_path: Path, places: Places) -> None:
    """A thousand lines of eight kilobytes, each character of which is six in JSON: the newest are answered."""

    class Noisy:
        def log(self, program: str, lines: int) -> tuple[str, ...]:
            return tuple(f"{number:04}" + "\x01" * 8_000 for number in range(lines))

    actions = acting(tmp_path, places, Noisy(), one=Program(name="m.one", command=()))
    with answering(actions.do) as path:
        lines = HelperMachine(path, tmp_path).log("m.one", 1_000)
    assert lines[-1].startswith("0999")
    assert 400 < len(lines) < 1_000


class Endless:
    """Data without end."""

    given = 0

    def take_data(self, name: str) -> Generator[bytes, None, None]:
        while True:
            self.given += 1
            yield b"x" * 65_536

    def check_data(self, name: str, chunks: Iterable[bytes]) -> None: ...

    def put_data(self, name: str, chunks: Iterable[bytes]) -> None: ...


def test_who_takes_data_and_reads_none_of_it_does_not_keep_the_helper_from_ending(answering: Answering) -> None:
    endless = Endless()
    with socket.socket(socket.AF_UNIX) as one:
        with answering(lambda request: Done(), keeper=endless) as path:
            one.connect(str(path))
            one.sendall(json.dumps({"action": "data", "data": "m.data", "way": "take"}).encode() + b"\n")
            assert one.recv(10)
            # Until nobody can take more: neither the kernel nor what waits for it.
            before = 0
            while before != endless.given or before < 3:
                before = endless.given
                time.sleep(0.2)
        # It has ended, though we have read only ten bytes: what is left is what the kernel held for us.
        while one.recv(1 << 20):
            pass


# What a program says


@pytest.mark.parametrize("strange", ["\u2028", "\x0b", "\x0c", "\x1c", "\x85"])
def test_a_line_is_one_line_also_for_the_next_supervisor(tmp_path: Path, strange: str) -> None:
    path = tmp_path / "log"
    first = Output(path)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, f"before{strange}after\nnext\n".encode())
    first.take(reading)
    first.close()
    os.close(reading)
    os.close(writing)
    second = Output(path)
    second.close()
    assert list(second.lines) == [f"before{strange}after", "next"]


def test_two_who_ask_for_one_program_at_once_get_one(tmp_path: Path, places: Places, generations: Generations) -> None:
    """Start, stop and reload by several at the same moment, with two generations: one of them runs at the end."""
    for number in (1, 2):
        generations.write(number, {"m.one/x": str(number).encode()})
    # It says that it is ready once no signal ends it any more.
    waits = ("/bin/sh", "-c", "trap : HUP; echo ready; while :; do sleep 0.1; done")
    program = Program(name="m.one", command=waits, ready=Ready(line="ready", settle=0.05, within=60), reload="HUP")
    failed: list[str] = []
    with OwnSupervisor(places) as supervisor:
        actions = acting(tmp_path, places, supervisor, one=program)

        def storm(seed: int) -> None:
            for step in range(4):
                asked = {
                    "action": "start",
                    "program": "m.one",
                    "generation": 1 + (seed + step) % 2,
                    "component": "m.one",
                }
                if (seed + step) % 5 == 4:
                    asked = {"action": "stop", "program": "m.one"}
                try:
                    actions.do(read_request(json.dumps(asked).encode()))
                except SupervisionFailed as error:
                    failed.append(str(error))

        threads = [threading.Thread(target=storm, args=(seed,)) for seed in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert [why for why in failed if "it was stopped while it started" not in why] == []
        last = {"action": "start", "program": "m.one", "generation": 2, "component": "m.one"}
        (status,) = actions.do(read_request(json.dumps(last).encode())).statuses
        assert status.state == "ready"
        assert (Path(places.linked_files("m.one")) / "x").read_bytes() == b"2"
        assert len(supervisor.status()) == 1
