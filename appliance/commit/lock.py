"""One commit at a time: a lock that the kernel releases when its holder dies, and a note of who holds it.

The lock is of the open file description (fcntl_locking(2), F_OFD_SETLK): unlike
flock(2) it can be asked for without being taken, and unlike POSIX locks it also
holds between threads of one process.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["Busy", "holder_of", "locked"]


class Busy(Refused):
    """Somebody else commits."""

    code = "commit-busy"


@contextmanager
def locked(path: Path, who: str, since: datetime, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock. Raises Busy, which names who holds it and since when, after ``patience`` seconds.

    A holder that was killed just when it started a program leaves the lock to
    that program's first moment, until its exec closes the file.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    try:
        end = time.monotonic() + patience
        while not _taken(descriptor):
            if time.monotonic() >= end:
                holder = _noted(descriptor)
                raise Busy(_("{holder} is changing the appliance; try again when that has ended"), holder=holder)
            time.sleep(0.02)
        _note(descriptor, f"{who}, since {since.isoformat(timespec='seconds')}")
        yield
    finally:
        os.close(descriptor)


def holder_of(path: Path) -> str:
    """Who holds the lock and since when; empty when it is free."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _whole_file(fcntl.F_RDLCK))
        free = struct.unpack_from("h", answer)[0] == fcntl.F_UNLCK
        return "" if free else _noted(descriptor)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_WRLCK))
    except BlockingIOError:
        return False
    return True


def _whole_file(kind: int) -> bytes:
    """``struct flock`` of a 64-bit Linux: type, whence, start, length (0: to the end), process (0 for this kind)."""
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)


def _noted(descriptor: int) -> str:
    return os.pread(descriptor, 500, 0).decode(errors="replace").strip() or "somebody"


def _note(descriptor: int, text: str) -> None:
    """The note is a courtesy: a full disk does not stop a rollback."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
    except OSError:
        pass
