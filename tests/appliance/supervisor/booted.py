"""Boots a real systemd in namespaces, on a copy-on-write view of this machine, and runs one command in it."""

import os
import shutil
import subprocess
import textwrap
import time
from pathlib import Path
from tempfile import TemporaryDirectory

GROUPS = Path("/sys/fs/cgroup")
PREPARE = """
set -e
cd "$1"
mount -t tmpfs none t
mkdir t/upper t/work t/root
mount -t overlay overlay -o lowerdir=/,upperdir=t/upper,workdir=t/work t/root
R="$PWD/t/root"
mount -t proc proc "$R/proc"
mount -t sysfs sysfs "$R/sys"
mount -t cgroup2 none "$R/sys/fs/cgroup"
for folder in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$R/$folder"; done
chmod 1777 "$R/tmp"
mkdir "$R/dev/shm" "$R/dev/pts"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 ptmx:5:2; do
    name="${device%%:*}" numbers="${device#*:}"
    mknod -m 666 "$R/dev/$name" c "${numbers%%:*}" "${numbers##*:}"
done
: > "$R/etc/fstab"
rm -rf "$R"/etc/systemd/system/*.wants "$R"/lib/systemd/system/*.target.wants
cp -r "$2" "$R/run/asked"
cat > "$R/etc/systemd/system/asked.service" <<'UNIT'
[Unit]
After=systemd-journald.service
Wants=systemd-journald.service
[Service]
Type=oneshot
ExecStart=/bin/sh /run/asked/command
StandardOutput=append:/run/asked/said
StandardError=inherit
ExecStopPost=systemctl --force --force poweroff
UNIT
touch said "$R/run/asked/said"
mount --bind said "$R/run/asked/said"
# Not chroot: systemd moves mounts about below its root, which must be one.
mkdir "$R/run/former"
cd "$R"
pivot_root . run/former
exec env -i container=gerbang PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -c '
    umount -l /run/former
    exec /lib/systemd/systemd --unit=asked.service --show-status=no --log-target=journal'
"""


def why_not() -> str:
    """Why it cannot be done here; empty when it can."""
    if os.geteuid() != 0:
        return "needs root, to boot systemd in namespaces"
    if not Path("/lib/systemd/systemd").exists() or shutil.which("unshare") is None:
        return "needs systemd and unshare"
    if "overlay" not in Path("/proc/filesystems").read_text(encoding="ascii"):
        return "needs overlayfs"
    return "" if _group_root() else "needs cgroup v2 that may be written"


def _group_root() -> Path | None:
    for root in (GROUPS, GROUPS / "unified"):
        if (root / "cgroup.procs").exists() and (root / "cgroup.controllers").exists() and os.access(root, os.W_OK):
            return root
    return None


def run_booted(command: str, *, within: float = 120.0) -> str:
    """What the shell command said inside; systemd is process 1 there."""
    root = _group_root()
    assert root
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "t").mkdir()
        (folder / "asked").mkdir()
        (folder / "asked" / "command").write_text(textwrap.dedent(command), encoding="utf-8")
        group = root / f"gerbang-test-{os.getpid()}"
        group.mkdir()
        enter = 'echo 0 > "$0/cgroup.procs"; exec unshare -pmnuiC -f --kill-child sh -c "$1" sh "$2" "$2/asked"'
        try:
            ran = subprocess.run(
                ["sh", "-c", enter, str(group), PREPARE, name],
                capture_output=True,
                text=True,
                timeout=within,
                check=False,
            )
        finally:
            (group / "cgroup.kill").write_text("1", encoding="ascii")
            for below in sorted(group.glob("**/"), reverse=True):
                _remove(below)
        said = folder / "said"
        text = said.read_text(encoding="utf-8") if said.exists() else ""
        return text or f"it did not boot: {ran.stdout}{ran.stderr}"


def _remove(group: Path) -> None:
    """A killed group is empty a moment later."""
    for _ in range(200):
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.02)
        else:
            return
