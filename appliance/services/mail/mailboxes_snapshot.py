"""A snapshot of one mailbox: a second name for each message's file, while mail goes on being delivered and read.

A message's file never changes (https://cr.yp.to/proto/maildir.html): a hard link
keeps it for the room of a name. Renaming (flags) and moving go on meanwhile, so
folders are looked through again until nothing is new: a message that is moved
during the snapshot may be in it twice, but is never missing.

The folders of snapshots are root's alone: who takes over a mail daemon cannot
remove them. He could still write into the files, which are his: that is what
the hashes of the manifest find out.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from appliance.durable import sync_folder
from appliance.services.mail.mailboxes_manifest import Kept, Known, identified, read_manifest, write_manifest
from appliance.services.mail.mailboxes_tree import (
    MAILDIR,
    Message,
    copied,
    folders_of,
    messages_of,
    opened,
    plain_files,
)

__all__ = ["HOME", "SNAPSHOTS", "NoMailbox", "mailboxes", "snapshot", "stamps_of"]

SNAPSHOTS = "snapshots"
MAIL = "mail"
HOME = "home"
_ROUNDS = 8
_OTHERS = ("sieve",)
"""Folders of a mailbox beside its Maildir."""


class NoMailbox(Exception):
    """There is no such mailbox, or no such snapshot of it."""


def mailboxes(state: Path) -> list[str]:
    """The local parts that have a mailbox on the disk."""
    try:
        entries = sorted(os.scandir(state / MAIL), key=lambda one: one.name)
    except FileNotFoundError:
        return []
    return [one.name for one in entries if one.is_dir(follow_symlinks=False) and not one.name.startswith(".")]


def stamps_of(state: Path) -> list[str]:
    """The snapshots, the oldest first."""
    try:
        return sorted(one.name for one in os.scandir(state / SNAPSHOTS) if one.is_dir() and one.name[0] != ".")
    except FileNotFoundError:
        return []


def snapshot(state: Path, stamp: str, mailbox: str) -> tuple[Kept, ...]:
    """Take one; what it holds. It is there when it is complete, or not at all. Raises NoMailbox."""
    target = state / SNAPSHOTS / stamp / mailbox
    (state / SNAPSHOTS).mkdir(mode=0o700, exist_ok=True)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    making = state / SNAPSHOTS / f".{stamp}.{mailbox}.making"
    shutil.rmtree(making, ignore_errors=True)
    earlier = _earlier(state, mailbox)
    try:
        making.mkdir(mode=0o700)
        (making / HOME).mkdir(mode=0o700)
        root = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            kept = _taken(root, mailbox, making / HOME, earlier)
        finally:
            os.close(root)
        write_manifest(making, kept)
        making.rename(target)
        sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return kept


def _taken(root: int, mailbox: str, home: Path, earlier: dict[tuple[str, str], Known]) -> tuple[Kept, ...]:
    try:
        with opened(root, MAIL, mailbox) as source, opened(source, MAILDIR) as maildir:
            (home / MAILDIR).mkdir(mode=0o700)
            kept = _Linking(maildir, home / MAILDIR, earlier).all()
            # The lists of Dovecot after the messages: they may then tell of some that are gone, which it passes over.
            for folder in folders_of(maildir):
                if (home / MAILDIR / folder).is_dir():
                    _files(maildir, home / MAILDIR, folder)
            _files(source, home, "")
            for name in _OTHERS:
                _files(source, home, name, make=True)
            return kept
    except OSError as error:
        raise NoMailbox(f"there is no mailbox {mailbox}: {error.strerror}") from error


def _files(source: int, target: Path, folder: str, *, make: bool = False) -> None:
    try:
        with opened(source, folder) as here:
            names = list(plain_files(here))
            if make and names:
                (target / folder).mkdir(mode=0o700, exist_ok=True)
            if names:
                into = os.open(target / folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    for name in names:
                        copied(here, into, name)
                finally:
                    os.close(into)
    except FileNotFoundError:
        return


class _Linking:
    """The messages of one Maildir."""

    def __init__(self, maildir: int, target: Path, earlier: dict[tuple[str, str], Known]) -> None:
        self._maildir = maildir
        self._target = target
        self._earlier = earlier
        self._kept: dict[tuple[str, str], Known] = {}

    def all(self) -> tuple[Kept, ...]:
        """Until nothing is new and nothing has gone under our hands."""
        for _round in range(_ROUNDS):
            if not self._once():
                break
        return tuple(Kept(folder, base, known) for (folder, base), known in sorted(self._kept.items()))

    def _once(self) -> bool:
        """Whether somebody was at work meanwhile."""
        moved = False
        for folder in folders_of(self._maildir):
            for place in ("cur", "new", "tmp"):
                (self._target / folder / place).mkdir(mode=0o700, parents=True, exist_ok=True)
            for message in messages_of(self._maildir, folder):
                if (folder, message.base) not in self._kept:
                    self._link(message)
                    moved = True
        return moved

    def _link(self, message: Message) -> None:
        into = os.open(self._target / message.folder / message.place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with opened(self._maildir, message.folder, message.place) as here:
                os.link(message.file, message.file, src_dir_fd=here, dst_dir_fd=into, follow_symlinks=False)
            # What it was may have changed since it was listed; now it has a name that is only ours. A file of somebody
            # else may have been given a second name there, where fs.protected_hardlinks is 0: it is no mail.
            linked = os.stat(message.file, dir_fd=into, follow_symlinks=False)
            if not stat.S_ISREG(linked.st_mode) or linked.st_uid != os.fstat(self._maildir).st_uid:
                os.unlink(message.file, dir_fd=into)
                return
            file = os.open(message.file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=into)
        except OSError:  # renamed or removed meanwhile: the next round finds it by its new name
            return
        finally:
            os.close(into)
        try:
            seen = os.fstat(file)
            known = self._earlier.get((message.folder, message.base))
            same = known is not None and _file_of(known) == (seen.st_ino, seen.st_size, seen.st_mtime_ns)
            self._kept[message.folder, message.base] = known if same and known else identified(file)
        finally:
            os.close(file)


def _file_of(known: Known) -> tuple[int, int, int]:
    return known.inode, known.size, known.changed


def _earlier(state: Path, mailbox: str) -> dict[tuple[str, str], Known]:
    """What the last snapshot of this mailbox knows: only new messages are read."""
    for stamp in reversed(stamps_of(state)):
        try:
            kept = read_manifest(state / SNAPSHOTS / stamp / mailbox)
        except (OSError, ValueError):
            continue
        return {(one.folder, one.base): one.known for one in kept}
    return {}
