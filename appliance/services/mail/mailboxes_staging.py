"""A copy of a snapshot for Dovecot to work on: the same files by further names, in folders of the mail's owner."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.services.mail.mailboxes_manifest import Kept, read_manifest
from appliance.services.mail.mailboxes_numbers import UIDVALIDITIES
from appliance.services.mail.mailboxes_snapshot import HOME, MAIL, SNAPSHOTS, NoMailbox
from appliance.services.mail.mailboxes_tree import base_of

__all__ = ["Damaged", "intact", "kept_in", "owner_of", "staged"]

SCRATCH = ".restoring"
_UIDS = "dovecot-uidlist"


class Damaged(Exception):
    """A snapshot that does not hold what its manifest says."""


def owner_of(state: Path) -> tuple[int, int]:
    """User and group of the mailboxes."""
    seen = (state / MAIL).lstat()
    return seen.st_uid, seen.st_gid


def kept_in(state: Path, stamp: str, mailbox: str) -> tuple[Kept, ...]:
    """What the snapshot says that it holds. Raises NoMailbox, Damaged."""
    folder = state / SNAPSHOTS / stamp / mailbox
    if not folder.is_dir():
        raise NoMailbox(f"there is no snapshot {stamp} of {mailbox}")
    try:
        return read_manifest(folder)
    except (OSError, ValueError, TypeError) as error:
        raise Damaged(f"the manifest of {stamp} of {mailbox} cannot be read") from error


def intact(home: Path, kept: tuple[Kept, ...]) -> None:
    """Read every message once more. Raises Damaged for one that is missing, changed, or not in the manifest."""
    wanted = {(one.folder, one.base): one.known.digest for one in kept}
    seen = set()
    for file in (home / "Maildir").rglob("*"):
        if file.parent.name not in {"cur", "new"} or not file.is_file():
            continue
        folder = file.parent.parent.name
        key = ("" if folder == "Maildir" else folder, base_of(file.name))
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if wanted.get(key) != digest:
            raise Damaged(f"the message {key[1]} in {key[0] or 'INBOX'} is not what it was")
        seen.add(key)
    if missing := wanted.keys() - seen:
        raise Damaged(f"{len(missing)} messages of the snapshot are missing")


@contextmanager
def staged(state: Path, stamp: str, mailbox: str, *, uids: bool) -> Iterator[Path]:
    """A home with the snapshot's ``Maildir``; gone afterwards. ``uids``: with Dovecot's numbers of messages.

    Raises NoMailbox.
    """
    source = state / SNAPSHOTS / stamp / mailbox / HOME
    if not source.is_dir():
        raise NoMailbox(f"there is no snapshot {stamp} of {mailbox}")
    owner = owner_of(state)
    (state / SCRATCH).mkdir(mode=0o711, exist_ok=True)
    home = state / SCRATCH / secrets.token_hex(8)
    try:
        # Nobody else comes in before all is there.
        home.mkdir(mode=0o700)
        _copy(source, home, owner, uids=uids)
        os.chown(home, *owner)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _copy(source: Path, target: Path, owner: tuple[int, int], *, uids: bool) -> None:
    for entry in os.scandir(source):
        new = target / entry.name
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), new)
            os.chown(new, *owner, follow_symlinks=False)
        elif entry.is_dir():
            new.mkdir(mode=0o700)
            _copy(Path(entry.path), new, owner, uids=uids)
            os.chown(new, *owner)
        elif source.name in {"cur", "new"}:
            os.link(entry.path, new, follow_symlinks=False)
        elif not entry.name.startswith(UIDVALIDITIES) and (uids or not entry.name.startswith(_UIDS)):
            shutil.copyfile(entry.path, new)
            new.chmod(0o600)
            os.chown(new, *owner)
