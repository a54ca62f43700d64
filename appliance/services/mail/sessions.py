"""Who may not log in any more does not stay logged in: sessions that are open end with the right to them.

Dovecot asks for a password once, at the login. An account that is suspended or removed, or whose password was changed,
because somebody else had it, would be read for as long as a client stays: for days, by IDLE (RFC 2177).
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from appliance import durable

__all__ = ["end_sessions", "ended_rights", "remember_rights"]

_KEPT = "rights.sha256"
"""In Dovecot's {state}: who may log in, and a digest of the password by which. It outlives Dovecot, as sessions of
SMTP do."""
_PASSWD = "../mail.passwords/passwd"
_LOOKS = 50
_PAUSE = 0.1
"""Seconds."""


def remember_rights(files: Path, state: Path) -> None:
    """Keep who may log in from now on."""
    lines = (f"{name} {digest}\n" for name, digest in sorted(_rights(files).items()))
    durable.put(state / _KEPT, "".join(lines).encode(), 0o600)


def ended_rights(files: Path, state: Path) -> frozenset[str]:
    """Who could log in when that was kept, and cannot any more, or by another password. Empty while nothing was kept:
    that is before the first start."""
    try:
        kept = (state / _KEPT).read_text(encoding="ascii")
    except FileNotFoundError:
        return frozenset()
    now = _rights(files)
    before = (line.partition(" ") for line in kept.splitlines())
    return frozenset(name for name, _blank, digest in before if now.get(name) != digest)


def end_sessions(files: Path, names: frozenset[str]) -> None:
    """End every session of theirs (doveadm-kick(1)): IMAP, POP3 and ManageSieve, and so what a web mail reads by them.

    A login that was just being answered by the password of before is seen by the second look. Raises SystemExit when
    one of them is still there after several seconds: the commit is then undone, and says so.
    """
    quiet = 0
    there: frozenset[str] = frozenset()
    for _look in range(_LOOKS if names else 0):
        there = names & _logged_in(files)
        for name in sorted(there):
            _doveadm(files, "kick", name)
        quiet = 0 if there else quiet + 1
        if quiet == 2:
            return
        time.sleep(_PAUSE)
    if there:
        raise SystemExit(f"the sessions of {', '.join(sorted(there))} do not end")


def _rights(files: Path) -> Mapping[str, str]:
    """Of each line the name and a digest of the hash; the quota behind it is no right."""
    # Opened as it is: the folder is a link, and ``..`` is of what it leads to.
    with open(f"{files}/{_PASSWD}", encoding="ascii") as file:
        fields = (line.split(":") for line in file)
        return {name: sha256(password.encode()).hexdigest() for name, password, *_ in fields}


def _logged_in(files: Path) -> frozenset[str]:
    said = _doveadm(files, "-f", "tab", "who")
    return frozenset(line.partition("\t")[0] for line in said.splitlines()[1:])


def _doveadm(files: Path, *words: str) -> str:
    """Nobody being there is no failure (EX_NOHOST of sysexits.h). Raises SystemExit."""
    command = ("/usr/bin/doveadm", "-c", f"{files}/dovecot.conf", *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 68}:
        raise SystemExit(f"who is logged in cannot be told or ended: {done.stderr.strip()}")
    return done.stdout
