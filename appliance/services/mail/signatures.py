"""Puts our own signatures beside freshclam's and becomes clamd: ``python -m appliance.services.mail.signatures``.

clamd reads one folder only, that of freshclam(1), and looks there for what is
new. What freshclam has fetched from the internet may be missing; ours are
always there, so that a machine without a way out refuses the test file too.
"""

from __future__ import annotations

import grp
import os
import pwd
import secrets
import shutil
import sys
from pathlib import Path

__all__ = ["NAME", "main", "put_beside"]

NAME = "gerbang.ndb"
"""What ours are called in that folder; freshclam touches only files of its own names."""


def put_beside(signatures: Path, folder: Path, user: str) -> None:
    """Copy the file into the folder in one step, as the user, who owns the folder and might lay traps for root there.

    The folder is made when it is not there. Raises OSError, and KeyError when
    there is no such user.
    """
    content = signatures.read_bytes()
    entry = pwd.getpwnam(user)
    made = not folder.exists()
    if made:
        folder.mkdir(mode=0o755)
    if os.geteuid() == 0:
        if made:
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        os.setegid(entry.pw_gid)
        os.seteuid(entry.pw_uid)
    try:
        fresh = folder / f".{NAME}.{secrets.token_hex(8)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        fresh.replace(folder / NAME)
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
            os.setegid(0)


def main(words: list[str]) -> None:
    """``SIGNATURES FOLDER USER GROUP RUN CONFIGURATION``: does not return when all is well. ``RUN`` becomes the user's.

    clamd runs as the user and may give its socket to the group (``LocalSocketGroup``), which one may that is in it.
    """
    signatures, folder, user, group, run, configuration = words
    put_beside(Path(signatures), Path(folder), user)
    if os.geteuid() == 0:
        shutil.chown(run, user)
        entry = pwd.getpwnam(user)
        os.setgroups([entry.pw_gid, grp.getgrnam(group).gr_gid])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    os.execv("/usr/sbin/clamd", ["clamd", f"--config-file={configuration}"])


if __name__ == "__main__":
    main(sys.argv[1:])
