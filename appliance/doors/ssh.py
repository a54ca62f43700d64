"""The SSH door: OpenSSH lets the holder of a key have the console, and nothing else.

The daemon stands behind its own socket and its own login; sshd only carries the
terminal. Two ways, which can be used together: a ``Match User`` block for sshd
(sshd_config(5)), or a line of ``authorized_keys`` with ``restrict`` and a forced
command (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from appliance.data import data
from compiler.errors import UsageError

__all__ = ["authorized_line", "console_command", "sshd_configuration"]

KEY = re.compile(
    r"(?:sk-)?(?:ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa)(?:@openssh\.com)? [A-Za-z0-9+/]+={0,3}"
)


def console_command(program: Path, socket: Path | None = None) -> str:
    """The forced command: the console of this installation, on this daemon. Raises UsageError.

    ``GERBANG_LIMITED`` tells the console that whoever types is not the user it
    runs as: no files of that user are opened or written, and the size of the
    terminal is bounded.
    """
    for path in (program, socket):
        if path is not None and not (path.is_absolute() and str(path).isprintable()):
            raise UsageError(f"{str(path)!r}: an absolute path is expected")
    words = [
        "/usr/bin/env",
        "GERBANG_LIMITED=1",
        str(program),
        "console",
        *(["--socket", str(socket)] if socket else []),
    ]
    return shlex.join(words)


def authorized_line(key: str, command: str) -> str:
    """The line of ``authorized_keys`` for a public key. Raises UsageError for a text that is no key."""
    kept = key.strip()
    if not re.fullmatch(rf"{KEY.pattern}(?: [^\x00-\x1f\x7f]*)?", kept):
        raise UsageError("a public key is one line: its kind, its base64 text, and a comment")
    quoted = command.replace("\\", "\\\\").replace('"', '\\"')
    return f'restrict,pty,command="{quoted}" {kept}'


def sshd_configuration(user: str, keys: Path, command: str) -> str:
    """A file for ``/etc/ssh/sshd_config.d``. Raises UsageError for a name that sshd would read as a pattern."""
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", user):
        raise UsageError(f"{user!r} is no name of a user")
    if not keys.is_absolute() or not re.fullmatch(r"[!-~]+", str(keys)) or '"' in str(keys):
        raise UsageError(f"{str(keys)!r}: an absolute path without blanks is expected")
    environment = Environment(
        loader=FileSystemLoader(data("templates/ssh")), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template("gerbang.conf.j2").render(
        user=user, keys=str(keys).replace("%", "%%"), command=command
    )
