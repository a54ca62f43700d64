"""The files that were open last, kept in the user's state folder (XDG Base Directory Specification 0.8)."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["recent_files", "remember", "state_file"]

MOST = 20


def state_file() -> Path:
    """``$XDG_STATE_HOME/gerbang/workbench.json``."""
    named = os.environ.get("XDG_STATE_HOME", "")
    root = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    return root / "gerbang" / "workbench.json"


def recent_files(file: Path) -> tuple[Path, ...]:
    """Latest first, without those that are gone. A list that cannot be read is an empty one."""
    try:
        names = json.loads(file.read_text("utf-8"))["recent"]
        return tuple(path for name in names[:MOST] if (path := Path(name)).is_file())
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def remember(file: Path, path: Path) -> None:
    """Put a path first. That it cannot be kept stops nobody's work."""
    names = [str(path.absolute())]
    names += [str(one) for one in recent_files(file) if str(one) not in names]
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent)  # mode 0600
        with os.fdopen(handle, "w", encoding="utf-8") as made:
            json.dump({"recent": names[:MOST]}, made)
        os.replace(name, file)
