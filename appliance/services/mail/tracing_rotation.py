"""The daemons' logs put aside and compressed: ``python -I -m … STATE DAYS POSTFIX DOVECOT RSPAMD``.

A log is renamed, its daemon is told to open a new one, and the old one is
compressed after the daemon has done so. The numbers are those of the daemons'
processes, 0 for one that does not run; each is looked at before it gets a signal.
The folders belong to the daemons' users, so no link in them is followed.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from appliance.services.mail.mailboxes_tree import opened
from appliance.services.mail.tracing_files import LOGS

__all__ = ["main", "rotate"]

_REOPENS = {"postfix": signal.SIGHUP, "dovecot": signal.SIGUSR1, "rspamd": signal.SIGUSR1}
"""master(8) reloads, and postlogd(8) with it; ``doveadm log reopen`` and rspamd's documentation name the others."""
_NAMES = {"postfix": "master", "dovecot": "dovecot", "rspamd": "rspamd"}
_SETTLES = 2.0
"""Seconds in which a daemon that was told opens the new file."""
_DAY = 86_400.0


def main(words: Sequence[str]) -> int:
    """Rotate all, and print which."""
    state, days, *numbers = words
    processes = dict(zip(LOGS, map(int, numbers), strict=True))
    print(json.dumps(rotate(Path(state).parent, int(days), processes, now=time.time())))
    return 0


def rotate(programs: Path, days: int, processes: dict[str, int], *, now: float, settles: float = _SETTLES) -> Any:
    """Which logs were put aside and how many old ones are gone."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    aside: dict[str, str] = {}
    for daemon, (program, name) in LOGS.items():
        process = processes.get(daemon, 0)
        if _rename(programs, program, name, f"{name}-{stamp}"):
            aside[daemon] = f"{name}-{stamp}"
            if process and _is(process, _NAMES[daemon]):
                os.kill(process, _REOPENS[daemon])
    if aside and any(processes.values()):
        time.sleep(settles)
    removed = 0
    for daemon, (program, name) in LOGS.items():
        removed += _compressed(programs, program, name, aside.get(daemon, ""), now - days * _DAY)
    return {"rotated": sorted(aside), "removed": removed}


def _rename(programs: Path, program: str, name: str, new: str) -> bool:
    root = os.open(programs, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with opened(root, program, "log") as folder:
            if not os.stat(name, dir_fd=folder, follow_symlinks=False).st_size:
                return False
            os.rename(name, new, src_dir_fd=folder, dst_dir_fd=folder)
            return True
    except OSError:
        return False
    finally:
        os.close(root)


def _is(process: int, name: str) -> bool:
    """Whether this process is that daemon: numbers are used again."""
    try:
        return Path(f"/proc/{process}/comm").read_text(encoding="utf-8").strip().startswith(name)
    except OSError:
        return False


def _compressed(programs: Path, program: str, name: str, aside: str, before: float) -> int:
    """Compress what was put aside, and what an earlier time has left; remove what is too old. How many are gone."""
    root = os.open(programs, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    removed = 0
    try:
        with opened(root, program, "log") as folder:
            for file in sorted(os.listdir(folder)):
                if not file.startswith(f"{name}-"):
                    continue
                seen = os.stat(file, dir_fd=folder, follow_symlinks=False)
                if seen.st_mtime < before:
                    os.unlink(file, dir_fd=folder)
                    removed += 1
                elif not file.endswith(".gz") and stat.S_ISREG(seen.st_mode):
                    _compress(folder, file)
    except OSError:
        return removed
    finally:
        os.close(root)
    return removed


def _compress(folder: int, file: str) -> None:
    reading = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    # Of what was opened: whose folder it is may have put another file there since it was looked at, and would be given
    # a copy of it.
    seen = os.fstat(reading)
    making = f".{file}.gz"
    # An earlier time was cut off: what it left would stop every later one.
    with suppress(FileNotFoundError):
        os.unlink(making, dir_fd=folder)
    with os.fdopen(reading, "rb") as old:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(making, flags, 0o640, dir_fd=folder), "wb") as raw:
            os.fchown(raw.fileno(), seen.st_uid, seen.st_gid)
            with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6, mtime=int(seen.st_mtime)) as new:
                shutil.copyfileobj(old, new, 1 << 20)
            raw.flush()
            os.fsync(raw.fileno())
            # By it the trace knows the year of the lines, and which files are too old for a question.
            os.utime(raw.fileno(), ns=(seen.st_atime_ns, seen.st_mtime_ns))
    os.rename(making, f"{file}.gz", src_dir_fd=folder, dst_dir_fd=folder)
    os.unlink(file, dir_fd=folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
