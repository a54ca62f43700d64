"""doveadm(1) on the mailboxes that serve: import, what a folder holds, the end of sessions."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

__all__ = ["Doveadm", "DoveadmFailed"]

_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LONGEST = 1_700.0
"""Seconds."""


class DoveadmFailed(Exception):
    """What it said."""


class Doveadm:
    """With the configuration in this folder."""

    def __init__(self, files: Path) -> None:
        self._words = (shutil.which("doveadm", path=_SEARCH) or "doveadm", "-c", str(files / "dovecot.conf"))

    def bring_in(self, mailbox: str, home: Path, folder: str) -> None:
        """Copy all folders of a Maildir below this folder. The quota does not count for it."""
        # Without plugins, and so without the limit: a mailbox that is full is restored too.
        source = f"maildir:{home}/Maildir"
        self._run("-o", "mail_plugins=", "import", "-u", mailbox, "-s", source, folder, "ALL")

    def ids(self, mailbox: str, *folders: str) -> dict[str, Counter[str]]:
        """The Message-IDs of the folders that fit one of the names (``*`` stands for anything)."""
        found: dict[str, Counter[str]] = {}
        for folder in folders:
            said = self._run("-f", "json", "fetch", "-u", mailbox, "mailbox hdr.message-id", "mailbox", folder, "ALL")
            for one in json.loads(said or "[]"):
                ids = found.setdefault(one["mailbox"], Counter())
                ids["".join(one.get("hdr.message-id", "").split())] += 1
        return found

    def has(self, mailbox: str, folder: str, message_id: str) -> bool:
        """Whether a message lies in a folder."""
        found = self._run("search", "-u", mailbox, "mailbox", folder, "HEADER", "message-id", message_id, fine=(0, 68))
        return bool(found.strip())

    def expunge(self, mailbox: str, folder: str, message_id: str) -> None:
        """Remove a message from a folder."""
        self._run("expunge", "-u", mailbox, "mailbox", folder, "HEADER", "message-id", message_id)

    def end_sessions(self, mailbox: str) -> None:
        """Who reads it now has to log in again. None there is none."""
        self._run("kick", mailbox, fine=(0, 68))  # EX_NOHOST of sysexits.h: nobody was there

    def count_anew(self, mailbox: str) -> None:
        """What the mailbox holds, for its quota."""
        self._run("quota", "recalc", "-u", mailbox)

    def _run(self, *words: str, fine: Sequence[int] = (0,)) -> str:
        done = subprocess.run([*self._words, *words], capture_output=True, text=True, timeout=_LONGEST, check=False)
        if done.returncode not in fine:
            raise DoveadmFailed(done.stderr.strip()[-1_500:] or f"doveadm ended with {done.returncode}")
        return done.stdout
