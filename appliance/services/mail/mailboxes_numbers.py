"""The numbers of IMAP (UIDs) of a mailbox that comes back where nothing is any more.

Each client then finds the messages that it has under the numbers by which it has them, and a POP3 client, whose UIDLs
are made from them, does not fetch everybody's mail once more. Two things that a number may not do (RFC 9051 section
2.3.1.1) Dovecot is told of: what came after the snapshot and is lost had numbers too, which no other message may get;
and no change may have a lower mod-sequence than a client has seen (RFC 7162 section 3.1).

Where a mailbox is there, the restored one gets new numbers under a new UIDVALIDITY instead, and its clients read it
anew: what their reader has removed comes back, and by its old number many a client would take it for known and gone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from appliance.services.mail.versions import dovecot_series

__all__ = ["UIDVALIDITIES", "forget_numbers", "keep_numbers"]

UIDVALIDITIES = "dovecot-uidvalidity"
"""Begins the names of the files by which Dovecot gives new folders their UIDVALIDITY. Never kept: a folder that was
made after the snapshot had the next one, and without them it takes the time."""
_LOST = 1 << 20
"""Numbers that are left out: more than the messages that came to one folder since the snapshot."""
_HIGHEST = 1 << 31
"""A number has 32 bits; no client is near the end."""
_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LONGEST = 1_700.0
"""Seconds."""
_SETTINGS = {
    "2.3": "mail_location = maildir:{home}/Maildir\n",
    "2.4": (
        "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"
        "mail_driver = maildir\nmail_path = {home}/Maildir\n"
    ),
}
_NOBODYS: dict[str, tuple[str, ...]] = {"2.3": (), "2.4": ("--no-userdb-lookup",)}
"""2.4 asks whose mailbox it is to be, and wants to be told when it is who runs doveadm (doveadm-mailbox(1))."""
_COMMON = """\
first_valid_uid = 1
first_valid_gid = 1
ssl = no
log_path = /dev/stderr
stats_writer_socket_path =
namespace inbox {
  inbox = yes
  separator = /
}
"""


def keep_numbers(home: Path, owner: tuple[int, int]) -> bool:
    """Make the numbers of a staged home fit to go on with; False when Dovecot cannot: then they are forgotten, and the
    messages get new ones. ``owner``: who does it, for whom the files are."""
    configuration = home.with_name(f"{home.name}.conf")
    try:
        # 2.4 wants its version on the first line.
        configuration.write_text(_SETTINGS[dovecot_series()].format(home=home) + _COMMON, encoding="utf-8")
        configuration.chmod(0o644)
        for folder, following in _next_numbers(configuration, home, owner).items():
            if following + _LOST >= _HIGHEST:
                raise ValueError(f"the numbers of {folder} come to their end")
            # More than any change that anybody has seen: nobody makes so many in a second.
            words = ("--min-next-uid", str(following + _LOST), "--min-highest-modseq", str(int(time.time()) << 16))
            _mailbox(configuration, home, owner, "update", *words, folder)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        forget_numbers(home)
        return False
    finally:
        configuration.unlink(missing_ok=True)
    return True


def forget_numbers(home: Path) -> None:
    """Of a staged home: all that Dovecot has written beside the messages. It makes it anew."""
    for folder, _folders, files in os.walk(home / "Maildir"):
        for name in files:
            if name.startswith(("dovecot-uidlist", UIDVALIDITIES, "dovecot.index", "dovecot.list.index")):
                (Path(folder) / name).unlink(missing_ok=True)


def _next_numbers(configuration: Path, home: Path, owner: tuple[int, int]) -> dict[str, int]:
    said = _mailbox(configuration, home, owner, "status", "uidnext", "*")
    return {one["mailbox"]: int(one["uidnext"]) for one in json.loads(said)}


def _mailbox(configuration: Path, home: Path, owner: tuple[int, int], word: str, *words: str) -> str:
    """What ``doveadm mailbox WORD`` says, in JSON. Raises OSError, SubprocessError."""
    doveadm = shutil.which("doveadm", path=_SEARCH) or "doveadm"
    uid, gid = owner
    done = subprocess.run(
        [doveadm, "-c", str(configuration), "-f", "json", "mailbox", word, *_NOBODYS[dovecot_series()], *words],
        env={"PATH": _SEARCH, "USER": "restored", "HOME": str(home)},
        user=uid,
        group=gid,
        extra_groups=[],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=True,
    )
    return done.stdout
