"""What code finds that a configuration loads into a master that starts as root, while it is only tried."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.contract.programs import Program, Ready
from appliance.helper.checking import check
from appliance.helper.shadow import possible, shadow
from appliance.helper.walls import walled
from appliance.supervisor.places import Places
from tests.appliance.helper.small import as_root

pytestmark = [
    as_root,
    pytest.mark.skipif(not possible(privileged=True), reason="namespaces cannot be made here"),
]
# Each line that is printed is something that it could do.
ATTACK = """
exec 2>/dev/null
can() { printf '%s\\n' "$1"; }
for place in / /etc /usr/bin /var/lib /var/log /sys /proc "{files}" "{outside}"; do
    { true >"$place/gerbang-was-here"; } 2>/dev/null && can "write in $place" && rm -f "$place/gerbang-was-here"
done
{ echo 'everybody' >>"{outside}/precious"; } 2>/dev/null && can 'change a file of others'
chmod 777 "{outside}/precious" && can 'change the mode of a file of others'
chown 12345 "{outside}/precious" && can 'give a file of others away'
ln "{outside}/precious" "{outside}/again" && can 'link'
{ cat /proc/sys/kernel/core_pattern >/proc/sys/kernel/core_pattern; } 2>/dev/null && can 'say what the kernel runs'
test -s /etc/shadow && can 'read the passwords'
test -n "$(find /etc/ssh /etc/ssl/private /var/backups /boot -mindepth 1)" && can 'read the keys of the machine'
test -n "$(find /dev -type b)" && can 'reach a disk'
ls -A /dev | grep -qvxE 'fd|full|null|u?random|shm|std(err|in|out)|tty|zero' && can 'ask a device'
test -n "$(find /run -type s)" && can 'ask somebody'
mount -o remount,rw / && can 'make it writable again'
umount -l /etc/shadow && can 'look beneath'
umount -l /run && can 'look beneath run'
unshare --mount true && can 'have mounts of its own'
elsewhere() { unshare --user --map-root-user --mount "$@"; }
elsewhere mount -o remount,rw,bind / && can 'make it writable elsewhere'
elsewhere umount -l /etc/shadow && can 'look beneath from elsewhere'
mknod /tmp/disk b 254 0 && can 'make a device'
kill -0 {outer} && can 'end others'
test "$(cat /proc/net/dev | wc -l)" = 3 || can 'reach the network'
echo of its own >/tmp/x && echo >"{run}/x" && echo >"{state}/x" && echo >/dev/null && cat /tmp/x
echo done; exit 1
"""


@pytest.fixture
def ground() -> Iterator[Path]:
    """Not below a folder that is emptied, as nothing of an installed machine is."""
    with tempfile.TemporaryDirectory(prefix="gerbang-test-", dir="/var/lib") as folder:
        (Path(folder) / "files").mkdir()
        outside = Path(folder) / "outside"
        outside.mkdir()
        (outside / "precious").write_text("p", encoding="utf-8")
        (outside / "precious").chmod(0o600)
        yield Path(folder)
        assert sorted(os.listdir(outside)) == ["precious"]
        seen = (outside / "precious").stat()
        assert (seen.st_size, seen.st_mode & 0o777, seen.st_uid) == (1, 0o600, 0)


def attack(ground: Path) -> tuple[str, ...]:
    text = ATTACK.replace("{outside}", str(ground / "outside")).replace("{outer}", str(os.getpid()))
    return ("/bin/sh", "-c", text)


def places_of(ground: Path) -> Places:
    made = Places(ground / "run", ground / "state")
    made.prepare()
    return made


def test_a_check_finds_nothing_that_it_could_change_and_nobody_whom_it_could_ask(ground: Path) -> None:
    program = Program(name="m.master", command=(), check=attack(ground))
    with listening_in_run():
        said = check(program, ground / "files", places_of(ground), privileged=True)
    assert said == "of its own\ndone"


def test_nor_does_a_shadow_start(ground: Path) -> None:
    program = Program(name="m.master", command=attack(ground), ready=Ready(unix="{run}/never", within=60.0))
    with listening_in_run():
        said = shadow(program, ground / "files", places_of(ground), privileged=True)
    assert said.startswith("m.master: it ended with exit code 1"), said
    assert [line for line in said.splitlines()[1:] if line.strip()] == ["of its own", "done"], said


@contextmanager
def listening_in_run() -> Iterator[None]:
    """Somebody who does what root asks of him."""
    with (
        tempfile.TemporaryDirectory(prefix="gerbang-test-", dir="/run") as folder,
        socket.socket(socket.AF_UNIX) as one,
    ):
        one.bind(f"{folder}/asked.sock")
        one.listen()
        yield


def test_a_folder_that_is_not_there_yet_may_be_made_and_leaves_no_trace(ground: Path) -> None:
    """As clamd's launcher makes that of the signatures."""
    lib = ground / "lib"
    lib.mkdir()
    (lib / "other").mkdir()
    (lib / "other" / "kept").write_text("kept", encoding="utf-8")
    (lib / "file").write_text("file", encoding="utf-8")
    (lib / "link").symlink_to("other")
    script = f"cd {lib} && ls -m && cat file link/kept && mkdir new && touch new/x && ls new && ! touch other/x; exit 1"
    program = Program(name="m.master", command=(), check=("/bin/sh", "-c", script), writable=(str(lib / "new"),))
    said = check(program, ground / "files", places_of(ground), privileged=True)
    assert said.splitlines()[:2] == ["file, link, other", "filekeptx"], said
    assert "Read-only file system" in said
    assert sorted(os.listdir(lib)) == ["file", "link", "other"]
    assert os.listdir(lib / "other") == ["kept"]


def test_the_check_finds_its_files_as_a_start_does(ground: Path) -> None:
    """Its folders are there, made for it and empty, and the link leads to what is judged, not to what runs."""
    places = places_of(ground)
    places.link_files("m.master", "/what/runs")
    (ground / "files" / "word").write_text("new", encoding="utf-8")
    script = f"cat {places.files_of('m.master')}/word && echo && ls -A {{run}} {{state}} | wc -w && umask; exit 1"
    program = Program(name="m.master", command=(), check=("/bin/sh", "-c", script))
    assert check(program, ground / "files", places, privileged=True).split() == ["new", "2", "0022"]
    assert places.linked_files("m.master") == "/what/runs"
    assert not places.run_of("m.master").exists()


def test_a_check_that_cannot_be_walled_in_accepts_nothing(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(name="m.master", command=(), check=("/bin/true",))
    assert check(program, ground / "files", places_of(ground), privileged=True) == ""
    inside = Places(ground / "files" / "run", ground)
    (ground / "files" / "run").mkdir()
    assert "which is covered" in check(program, ground / "files", inside, privileged=True)
    gone = Program(name="m.master", command=(), check=("/bin/there-is-no-such",))
    assert check(gone, ground / "files", places_of(ground), privileged=True)


def test_who_is_walled_in(ground: Path) -> None:
    """A user's own rights are his wall, and who may mount needs none."""
    assert walled(Program(name="a.b", command=()))
    assert walled(Program(name="a.b", command=(), user="root", capabilities=("CAP_NET_ADMIN",)))
    assert not walled(Program(name="a.b", command=(), user="nobody"))
    assert not walled(Program(name="a.b", command=(), capabilities=("CAP_SYS_ADMIN",)))
