"""The watch's file: what it is, which lines are alive and used; for ``--status`` and for deploys."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["STATUS", "dead_by_watch", "read_status", "started", "write_status"]

STATUS = "watch.json"


def write_status(folder: Path, found: dict[str, Any]) -> None:
    """Put the file in its place, whole. OSError when that fails."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder / f"{STATUS}.new"
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(found, indent=1))
    beside.replace(folder / STATUS)


def read_status(folder: Path) -> dict[str, Any] | None:
    """What a watch wrote last, with ``running`` as it is now; None when none ever did."""
    try:
        found = json.loads((folder / STATUS).read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    return {**found, "running": _runs(found.get("pid"), found.get("started"))}


def dead_by_watch(folder: Path) -> frozenset[str]:
    """The uplinks that a running watch does not route by; none when no watch runs."""
    found = read_status(folder)
    if found is None or not found["running"]:
        return frozenset()
    used, uplinks = found.get("used"), found.get("uplinks")
    if not isinstance(used, list) or not isinstance(uplinks, dict):
        return frozenset()
    return frozenset(str(name) for name in uplinks if name not in used)


def started(pid: int) -> str:
    """When a process began, in the kernel's ticks (proc(5), field 22): a number that was given again is told by it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _runs(pid: object, since: object) -> bool:
    return isinstance(pid, int) and pid > 0 and os.path.isdir(f"/proc/{pid}") and started(pid) == since
