"""The daemon as a user without rights, and the root helper with its own ``/run`` and ``/var/lib``: two processes."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import pytest

from appliance.client.addresses import Address
from appliance.client.blocking import Client
from appliance.client.errors import Refusal, Unreachable
from labs.kernel.namespaces import Namespace
from tests.appliance.services.network.wires import wait_until

__all__ = ["Standing", "needs_everything"]

USER, GROUP = "nobody", "nogroup"
PASSWORD = "seven-herons-over-the-weir"
ROOT = Path(__file__).parents[4]
# The helper keeps its records below /run and /var/lib: it gets empty ones, seen by nobody else.
# Names are asked of itself, as an appliance with a name server is set up; nobody else can be reached anyway.
# What rspamd compiles in a quarter of a minute and keeps there is kept, as it is from start to start.
_COVERED = """
test -d /var/lib/rspamd && exec 3</var/lib/rspamd
mount -t tmpfs none /run && mount -t tmpfs none /var/lib || exit 1
test -e /proc/self/fd/3 && mkdir /var/lib/rspamd && mount -c --bind /proc/self/fd/3 /var/lib/rspamd && exec 3<&-
echo nameserver 127.0.0.1 >/run/resolv.conf && mount --bind /run/resolv.conf /etc/resolv.conf
exec "$@"
"""


@lru_cache(maxsize=1)
def _why_not() -> str:
    if os.geteuid() != 0:
        return "needs root"
    if not (shutil.which("unshare") and shutil.which("setpriv")):
        return "needs unshare and setpriv (util-linux)"
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return f"there is no user {USER}"
    tried = subprocess.run(["unshare", "--mount", "sh", "-c", _COVERED, "sh", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "a mount namespace cannot be made here"


needs_everything = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "-")
"""Skip, with the reason, where rights or programs are missing."""


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _mounts_of(number: int) -> int:
    try:
        return os.stat(f"/proc/{number}/ns/mnt").st_ino
    except OSError:
        return 0


class Surrounded(Protocol):
    """Network namespaces, one of them called ``appliance``."""

    nodes: dict[str, Namespace]


class Standing:
    """The two processes in the namespace of the middle node of ``wires``."""

    def __init__(self, wires: Surrounded) -> None:
        self.wires = wires
        self._stack = ExitStack()
        self._daemon: subprocess.Popen[str] | None = None
        self._helper: subprocess.Popen[str] | None = None
        self._mounts = ""
        self.client: Client

    def __enter__(self) -> Standing:
        # Not below pytest's own folder, which only root may enter.
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="gerbang-standing-")))
        self.folder.chmod(0o755)
        self.state = self.folder / "state"
        self.state.mkdir(mode=0o750)
        entry = pwd.getpwnam(USER)
        os.chown(self.state, entry.pw_uid, entry.pw_gid)
        try:
            self.start_helper()
            said = self.start_daemon()
            found = re.search(r"one-time password (\S+)", said)
            assert found, said
            self.log_in(found[1])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._daemon, self._helper):
            if one is not None and one.poll() is None:
                one.terminate()
                with suppress(subprocess.TimeoutExpired):
                    one.wait(20)
                one.kill()
            if one is not None:
                one.wait()
        self._stack.close()

    # The processes

    def start_helper(self) -> None:
        """As root, with a mount namespace of its own."""
        command = ["appliance", "helper", "--user", USER, "--group", GROUP, "--generations", str(self.state)]
        command += ["--socket", str(self.folder / "helper" / "helper.sock")]
        started = self._started("helper", ["unshare", "--mount", "sh", "-c", _COVERED, "sh"], command)
        self._helper = started
        self._ready(started)

    def _ready(self, started: subprocess.Popen[str]) -> None:
        wait_until(lambda: (self.folder / "helper" / "helper.sock").exists() or started.poll() is not None)
        assert started.poll() is None, self.said("helper")

    def cut_power(self) -> None:
        """Every process of the appliance dies at once, and what was in memory is gone; the disk is what it was."""
        assert self._helper is not None
        self._keep_mounts()
        world = os.stat(f"/proc/{self._helper.pid}/ns/mnt").st_ino
        self.kill_daemon()
        while found := [number for number in _processes() if _mounts_of(number) == world]:
            for number in found:
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            self._helper.poll()
            time.sleep(0.02)
        self._helper.wait()
        self.mounted("umount -l /run && mount -t tmpfs none /run && echo nameserver 127.0.0.1 >/run/resolv.conf")

    def power_on(self) -> None:
        """The helper, then the daemon, on what the disk has."""
        command = ["appliance", "helper", "--user", USER, "--group", GROUP, "--generations", str(self.state)]
        command += ["--socket", str(self.folder / "helper" / "helper.sock")]
        (self.folder / "helper" / "helper.sock").unlink(missing_ok=True)
        self._helper = self._started("helper", ["nsenter", f"--mount={self._mounts}", "--"], command)
        self._ready(self._helper)
        self.start_daemon()
        self.client = self._stack.enter_context(Client(Address(self.state / "api.sock")))
        self.client.login("admin", PASSWORD)

    def _keep_mounts(self) -> None:
        """The helper's mounts outlive it: its disk, that is."""
        if not self._mounts:
            assert self._helper is not None
            kept = os.open(f"/proc/{self._helper.pid}/ns/mnt", os.O_RDONLY)
            self._stack.callback(os.close, kept)
            self._mounts = f"/proc/{os.getpid()}/fd/{kept}"

    def mounted(self, script: str) -> str:
        """A shell script among the helper's mounts."""
        self._keep_mounts()
        done = subprocess.run(
            ["nsenter", f"--mount={self._mounts}", "--", "sh", "-c", script],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start_daemon(self) -> str:
        """As somebody else; what it said until it was ready."""
        entry = pwd.getpwnam(USER)
        # It may read what only root may, since the interpreter may lie there. It may change nothing by that.
        words = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--bounding-set"]
        words += ["-all,+dac_read_search", "--inh-caps", "-all,+dac_read_search", "--ambient-caps"]
        words += ["-all,+dac_read_search", "--no-new-privs"]
        command = ["appliance", "run", "--state", str(self.state), "--socket", str(self.state / "api.sock")]
        command += ["--helper", str(self.folder / "helper" / "helper.sock")]
        self._daemon = self._started("daemon", words, command)
        wait_until(lambda: "ready " in self.said("daemon") or self.daemon.poll() is not None)
        assert self.daemon.poll() is None, self.said("daemon")
        return self.said("daemon")

    def _started(self, name: str, before: list[str], command: list[str]) -> subprocess.Popen[str]:
        log = (self.folder / f"{name}.log").open("w")
        with log, self.wires.nodes["appliance"].inside():
            return subprocess.Popen(
                [*before, sys.executable, "-m", "compiler", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "HOME": "/nonexistent"},
                text=True,
            )

    def said(self, name: str) -> str:
        """What ``daemon`` or ``helper`` has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    @property
    def daemon(self) -> subprocess.Popen[str]:
        """Its process."""
        assert self._daemon is not None
        return self._daemon

    def kill_daemon(self) -> None:
        """SIGKILL."""
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def helpers_file(self, path: str) -> Path:
        """A file as the helper sees it."""
        assert self._helper is not None
        return Path(f"/proc/{self._helper.pid}/root") / path.lstrip("/")

    # Its commands

    def log_in(self, password: str) -> None:
        """As the administrator."""
        self.client = self._stack.enter_context(Client(Address(self.state / "api.sock")))
        self.client.login("admin", password)
        self.client.change_password(password, PASSWORD)
        self.client.login("admin", PASSWORD)

    def call(self, service: str, command: str, arguments: Any = None) -> Any:
        """A query or a change."""
        return self.client.call(service, command, arguments)

    def work(self, command: str, arguments: Any = None) -> Any:
        """A work of the machine, to its end. A daemon that has just started may be making things serve: wait."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.client.wait(self.client.call("machine", command, arguments)["work"], every=0.05).result
            except Refusal as refusal:
                if "is changing the appliance" not in str(refusal) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def commit(self, confirm_within: int, note: str = "") -> Any:
        """Commit; the outcome."""
        return self.work("commit", {"note": note, "confirm_within": confirm_within, "overwrite": False})

    def stands(self, number: int) -> bool:
        """Whether this generation serves and nothing waits."""
        try:
            status = self.call("machine", "status")
        except Unreachable:
            return False
        return bool(status["current"] == number and status["phase"] is None)
