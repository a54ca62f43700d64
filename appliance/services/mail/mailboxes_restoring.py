"""One mailbox brought back from a snapshot: beside what is there, or in its place; looked at by doveadm afterwards."""

from __future__ import annotations

import ctypes
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from appliance.services.mail.mailboxes_doveadm import Doveadm, DoveadmFailed
from appliance.services.mail.mailboxes_manifest import Kept, counts_of, ids_by_folder
from appliance.services.mail.mailboxes_numbers import keep_numbers
from appliance.services.mail.mailboxes_snapshot import MAIL, NoMailbox, snapshot
from appliance.services.mail.mailboxes_staging import Damaged, intact, kept_in, owner_of, staged
from appliance.services.mail.mailboxes_tree import MAILDIR, folders_of, messages_of, opened
from appliance.services.mail.mailboxes_verifying import shown_folder

__all__ = ["exchanged_with", "into_folder", "into_place"]

RESTORED = "Restored"
_EXCHANGE = 2
"""RENAME_EXCHANGE of renameat2(2)."""


def into_folder(state: Path, files: Path, stamp: str, mailbox: str) -> dict[str, int]:
    """Bring the snapshot's folders back below ``Restored/<stamp>``; how many messages each has.

    Raises NoMailbox, Damaged, DoveadmFailed.
    """
    kept, doveadm = kept_in(state, stamp, mailbox), Doveadm(files)
    parent = f"{RESTORED}/{stamp}"
    if doveadm.ids(mailbox, f"{parent}/*"):
        raise Damaged(f"{mailbox} has a folder {parent} with messages already")
    with staged(state, stamp, mailbox, uids=False) as home:
        intact(home, kept)
        doveadm.bring_in(mailbox, home, parent)
    there = doveadm.ids(mailbox, f"{parent}/*")
    _same(kept, {name.removeprefix(f"{parent}/"): ids for name, ids in there.items()})
    with suppress(DoveadmFailed):
        doveadm.count_anew(mailbox)
    return {shown_folder(folder): count for folder, count in counts_of(kept).items()}


def into_place(state: Path, files: Path, stamp: str, mailbox: str, before: str) -> dict[str, int]:
    """Put the snapshot in the place of the mailbox, of which a snapshot ``before`` is made first.

    What is delivered meanwhile stays. Messages get new numbers of IMAP, because
    a number may mean another message by now (RFC 9051, 2.3.1.1); where no
    mailbox is any more they keep theirs (``mailboxes_numbers``). Raises
    NoMailbox, Damaged, DoveadmFailed; the mailbox is then as it was, unless it
    is the last look at it that has failed.
    """
    kept, doveadm = kept_in(state, stamp, mailbox), Doveadm(files)
    exchanged_with(state, stamp, mailbox, before, doveadm)
    names = sorted({shown_folder(one.folder) for one in kept})
    _same(kept, doveadm.ids(mailbox, *names))
    with suppress(DoveadmFailed):
        doveadm.count_anew(mailbox)
    return {shown_folder(folder): count for folder, count in counts_of(kept).items()}


def exchanged_with(state: Path, stamp: str, mailbox: str, before: str, doveadm: Doveadm | None = None) -> None:
    """As ``into_place``, without a look at what serves afterwards: Dovecot need not run. Raises NoMailbox, Damaged."""
    with suppress(NoMailbox):  # lost altogether
        snapshot(state, before, mailbox)
    lost = not os.path.lexists(state / MAIL / mailbox / MAILDIR)
    with staged(state, stamp, mailbox, uids=lost) as home:
        intact(home, kept_in(state, stamp, mailbox))
        if lost:
            keep_numbers(home, owner_of(state))
        _exchanged(state, home, mailbox)
        with suppress(DoveadmFailed):
            if doveadm is not None:
                doveadm.end_sessions(mailbox)
        _carried_over(state, home, mailbox, before)


def _same(kept: tuple[Kept, ...], there: Mapping[str, Counter[str]]) -> None:
    """All messages of the snapshot are there. New ones may be: mail goes on being delivered."""
    missing = 0
    for folder, ids in ids_by_folder(kept).items():
        missing += (ids - there.get(shown_folder(folder), Counter())).total()
    if missing:
        raise Damaged(f"{missing} messages of the snapshot are not in the mailbox after the restoration")


def _exchanged(state: Path, home: Path, mailbox: str) -> None:
    """The staged Maildir and the present one change places in one step; without a present one it is moved there."""
    owner = owner_of(state)
    root = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with opened(root, MAIL) as mail:
            with suppress(FileExistsError):
                os.mkdir(mailbox, 0o700, dir_fd=mail)
                os.chown(mailbox, *owner, dir_fd=mail, follow_symlinks=False)
            with opened(mail, mailbox) as present:
                with suppress(FileExistsError):
                    os.mkdir(MAILDIR, 0o700, dir_fd=present)
                    os.chown(MAILDIR, *owner, dir_fd=present, follow_symlinks=False)
                staging = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    _exchange(staging, MAILDIR, present, MAILDIR)
                    _lost_ones(staging, present)
                finally:
                    os.close(staging)
    finally:
        os.close(root)


def _lost_ones(staging: int, present: int) -> None:
    """Rules and other small things of the reader's that are not there any more."""
    for entry in os.scandir(staging):
        if entry.name != MAILDIR:
            with suppress(OSError):
                os.stat(entry.name, dir_fd=present, follow_symlinks=False)
                continue
            with suppress(OSError):
                os.rename(entry.name, entry.name, src_dir_fd=staging, dst_dir_fd=present)


def _exchange(source: int, name: str, target: int, other: str) -> None:
    """Raises OSError where the file system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(source, os.fsencode(name), target, os.fsencode(other), _EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _carried_over(state: Path, home: Path, mailbox: str, before: str) -> int:
    """Messages that came since the snapshot ``before``, out of the Maildir that was taken away; how many."""
    try:
        known = {(one.folder, one.base) for one in kept_in(state, before, mailbox)}
    except NoMailbox:
        known = set()
    count = 0
    old = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    root = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with opened(old, MAILDIR) as gone, opened(root, MAIL, mailbox, MAILDIR) as present:
            for folder in folders_of(gone):
                for message in messages_of(gone, folder):
                    if (folder, message.base) not in known:
                        _link(gone, present, (folder, message.place), message.file)
                        count += 1
    finally:
        os.close(root)
        os.close(old)
    return count


def _link(gone: int, present: int, path: Iterable[str], file: str) -> None:
    try:
        with opened(gone, *path) as source, opened(present, *path) as target:
            os.link(file, file, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except FileNotFoundError:
        # Its folder is not in the snapshot: into the inbox, rather than nowhere.
        with opened(gone, *path) as source, opened(present, "new") as target:
            os.link(file, file, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except FileExistsError:
        return
