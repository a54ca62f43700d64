"""A Debian of its own that systemd boots in namespaces of this kernel: on the wire, asked from outside, rebooted."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

__all__ = ["ADDRESS", "CLIENT", "Contained", "why_not"]

ADDRESS = "192.168.10.2"
"""Of the machine, as in the README."""
CLIENT = "192.168.10.50"
"""Of the other end of its wire: a computer of the hospital."""
_GROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
_FORBIDDEN = "-sys_time,-sys_module,-sys_boot,-sys_rawio,-mac_admin,-mac_override,-syslog"
"""What would reach beyond the namespaces."""
_BOOT = """
set -e
echo 0 >"$1/cgroup.procs"
exec nsenter --net="/proc/$2/ns/net" unshare --pid --mount --uts --ipc --cgroup --fork --kill-child \
  setpriv --bounding-set "$4" -- sh -c "$5" sh "$3"
"""
_PREPARE = """
set -e
mount --make-rprivate /
R="$1"
mount --bind "$R" "$R"
mount -t proc proc "$R/proc"
mount --bind "$R/proc/sys" "$R/proc/sys"
mount -o remount,bind,ro "$R/proc/sys"
mount --bind /proc/sys/net "$R/proc/sys/net" 2>/dev/null || true
mount -t sysfs -o ro sysfs "$R/sys"
mount -t cgroup2 none "$R/sys/fs/cgroup"
for folder in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$R/$folder"; done
chmod 1777 "$R/tmp"
mkdir "$R/dev/shm" "$R/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  name="${device%%:*}" numbers="${device#*:}"
  mknod -m 666 "$R/dev/$name" c "${numbers%%:*}" "${numbers##*:}"
done
ln -s /proc/self/fd "$R/dev/fd"
mkdir "$R/run/former"
cd "$R"
pivot_root . run/former
exec env -i container=gerbang PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -c '
  umount -l /run/former
  exec /lib/systemd/systemd --show-status=no --log-target=journal'
"""


_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
"""Ends what it begins when a test is killed."""


def why_not() -> str:
    """Why none can be booted here; empty when it can."""
    if os.geteuid() != 0:
        return "needs root, to boot systemd in namespaces"
    for name in ("mmdebstrap", "slirp4netns", "git", "unshare", "nsenter", "setpriv", "ip"):
        if shutil.which(name) is None:
            return f"needs {name}"
    if not Path("/dev/net/tun").exists():
        return "needs /dev/net/tun"
    return "" if _group_root() else "needs cgroup v2 that may be written"


class Contained:
    """One machine. It reaches Debian's mirror by a line of its own, and ``CLIENT`` by the wire of the hospital."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._boots = 0
        self._holders: list[subprocess.Popen[bytes]] = []
        self._line: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._group = Path()

    def __enter__(self) -> Contained:
        try:
            self._boot()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def says(self, command: str, *, within: float = 300.0, given: str = "", client: bool = False) -> str:
        """What a shell of root says for it, both streams. AssertionError with it when the command fails.

        With ``client`` it is asked of the computer at the other end of the wire.
        """
        code, said = self.tried(command, within=within, given=given, client=client)
        assert code == 0, f"{command}\nended with {code}:\n{said}"
        return said

    def tried(self, command: str, *, within: float = 300.0, given: str = "", client: bool = False) -> tuple[int, str]:
        """Its exit code and what it said, both streams."""
        done = subprocess.run(
            (*self.words(client=client), "bash", "-c", f"cd; {{ {command}\n}} 2>&1"),
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=within,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def words(self, *, client: bool = False) -> tuple[str, ...]:
        """What begins a command on it."""
        first = ("env", "-i", "HOME=/root", "USER=root", "TERM=xterm", "LANG=C.UTF-8")
        path = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",)
        entered = ("nsenter", "--target", str(self._first()), "--all", *first, *path)
        if not client:
            return entered
        # The same files, on the other end of the wire, and asking the machine for names.
        net = f"/proc/{self._holders[1].pid}/ns/net"
        return ("nsenter", f"--net={net}", "nsenter", "--target", str(self._first()), "--mount", "--pid", *first, *path)

    def until(self, command: str, *, within: float = 120.0, client: bool = False) -> str:
        """Ask again until it is fine; what it said then."""
        end = time.monotonic() + within
        while True:
            code, said = self.tried(command, client=client)
            if code == 0:
                return said
            assert time.monotonic() < end, f"{command}\nstill ended with {code} after {within:g} s:\n{said}"
            time.sleep(0.5)

    def reboot(self) -> None:
        """Shut it down as an administrator does, and let it boot again on a wire newly plugged in."""
        assert self._process
        self.tried("systemctl --no-block poweroff")
        self._process.wait(300)
        self._end()
        self._boot()

    def _boot(self) -> None:
        self._boots += 1
        self._wire()
        root = _group_root()
        assert root
        self._group = root / f"gerbang-machine-{os.getpid()}-{self._boots}"
        self._group.mkdir()
        self._process = subprocess.Popen(
            (
                *_WITH_US,
                "sh",
                "-c",
                _BOOT,
                "sh",
                self._group,
                str(self._holders[0].pid),
                self._root,
                _FORBIDDEN,
                _PREPARE,
            ),
            stdin=subprocess.DEVNULL,
        )
        end = time.monotonic() + 300
        while time.monotonic() < end:
            assert self._process.poll() is None, "systemd did not start"
            with suppress(subprocess.TimeoutExpired, ProcessLookupError):
                _, said = self.tried("systemctl is-system-running --wait", within=120)
                if said.strip() in {"running", "degraded"}:
                    return
            time.sleep(0.5)
        raise AssertionError("it did not come up")

    def _wire(self) -> None:
        """Two ends of a wire, and the machine's line to Debian's mirror."""
        for _ in range(2):
            holder = subprocess.Popen((*_WITH_US, "unshare", "--net", "sleep", "infinity"))
            self._holders.append(holder)
            _until_apart(holder.pid)
        machine, client = (str(holder.pid) for holder in self._holders)
        _run("ip", "link", "add", "eth0", "netns", machine, "type", "veth", "peer", "eth0", "netns", client)
        for number, address in ((machine, ADDRESS), (client, CLIENT)):
            inside = f"ip link set lo up; ip address add {address}/24 dev eth0; ip link set eth0 up"
            _run("nsenter", f"--net=/proc/{number}/ns/net", "sh", "-c", inside)
        read, write = os.pipe()
        self._line = subprocess.Popen(
            (*_WITH_US, "slirp4netns", "--configure", "--mtu=1500", f"--ready-fd={write}", machine, "wan"),
            pass_fds=(write,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read, "rb") as ready:
            assert ready.read(1) == b"1", "slirp4netns did not come up"

    def _first(self) -> int:
        """The number of its systemd, as we see it."""
        assert self._process
        number = self._process.pid
        name = Path(f"/proc/{number}/task/{number}/children")
        while below := name.read_text(encoding="ascii").split():
            number = int(below[0])
            if Path(f"/proc/{number}/comm").read_text(encoding="ascii") == "systemd\n":
                return number
            name = Path(f"/proc/{number}/task/{number}/children")
        raise ProcessLookupError(number)

    def _end(self) -> None:
        for one in (self._process, self._line, *self._holders):
            if one is not None and one.poll() is None:
                one.kill()
            if one is not None:
                one.wait()
        self._process, self._line = None, None
        self._holders.clear()
        if self._group != Path():
            with suppress(OSError):
                (self._group / "cgroup.kill").write_text("1", encoding="ascii")
            for below in sorted(self._group.glob("**/"), reverse=True):
                _remove(below)
            self._group = Path()


def _group_root() -> Path | None:
    for root in _GROUPS:
        if (root / "cgroup.controllers").exists() and os.access(root, os.W_OK):
            return root
    return None


def _until_apart(number: int) -> None:
    """Until the process is in a network namespace that is not ours."""
    own = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{number}/ns/net") == own:
        time.sleep(0.01)


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr}"


def _remove(group: Path) -> None:
    """A killed group is empty a moment later."""
    for _ in range(200):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
