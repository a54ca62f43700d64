"""A snapshot is good when it has been restored: every byte compared, and a reader has logged in and counted."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from appliance.services.mail.mailboxes_manifest import Kept, counts_of, ids_by_folder
from appliance.services.mail.mailboxes_scratch import seen_by_a_reader
from appliance.services.mail.mailboxes_staging import Damaged, intact, kept_in, owner_of, staged

__all__ = ["compared", "shown_folder", "verified"]


def verified(state: Path, stamp: str, mailbox: str) -> dict[str, int]:
    """How many messages each folder has. Raises Damaged, NoMailbox, ScratchFailed."""
    kept = kept_in(state, stamp, mailbox)
    with staged(state, stamp, mailbox, uids=True) as home:
        intact(home, kept)
        compared(kept, seen_by_a_reader(home, owner_of(state)))
    return {shown_folder(folder): count for folder, count in counts_of(kept).items()}


def compared(kept: tuple[Kept, ...], seen: Mapping[str, Counter[str]]) -> None:
    """Raises Damaged for a folder in which a reader does not see what the snapshot has."""
    wanted = ids_by_folder(kept)
    for folder in sorted({*wanted, *seen}):
        there, here = wanted.get(folder, Counter()), seen.get(folder, Counter())
        if there != here:
            name = shown_folder(folder)
            raise Damaged(f"{name}: the snapshot has {there.total()} messages, a reader sees {here.total()} of its own")


def shown_folder(folder: str) -> str:
    """As readers call it: ``.Sent.2026`` is ``Sent/2026``, ``.R&AOk-a`` is ``Réa`` (RFC 3501, 5.1.3)."""
    name = folder.removeprefix(".").replace(".", "/") or "INBOX"
    return _SHIFTED.sub(_unshifted, name)


_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")


def _unshifted(found: re.Match[str]) -> str:
    if not found[1]:
        return "&"
    coded = found[1].replace(",", "/")
    try:
        return base64.b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-16-be")
    except ValueError:  # no name that Dovecot would make
        return found[0]
