"""Files that are edited: opened with a stamp, saved whole or not at all, never over what somebody else wrote."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from compiler.errors import UsageError
from compiler.placed.source_text import decode

__all__ = ["ChangedOnDisk", "Opened", "is_within", "open_file", "path_said", "save_file"]

MOST_OCTETS = 64 * 2**20
"""A configuration of a hundred thousand entries has some six million octets."""


class ChangedOnDisk(UsageError):
    """The file is no longer the one that was opened: it was written, made or removed meanwhile."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The text of a file and how the file was. ``text`` has ``\\n`` ends; ``line_end`` is what the file has."""

    path: Path
    text: str
    stamp: tuple[int, int, int] | None
    """Inode, size and time of change (nanoseconds); None for a file that is not there yet."""
    note: str = ""
    line_end: str = "\n"


def open_file(path: Path) -> Opened:
    """Read a file. UsageError for what is no file, cannot be opened, is binary, or has over 64 MiB."""
    try:
        with path.open("rb") as file:
            known = os.fstat(file.fileno())
            if not stat.S_ISREG(known.st_mode):
                raise UsageError(f"{str(path)!r} is no file")
            if known.st_size > MOST_OCTETS:
                raise UsageError(f"{str(path)!r} has {known.st_size:,} octets: too large to edit")
            content = file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot read {str(path)!r}: {reason}") from error
    source = decode(content, str(path))
    line_end = "\r\n" if b"\r\n" in content[:4096] else "\n"
    return Opened(path, source.text, _stamp(known), source.note, line_end)


def save_file(opened: Opened, text: str, *, overwrite: bool = False) -> Opened:
    """Write the text beside the file, flush it to the disk, then put it in the file's place.

    Raises ChangedOnDisk when the file is not as it was opened, unless
    ``overwrite``; UsageError for what cannot be written. Rights and owner of the
    file stay; a symbolic link stays one, and what it points to is replaced.
    """
    path = opened.path.resolve()
    try:
        known = os.stat(path) if path.exists() else None
        now = None if known is None else _stamp(known)
        if now != opened.stamp and not overwrite:
            raise ChangedOnDisk(f"{str(opened.path)!r} was changed by somebody else since it was opened")
        _replace(path, text.replace("\n", opened.line_end).encode(), known)
        return Opened(opened.path, text, _stamp(os.stat(path)), "", opened.line_end)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot write {str(opened.path)!r}: {reason}") from error


def is_within(path: Path, folder: Path) -> bool:
    """Whether the path, with all symbolic links followed, stays below the folder."""
    try:
        found = path.resolve()
        # Since Python 3.13 a loop of links is left standing there; before, it is an error.
        return found.is_relative_to(folder.resolve()) and not any(one.is_symlink() for one in (found, *found.parents))
    except (OSError, ValueError, RuntimeError):  # a zero byte, a loop of links
        return False


def path_said(said: str, folder: Path) -> Path:
    """The path that somebody typed: from the folder, unless it is absolute or begins with ``~``."""
    try:
        return folder / Path(said).expanduser()
    except RuntimeError:  # no such user
        return folder / said


def _replace(path: Path, content: bytes, known: os.stat_result | None) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if known is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(known.st_mode))
                with suppress(PermissionError):
                    os.fchown(file.fileno(), known.st_uid, known.st_gid)
            else:
                os.fchmod(file.fileno(), 0o640)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _stamp(known: os.stat_result) -> tuple[int, int, int]:
    return known.st_ino, known.st_size, known.st_mtime_ns
