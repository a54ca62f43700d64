"""The snapshots there are, and the end of old ones."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from appliance.services.mail.mailboxes_manifest import read_manifest
from appliance.services.mail.mailboxes_snapshot import SNAPSHOTS, stamps_of

__all__ = ["listed", "pruned"]

MOST = 5_000
"""Rows that are told: the newest."""


def listed(state: Path) -> list[dict[str, Any]]:
    """One row for each mailbox of each snapshot, the newest first. One that cannot be read says so, as ``fault``."""
    rows: list[dict[str, Any]] = []
    for stamp in reversed(stamps_of(state)):
        for folder in sorted((state / SNAPSHOTS / stamp).iterdir()):
            if len(rows) >= MOST:
                return rows
            rows.append(_row(stamp, folder))
    return rows


def _row(stamp: str, folder: Path) -> dict[str, Any]:
    try:
        kept = read_manifest(folder)
    except (OSError, ValueError, TypeError):
        return {"stamp": stamp, "mailbox": folder.name, "messages": 0, "octets": 0, "folders": 0, "fault": True}
    folders = Counter(one.folder for one in kept)
    return {
        "stamp": stamp,
        "mailbox": folder.name,
        "messages": len(kept),
        "octets": sum(one.known.size for one in kept),
        "folders": len(folders),
        "fault": False,
    }


def pruned(state: Path, keep: int) -> list[str]:
    """Remove all snapshots but the newest ``keep``; those that were. What was made before a restoration counts too."""
    gone = stamps_of(state)[:-keep]
    for stamp in gone:
        # By another name first: half a snapshot is none.
        going = state / SNAPSHOTS / f".{stamp}.going"
        (state / SNAPSHOTS / stamp).rename(going)
        shutil.rmtree(going)
    for left in (state / SNAPSHOTS).glob(".*.going"):
        shutil.rmtree(left, ignore_errors=True)
    return gone
