"""A configuration that nobody is writing any more.

Postfix waits, 0.3 s at a time, while ``main.cf`` or a texthash table is younger than about a second, in case somebody
is just saving it (``dict_load_file_xt`` and ``dict_thash_open``): each of its processes and tools does. A generation is
written once and whole, so its copies are dated back, and nobody waits.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["date_back"]

ENOUGH = 60.0
"""Seconds."""


def date_back(files: Path) -> None:
    """Postfix's files and the tables beside them. Where they may not be changed, Postfix waits."""
    old = time.time() - ENOUGH
    # As it is written: the folder is a link, and ``..`` is of what it leads to.
    for folder in (f"{files}", f"{files}/../mail.accounts"):
        with suppress(OSError):
            for entry in os.scandir(folder):
                if entry.stat(follow_symlinks=False).st_mtime > old:
                    os.utime(entry.path, (old, old), follow_symlinks=False)
