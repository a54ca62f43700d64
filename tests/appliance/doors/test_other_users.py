"""Each with a user of its own, as the units have it: the daemon, the web door, and who comes by SSH."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.appliance.doors.painting import Painted
from tests.appliance.doors.standing import Browsing

ROOT = Path(__file__).parents[3]
DAEMON, DOOR, STRANGER = "games", "nobody", "daemon"
NEW = "harimau makan nasi"


def _why_not() -> str:
    """Why this cannot be tried here."""
    if os.geteuid() != 0:
        return "needs root, to start programs as other users"
    for name in (DAEMON, DOOR, STRANGER):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            return f"needs the user {name}"
        try:
            done = subprocess.run(
                [sys.executable, "-c", "import appliance.cli.web"],
                cwd=ROOT,
                user=user.pw_uid,
                group=user.pw_gid,
                extra_groups=[],
                capture_output=True,
                check=False,
            )
        except PermissionError:
            return f"{name} may not run this Python"
        if done.returncode:
            return f"{name} may not run this Python"
    return ""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One that others may pass through, unlike pytest's."""
    if reason := _why_not():
        pytest.skip(reason)
    made = Path(tempfile.mkdtemp(prefix="gerbang-users-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


class Running:
    """A program of somebody's; its group is the daemon's, as that of the unit."""

    def __init__(self, folder: Path, user: str, *words: str, group: str = DAEMON) -> None:
        self.user = pwd.getpwnam(user).pw_uid
        self.log = (folder / f"{words[0]}-{user}.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "compiler", *words],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "HOME": "/nonexistent", "LANG": "C.UTF-8"},
            user=self.user,
            group=pwd.getpwnam(group).pw_gid,
            extra_groups=[],
        )
        self.said: list[str] = []

    def until(self, start: str) -> str:
        """The line that begins so."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith(start):
                return line
        self.log.seek(0)
        raise AssertionError(f"{self.process.wait()}: {self.said} {self.log.read()}")

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()


@pytest.fixture(scope="module")
def daemon(folder: Path) -> Iterator[tuple[Running, Path, str]]:
    """It, its socket, and the first password."""
    user = pwd.getpwnam(DAEMON)
    for name, mode in (("state", 0o750), ("run", 0o750)):
        (folder / name).mkdir(mode=mode)
        os.chown(folder / name, user.pw_uid, user.pw_gid)
    socket, settings = folder / "run/api.sock", folder / "appliance.yaml"
    settings.write_text(f"state: {folder}/state\nsocket: {socket}\ndoors: [{DOOR}]\n")
    running = Running(folder, DAEMON, "appliance", "run", "--settings", str(settings))
    try:
        password = running.until("first start: ").split()[-1]
        running.until("ready ")
        yield running, socket, password
    finally:
        running.stop()


class _Origin:
    def __init__(self, origin: str) -> None:
        self.origin = origin


async def _attempt(origin: str, password: str, address: str) -> tuple[int, str]:
    headers = {"Origin": origin, "X-Forwarded-For": address}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{origin}/login", data={"name": "admin", "password": password}, allow_redirects=False) as answer,
    ):
        return answer.status, await answer.text()


def _processes_of(parent: int) -> list[tuple[int, int]]:
    """Process and uid of each child."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [(int(one), Path(f"/proc/{one}").stat().st_uid) for one in children]


def test_the_web_door_is_another_user_and_speaks_for_its_browsers(
    folder: Path, daemon: tuple[Running, Path, str]
) -> None:
    _running, socket, password = daemon
    own = folder / "door"
    own.mkdir(mode=0o700)
    os.chown(own, pwd.getpwnam(DOOR).pw_uid, -1)
    words = ("--socket", str(socket), "--port", "0", "--proxy", "127.0.0.1", "--folder", str(own / "people"))
    door = Running(folder, DOOR, "web", *words)

    async def play(origin: str) -> None:
        told = [await _attempt(origin, f"guess {number}", "198.51.100.7") for number in range(8)]
        assert "too many requests" in told[-1][1]
        # The right password from there waits as well; another browser by the same door does not.
        assert (await _attempt(origin, password, "198.51.100.7"))[0] == 401
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        browser = Browsing(_Origin(origin), session)  # type: ignore[arg-type]
        try:
            headers = {**browser.own, "X-Forwarded-For": "203.0.113.5"}
            answer = await browser.post("/login", {"name": "admin", "password": password}, headers=headers)
            assert answer.status == 303
            console = await Painted.opened(browser)
            await console.reads("Choose your own.")
            ((_console, user),) = _processes_of(door.process.pid)
            assert user == door.user
            await console.types(f"{password}\r", f"{NEW}\r", f"{NEW}\r")
            await console.reads("Good day,")
            await console.close()
        finally:
            await session.close()

    try:
        asyncio.run(play(door.until("The console is at ").split()[-1]))
        # What belongs to the daemon stays closed to the door and its consoles.
        looked = subprocess.run(
            ["ls", folder / "state"], user=door.user, group=pwd.getpwnam(DOOR).pw_gid, capture_output=True, check=False
        )
        assert looked.returncode != 0
    finally:
        door.stop()
    assert not _processes_alive(door.user, socket)


def _processes_alive(user: int, socket: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and entry.stat().st_uid == user:
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return [one for one in found if str(socket) in one]


def test_a_stranger_of_the_group_speaks_for_nobody_but_himself(daemon: tuple[Running, Path, str]) -> None:
    """He is in the group, so that the socket opens; what he invents in Gerbang-Peer is not believed."""
    _running, socket, _password = daemon
    script = """
import asyncio, sys
from pathlib import Path
from appliance.client.addresses import Address
from appliance.client.waiting import AsyncClient
async def play():
    async with AsyncClient(Address(Path(sys.argv[1]))) as client:
        for number in range(10):
            answer = await client.http.post(
                "/login", json={"name": "nobody-at-all", "password": "guess"},
                headers={"Gerbang-Peer": f"198.51.100.{number}"})
            print(answer.status_code)
asyncio.run(play())
"""

    def codes(user: str) -> list[str]:
        done: Any = subprocess.run(
            [sys.executable, "-c", script, str(socket)],
            cwd=ROOT,
            user=pwd.getpwnam(user).pw_uid,
            group=pwd.getpwnam(DAEMON).pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    assert set(codes(DOOR)) == {"401"}
    assert codes(STRANGER)[-1] == "429"
