"""One mailbox of a snapshot as a tar archive (PAX) that any mail server can read: a Maildir with its messages.

It lies in the folder ``exports`` of the mail, which only root reads, for the
backup of the appliance or for who moves the mailbox elsewhere.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from appliance.durable import sync_folder
from appliance.services.mail.mailboxes_manifest import FILE
from appliance.services.mail.mailboxes_snapshot import HOME, SNAPSHOTS, NoMailbox
from appliance.services.mail.mailboxes_staging import intact, kept_in

__all__ = ["EXPORTS", "exported"]

EXPORTS = "exports"


def exported(state: Path, stamp: str, mailbox: str) -> tuple[Path, int]:
    """Write it, whole or not at all; where, and its octets. Raises NoMailbox, Damaged."""
    source = state / SNAPSHOTS / stamp / mailbox
    if not source.is_dir():
        raise NoMailbox(f"there is no snapshot {stamp} of {mailbox}")
    intact(source / HOME, kept_in(state, stamp, mailbox))
    (state / EXPORTS).mkdir(mode=0o700, exist_ok=True)
    target = state / EXPORTS / f"{stamp}-{mailbox}.tar"
    making = target.with_name(f".{target.name}.making")
    with open(making, "wb", opener=_private) as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.add(source / HOME, arcname=mailbox, filter=_nobody)
            archive.add(source / FILE, arcname=f"{mailbox}/{FILE}", filter=_nobody)
        file.flush()
        os.fsync(file.fileno())
    making.rename(target)
    sync_folder(target.parent)
    return target, target.stat().st_size


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The owner is another number elsewhere."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
