"""Files that are there after a power cut, whole or not at all: write aside, fsync, rename, fsync the folder.

Source: Pillai et al., "All File Systems Are Not Created Equal" (OSDI 2014): a
rename is atomic, and lasts only once its folder is synced too.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["make_folder", "move", "point", "put", "remove", "sync_folder", "write"]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes, mode: int) -> None:
    """A new file with exactly this mode, whatever the umask; it lasts once its folder is synced.

    It is made without rights for others and gets its mode when it is whole. A
    name that is there already is an error, and a link is not followed.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Put a file in the place of what has its name; on any failure the old one stays."""
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    try:
        write(aside, content, mode)
        os.replace(aside, path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def point(link: Path, target: str) -> None:
    """Make a symbolic link point elsewhere; who reads it sees the old target or the new one."""
    aside = link.with_name(f".{link.name}.new")
    aside.unlink(missing_ok=True)
    os.symlink(target, aside)
    os.replace(aside, link)
    sync_folder(link.parent)


def make_folder(path: Path, mode: int) -> None:
    """A folder with exactly this mode."""
    os.mkdir(path, 0o700)
    os.chmod(path, mode)


def move(source: Path, target: Path) -> None:
    """Give a folder that is whole its name."""
    os.rename(source, target)
    sync_folder(target.parent)


def remove(folder: Path) -> None:
    """Remove a folder, first from its name: half of it is never seen under it."""
    aside = folder if folder.name.startswith(".") else folder.with_name(f".old-{folder.name}")
    if aside != folder:
        os.rename(folder, aside)
    shutil.rmtree(aside, ignore_errors=True)
