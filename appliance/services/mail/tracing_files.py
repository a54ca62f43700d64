"""The logs of the daemons of mail, rotated ones too, line by line."""

from __future__ import annotations

import gzip
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

__all__ = ["LOGS", "lines_of", "logs_of"]

LOGS = {
    "postfix": ("mail.postfix", "maillog"),
    "dovecot": ("mail.dovecot", "dovecot.log"),
    "rspamd": ("mail.rspamd", "rspamd.log"),
}
"""Which program's ``log`` folder, and the name of the file. A rotated one has ``-20261123T000000Z.gz`` behind it."""
LONGEST = 16_384
"""Bytes that are kept of a line that does not end: a line may be what a stranger wrote."""
_CHUNK = 1 << 20


def logs_of(programs: Path, daemon: str, since: float = 0.0) -> list[Path]:
    """The files that may hold lines of that time or later, the oldest first. ``programs``: where all have folders."""
    program, name = LOGS[daemon]
    folder = programs / program / "log"
    rotated = sorted(path for path in folder.glob(f"{name}-*") if _written(path) >= since)
    live = folder / name
    return [*rotated, live] if live.is_file() else rotated


def lines_of(path: Path) -> Iterator[bytes]:
    """Its lines; none of a file that is gone meanwhile. A link is not followed: its folder is not root's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with os.fdopen(descriptor, "rb", buffering=1 << 20) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return
        try:
            if path.suffix == ".gz":
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield from _cut(unpacked)
            else:
                yield from _cut(file)
        except (OSError, EOFError):  # damaged: what could be read has been
            return


def _cut(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    rest = b""
    while chunk := file.read(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        # Only what is too long for a line is cut: nobody makes us hold more of one.
        rest = rest[:LONGEST] if len(rest) > _CHUNK else rest
    if rest:
        yield rest


def _written(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0
