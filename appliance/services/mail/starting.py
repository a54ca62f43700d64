"""Makes the folders that a daemon does not make for itself, and becomes the daemon.

``python -I -m appliance.services.mail.starting postfix FILES STATE RUN``. Reloads are here too: what a signal alone
does is too little for Postfix and too much for Dovecot.
"""

from __future__ import annotations

import grp
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from appliance import durable
from appliance.services.mail.aging import date_back
from appliance.services.mail.sessions import end_sessions, ended_rights, remember_rights
from appliance.services.mail.submissions import end_submissions

__all__ = ["main"]

OWNER = "gerbang-mail"
FILTERS = "+filters"
"""As in the rendered configurations (``rendering.FILTERS_LOGIN``)."""
_RUNNING = "running.sha256"
"""In Dovecot's {run}: of the configuration that it runs on."""
_SIEVEC = "/usr/bin/sievec"


def main(words: Sequence[str]) -> None:
    """Start or reload one of the two daemons. Raises SystemExit with words."""
    action, *folders = words
    start = {
        "postfix": _start_postfix,
        "postfix-reload": _reload_postfix,
        "dovecot": _start_dovecot,
        "dovecot-reload": _reload_dovecot,
    }
    start[action](*(Path(folder) for folder in folders))


def _start_postfix(files: Path, state: Path, run: Path) -> NoReturn:
    """What ``postfix start-fg`` does, but for its shell: that would stay above the master, and signals of the
    supervisor would reach the shell alone. The queue is looked through first, and its folders are made."""
    _postfix_folders(state)
    date_back(files)
    if subprocess.run(["/usr/sbin/postfix", "-c", str(files), "check"], check=False).returncode != 0:
        raise SystemExit("postfix check refuses the configuration")
    words = ["/usr/sbin/postconf", "-c", str(files), "-h", "daemon_directory"]
    folder = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    os.execv(f"{folder}/master", ["master", "-s", "-c", str(files)])


def _reload_postfix(files: Path, state: Path, run: Path) -> None:
    """What ``postfix reload`` does beside is to look through the queue for files out of place (postfix-script)."""
    date_back(files)
    _hang_up(state / "queue" / "pid" / "master.pid")


def _start_dovecot(files: Path, state: Path, run: Path) -> NoReturn:
    _dovecot_folders(state)
    _compile(files, state)
    (run / _RUNNING).write_text(_digest(files), encoding="ascii")
    # Nobody reads mail yet; but who was logged in to send it before Dovecot went is so still.
    end_submissions(state, ended_rights(files, state))
    remember_rights(files, state)
    os.execv("/usr/sbin/dovecot", ["dovecot", "-F", "-c", f"{files}/dovecot.conf"])


def _reload_dovecot(files: Path, state: Path, run: Path) -> None:
    """Passwords are read anew by themselves, once those that are remembered are forgotten. A whole reload starts all
    processes anew, so it is kept for a new configuration or certificate. Who lost his right is logged out by both."""
    _compile(files, state)
    ended = ended_rights(files, state)
    kept, digest = run / _RUNNING, _digest(files)
    same = kept.is_file() and kept.read_text(encoding="ascii") == digest
    if not (_forgotten(files) and same):
        _hang_up(run / "master.pid")
        kept.write_text(digest, encoding="ascii")
    end_submissions(state, ended)
    end_sessions(files, ended)
    remember_rights(files, state)


def _forgotten(files: Path) -> bool:
    """Whether the passwords that Dovecot remembers are forgotten."""
    # Dovecot looks at the file once in a second of the clock (``passwd_file_sync``): in that of the change it may
    # answer from the old one still, and would remember that for an hour.
    time.sleep(max(0.0, int(_changed(files)) + 1.02 - time.time()))
    words = ["/usr/bin/doveadm", "-c", f"{files}/dovecot.conf", "auth", "cache", "flush"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"a whole reload, for the passwords could not be forgotten: {done.stderr.strip()}", file=sys.stderr)
    return done.returncode == 0


def _changed(files: Path) -> float:
    """When the link to the files was switched, which is a little while ago; now, when there is no such link."""
    now = time.time()
    return min(files.lstat().st_ctime, now) if files.is_symlink() else now


def _digest(files: Path) -> str:
    """Of all that Dovecot reads once."""
    found = sha256()
    for name in ("dovecot.conf", "quota-warning", "../certificates.mail/fullchain.pem", "../certificates.mail/key.pem"):
        # As it is written: the folder is a link, and ``..`` is of what it leads to.
        # What is not there is Dovecot's to complain of.
        with suppress(FileNotFoundError), open(f"{files}/{name}", "rb") as file:
            found.update(sha256(file.read()).digest())
    return found.hexdigest()


def _hang_up(path: Path) -> None:
    try:
        os.kill(int(path.read_text(encoding="ascii")), signal.SIGHUP)
    except (OSError, ValueError) as error:
        raise SystemExit(f"the daemon of {path} cannot be told to reload: {error}") from None


def _postfix_folders(state: Path) -> None:
    postfix = pwd.getpwnam("postfix")
    _folder(state / "queue", 0o755)
    _folder(state / "data", 0o700, postfix)
    _folder(state / "log", 0o750)


def _dovecot_folders(state: Path) -> None:
    try:
        owner = pwd.getpwnam(OWNER)
    except KeyError:
        raise SystemExit(f"there is no user {OWNER}") from None
    _folder(state / "state", 0o755)
    _folder(state / "log", 0o750)
    _folder(state / "sieve", 0o755)
    _folder(state / "mail", 0o700, owner)
    _folder(state / "filters", 0o755)
    _login_of_filters(state / "filters", owner)


def _login_of_filters(folder: Path, owner: pwd.struct_passwd) -> None:
    """A password that nobody knows but the owner of the mailboxes, made once: for AUTH PLAIN (RFC 4616), and Dovecot's
    entry of it."""
    login, passwd = folder / "login", folder / "passwd"
    if not (login.is_file() and passwd.is_file()):
        for half in (login, passwd):
            half.unlink(missing_ok=True)
        password = secrets.token_hex(32)
        # It has 256 bits: a hash that is slow would protect nothing.
        hashed = b64encode(sha256(password.encode()).digest()).decode()
        durable.write(passwd, f"{FILTERS}:{{SHA256}}{hashed}::::::\n".encode(), 0o640)
        durable.write(login, b64encode(f"\0{FILTERS}\0{password}".encode()) + b"\n", 0o400)
    os.chown(passwd, 0, grp.getgrnam("dovecot").gr_gid)
    os.chown(login, owner.pw_uid, owner.pw_gid)
    # Dovecot 2.4 delivers, and calls sendmail, as root without a right over files of others, but in the owner's group.
    login.chmod(0o440)


def _folder(path: Path, mode: int, owner: pwd.struct_passwd | None = None) -> None:
    """The parent is root's own, so nobody puts a link in its place."""
    path.mkdir(mode=mode, exist_ok=True)
    os.chown(path, owner.pw_uid if owner else 0, owner.pw_gid if owner else 0, follow_symlinks=False)
    path.chmod(mode)


def _compile(files: Path, state: Path) -> None:
    """The script for all, with its binary beside it: a delivering process would compile it anew for each message."""
    source, kept = files / "spam.sieve", state / "sieve" / "spam.sieve"
    binary = kept.with_suffix(".svbin")
    text = source.read_bytes()
    if kept.is_file() and binary.is_file() and kept.read_bytes() == text:
        return
    kept.unlink(missing_ok=True)
    durable.write(kept, text, 0o644)
    done = subprocess.run(
        [_SIEVEC, "-c", str(files / "dovecot.conf"), str(kept), str(binary)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"sievec refuses {source.name}: {done.stderr.strip()}")
    shutil.chown(binary, 0, 0)
    binary.chmod(0o644)


if __name__ == "__main__":
    main(sys.argv[1:])
