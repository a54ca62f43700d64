"""What the audit chain is held by outside the database: the key of its hashes, and a note of its last line.

The guarantee. The note is written after each transaction is kept, and reaches
the disk within a second. So a chain that was cut is found when the cut goes
below the note: after a crash of the process that is every line that was
acknowledged, after a power cut all but those of the last second. A chain that
is longer than the note is fine: its hashes tell. One that is shorter goes on
after the note (``audit.append``), so that the gap stays in it.
Who has the key, that is who is root or the appliance's own user, can write
another chain and another note; against him a copy of the note elsewhere helps:
once a minute the daemon tells its log (``gerbang.audit``, on standard error, so
the journal or syslog) when it has grown.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import threading
from pathlib import Path

from appliance.durable import sync_folder
from appliance.store.audit import Head, sealed
from appliance.store.failures import StoreFault
from compiler.errors import UsageError

__all__ = ["HeadFile", "key_of", "noted_head"]

_WIDTH = 256
"""Bytes of the note: one write of one block, never half."""


def key_of(folder: Path) -> bytes:
    """The secret of the chain, 32 bytes in ``audit.key``; made at the first start, mode 0600.

    Raises UsageError when others may read it, or when it is not ours.
    """
    path = folder / "audit.key"
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return _read_key(path)
    except OSError as error:
        raise StoreFault(f"{path}: {error.strerror}") from None
    with os.fdopen(made, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)
    return key


def _read_key(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise UsageError(f"{path}: others may read the key of the audit log; chmod 600 it")
            key = file.read(33)
    except OSError as error:
        raise StoreFault(f"{path}: {error.strerror}") from None
    if len(key) != 32:
        raise UsageError(f"{path}: the key of the audit log has 32 bytes, and this file {len(key)}")
    return key


class HeadFile:
    """The note of the last line, ``audit.head`` in the state folder. Safe for several threads."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.path = folder / "audit.head"
        self._key = key
        self._lock = threading.Lock()
        self._last = self.read() or Head(0, "")
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._timer: threading.Timer | None = None
        self._closed = False

    def note(self, head: Head) -> None:
        """Remember the line, once its transaction is kept; an older one than the last is passed over."""
        with self._lock:
            if self._closed or head.number <= self._last.number:
                return
            self._last = head
            self._write(head)

    def reset(self, head: Head | None) -> None:
        """Begin anew with this line: an administrator has restored an older log, and takes the responsibility."""
        with self._lock:
            self._last = head or Head(0, "")
            self._write(self._last)
            os.fsync(self._file)

    def _write(self, head: Head) -> None:
        said = {"number": head.number, "hash": head.hash, "seal": _seal(head, self._key)}
        os.pwrite(self._file, json.dumps(said).ljust(_WIDTH - 1).encode() + b"\n", 0)
        if self._timer is None:
            self._timer = threading.Timer(1.0, self._sync)
            self._timer.daemon = True
            self._timer.start()

    def _sync(self) -> None:
        with self._lock:
            self._timer = None
            if not self._closed:
                os.fdatasync(self._file)

    def read(self) -> Head | None:
        """The note, None when there is none yet. Raises StoreFault for one that was not written with our key."""
        return noted_head(self.path.parent, self._key)

    def close(self) -> None:
        """Write it to the disk."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            os.fsync(self._file)
            os.close(self._file)


def _seal(head: Head, key: bytes) -> str:
    return sealed(["head", head.number, head.hash], key)


def noted_head(folder: Path, key: bytes) -> Head | None:
    """The note in the state folder, None when there is none yet. Raises StoreFault for one that is not of our key."""
    path = folder / "audit.head"
    try:
        text = path.read_bytes()[:_WIDTH]
    except FileNotFoundError:
        return None
    if not text.strip(b" \n\0"):
        return None
    try:
        said = json.loads(text)
        head = Head(int(said["number"]), str(said["hash"]))
        fits = hmac.compare_digest(str(said["seal"]), _seal(head, key))
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise StoreFault(f"{path}: this note of the audit log's last line is not ours, or was edited")
    return head if head.number else None
