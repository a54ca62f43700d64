"""A control group for each program, where cgroup v2 may be written: no child escapes it, whatever it does.

Linux Documentation/admin-guide/cgroup-v2.rst. Where there is none (an
unprivileged container), membership is found by session, token and ancestry.
"""

from __future__ import annotations

import contextlib
from hashlib import sha256
from pathlib import Path

__all__ = ["ends_with_it", "group_for", "name_for", "numbers_in", "remove_group"]


def group_for(root: Path, program: str) -> Path | None:
    """The group of a program of the supervisor whose run folder is ``root``, made if need be; None if it cannot be."""
    home = _home()
    if home is None:
        return None
    folder = home / name_for(root) / program
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Opening it for writing tells whether a process may be put there.
        with (folder / "cgroup.procs").open("ab"):
            return folder
    except OSError:
        return None


def name_for(root: Path) -> str:
    """The name of the group that holds all programs of the supervisor whose run folder is ``root``.

    Two supervisors that see different file systems have run folders of one path,
    and must not take each other's programs for leftovers of their own: the folder
    itself tells them apart.
    """
    try:
        found = root.stat()
        place = f"{root} {found.st_dev} {found.st_ino}"
    except OSError:
        place = str(root)
    return f"gerbang-{sha256(place.encode()).hexdigest()[:12]}"


def numbers_in(folder: Path) -> tuple[int, ...]:
    """The processes of the group and of the groups below it; none when the group is gone."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for path in (folder / "cgroup.procs", *folder.glob("**/cgroup.procs")):
            with contextlib.suppress(OSError):
                found += map(int, path.read_text(encoding="ascii").split())
    return tuple(dict.fromkeys(found))


def ends_with_it(folder: Path) -> bool:
    """Kill all of the group at once (``cgroup.kill``, since Linux 5.14); False when the kernel has no such file."""
    try:
        (folder / "cgroup.kill").write_text("1", encoding="ascii")
    except OSError:
        return False
    return True


def remove_group(folder: Path) -> None:
    """Remove an empty group, the ones below it, and the supervisor's own when it was the last."""
    with contextlib.suppress(OSError):
        for below in sorted((path for path in folder.glob("**/") if path != folder), reverse=True):
            below.rmdir()
        folder.rmdir()
        folder.parent.rmdir()


def _home() -> Path | None:
    """Our own group's folder in the mounted v2 tree."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        mount = next((line.split()[4] for line in mounts if " - cgroup2 " in line), None)
        own = next(
            (
                line[3:]
                for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
                if line[:3] == "0::"
            ),
            None,
        )
    except OSError:
        return None
    if mount is None or own is None:
        return None
    return Path(mount) / own.strip().lstrip("/")
