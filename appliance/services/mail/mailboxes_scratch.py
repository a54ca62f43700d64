"""A real Dovecot on a restored mailbox, in namespaces of its own: log in, and count what a reader would see.

It has a network in which nobody else is, its own process numbers and an empty
``/run``; the mailbox that it serves is the staged copy. A password is made for it.
"""

from __future__ import annotations

import fcntl
import imaplib
import json
import re
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from appliance.services.mail.versions import dovecot_series

__all__ = ["ScratchFailed", "main", "seen_by_a_reader"]

PORT = 10143
_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_WITHIN = 60.0
"""Seconds until it serves."""
_LONGEST = 1_700.0
_BATCH = 500
_PLACE = Path("/run/gerbang-scratch")
_MARK = "gerbang scratch: "
_COMMON = """\
base_dir = {place}/run
state_dir = {place}/state
log_path = {place}/log
mail_home = {home}
first_valid_uid = 1
first_valid_gid = 1
ssl = no
default_internal_user = dovecot
default_login_user = dovenull
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
}}
"""
_SERIES = {
    "2.3": """\
protocols = imap
listen = 127.0.0.1
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
mail_uid = {uid}
mail_gid = {gid}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}
}}
""",
    "2.4": """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols {{
  imap = yes
}}
listen = 127.0.0.1
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
mail_uid = {uid}
mail_gid = {gid}
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {home}
  }}
}}
""",
}
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
"""SIOCGIFFLAGS, SIOCSIFFLAGS and IFF_UP of netdevice(7)."""


class ScratchFailed(Exception):
    """The daemon did not come up, or did not serve the mailbox."""


def seen_by_a_reader(home: Path, owner: tuple[int, int]) -> dict[str, Counter[str]]:
    """The Message-IDs of each folder (as it is called on the disk) as IMAP tells them. Raises ScratchFailed."""
    unshare = shutil.which("unshare", path=_SEARCH) or "unshare"
    namespaces = ("--net", "--mount", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
    words = (unshare, *namespaces, "--", sys.executable, "-I", "-m", __name__, str(home), *map(str, owner))
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired as error:
        raise ScratchFailed("the mailbox was not read within the time") from error
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            told = json.loads(line.removeprefix(_MARK))
            return {folder: Counter(ids) for folder, ids in told.items()}
    raise ScratchFailed((done.stderr or done.stdout).strip()[-2_000:] or f"it ended with {done.returncode}")


def main(words: Sequence[str]) -> int:
    """Inside the namespaces."""
    home, uid, gid = words
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    _loopback_up()
    _PLACE.mkdir()
    password = secrets.token_hex(16)
    given = {"place": _PLACE, "home": home, "uid": uid, "gid": gid, "password": password, "port": PORT}
    configuration = _PLACE / "dovecot.conf"
    configuration.touch(mode=0o600)
    # 2.4 wants its version on the first line.
    configuration.write_text((_SERIES[dovecot_series()] + _COMMON).format(**given), encoding="utf-8")
    dovecot = shutil.which("dovecot", path=_SEARCH) or "dovecot"
    process = subprocess.Popen([dovecot, "-F", "-c", str(configuration)])
    try:
        reader = _connected(process)
        reader.login("restored", password)
        print(_MARK + json.dumps(_read(reader)), flush=True)
        with suppress(OSError, imaplib.IMAP4.error):
            reader.logout()
    except (OSError, imaplib.IMAP4.error) as error:
        log = _PLACE / "log"
        said = log.read_text(encoding="utf-8", errors="replace")[-1_500:] if log.exists() else ""
        print(f"{error}\n{said}", file=sys.stderr)
        return 1
    finally:
        process.terminate()
        process.wait()
    return 0


def _connected(process: subprocess.Popen[bytes]) -> imaplib.IMAP4:
    end = time.monotonic() + _WITHIN
    while True:
        try:
            return imaplib.IMAP4("127.0.0.1", PORT, timeout=_WITHIN)
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.02)


_LISTED = re.compile(rb'\((?P<flags>[^)]*)\) (?:"[^"]*"|NIL) "?(?P<name>[^"]*)"?$')


def _read(reader: imaplib.IMAP4) -> dict[str, list[str]]:
    """Each folder's Message-IDs. Dovecot's modified UTF-7 is the spelling on the disk too."""
    seen: dict[str, list[str]] = {}
    for line in reader.list()[1]:
        found = _LISTED.match(line) if isinstance(line, bytes) else None
        if found is None or b"\\noselect" in found["flags"].lower() or b"\\nonexistent" in found["flags"].lower():
            continue
        name = found["name"].decode("ascii")
        ids = _ids(reader, name)
        folder = "" if name.upper() == "INBOX" else "." + name.replace("/", ".")
        seen[folder] = ids
    return seen


def _ids(reader: imaplib.IMAP4, name: str) -> list[str]:
    answer, told = reader.select(f'"{name}"', readonly=True)
    if answer != "OK":
        raise OSError(f"the folder {name} cannot be opened")
    count = int(told[0] or b"0")
    ids: list[str] = []
    for first in range(1, count + 1, _BATCH):
        part = f"{first}:{min(count, first + _BATCH - 1)}"
        _answer, lines = reader.fetch(part, "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
        ids.extend(_header(line) for line in lines if isinstance(line, tuple))
    return ids


def _header(line: tuple[Any, ...]) -> str:
    return "".join(bytes(line[1]).decode("utf-8", "replace").partition(":")[2].split())


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        (flags,) = struct.unpack_from("H", fcntl.ioctl(one, _GET_FLAGS, struct.pack("16sH22x", b"lo", 0)), 16)
        fcntl.ioctl(one, _SET_FLAGS, struct.pack("16sH22x", b"lo", flags | _UP))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
