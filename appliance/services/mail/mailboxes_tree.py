"""A mailbox as a tree of files (Maildir++, https://www.courier-mta.org/imap/README.maildirquota.html), walked by root.

The tree belongs to the user of the mail daemons, and root walks in it: each step
is by an open folder and follows no link, so that nothing in it leads elsewhere.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

__all__ = ["Message", "base_of", "copied", "folders_of", "messages_of", "opened", "plain_files"]

MAILDIR = "Maildir"
_BOX = re.compile(r"\.[^/\x00]+")
_REBUILT = re.compile(r"dovecot(\.list)?\.index.*|.*\.svbin|.*\.lda-dupes.*|.*\.lock|maildirsize|\.temp\..*")
"""What Dovecot makes anew."""
LARGEST = 16 << 20
"""Bytes of a file beside the messages."""


class Message(NamedTuple):
    """A file of a Maildir."""

    folder: str
    """The name of its folder on the disk: empty for the inbox, ``.Sent``."""
    place: str
    """``cur`` or ``new``."""
    file: str

    @property
    def base(self) -> str:
        """Its name without the flags, which change."""
        return base_of(self.file)


def base_of(file: str) -> str:
    """The unique part of a file's name."""
    return file.partition(":")[0]


@contextmanager
def opened(parent: int, *names: str) -> Iterator[int]:
    """The folder, by its names below an open one. Raises OSError when one of them is none, or a link."""
    here = os.dup(parent)
    try:
        for name in names:
            if not name:
                continue
            there = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            os.close(here)
            here = there
        yield here
    finally:
        os.close(here)


def folders_of(maildir: int) -> list[str]:
    """The inbox first, then the folders by name."""
    found = []
    for name in sorted(os.listdir(maildir)):
        if _BOX.fullmatch(name) and name not in {".", ".."}:
            with suppress(OSError), opened(maildir, name, "cur"):
                found.append(name)
    return ["", *found]


def messages_of(maildir: int, folder: str) -> Iterator[Message]:
    """Those that lie in a folder now. One that is renamed meanwhile may be missed, or come twice."""
    for place in ("new", "cur"):
        try:
            with opened(maildir, folder, place) as here:
                names = os.listdir(here)
        except OSError:
            continue
        yield from (Message(folder, place, name) for name in names if not name.startswith("."))


def plain_files(here: int) -> Iterator[str]:
    """Small files of a folder that are no messages and not rebuilt, and links that lead nowhere else."""
    for entry in sorted(os.scandir(here), key=lambda one: one.name):
        if _REBUILT.fullmatch(entry.name):
            continue
        try:
            seen = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if (stat.S_ISREG(seen.st_mode) and seen.st_size <= LARGEST) or stat.S_ISLNK(seen.st_mode):
            yield entry.name


def copied(source: int, target: int, name: str, owner: tuple[int, int] | None = None) -> None:
    """Copy one file, or a link that stays in its folder. What is gone or leads elsewhere is passed over, and so is what
    does not belong to the folder's owner: he may have given a file of somebody else a second name."""
    try:
        seen = os.stat(name, dir_fd=source, follow_symlinks=False)
        if stat.S_ISLNK(seen.st_mode):
            leads = os.readlink(name, dir_fd=source)
            if not leads.startswith("/") and ".." not in leads.split("/"):
                os.symlink(leads, name, dir_fd=target)
                if owner:
                    os.chown(name, *owner, dir_fd=target, follow_symlinks=False)
            return
        reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=source)
    except OSError:
        return
    with os.fdopen(reading, "rb") as old:
        here = os.fstat(reading)
        if not stat.S_ISREG(here.st_mode) or here.st_uid != os.fstat(source).st_uid:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        writing = os.open(name, flags, seen.st_mode & 0o600, dir_fd=target)
        with os.fdopen(writing, "wb") as new:
            shutil.copyfileobj(old, new)
            if owner:
                os.fchown(writing, *owner)
