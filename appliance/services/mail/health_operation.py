"""How mail stands, as root sees it: ``python -I -m … ACTION STATE FILES …``. Prints JSON.

``state``: disks, queue, virus signatures. ``log``: the last lines of a daemon,
without secrets. ``probe``: a test virus and a message that are really sent.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.services.mail.health_probing import probe
from appliance.services.mail.queue_page import Wanted, page_of
from appliance.services.mail.tracing_files import LOGS, lines_of

__all__ = ["main", "redacted_line"]

LONGEST = 600
"""Characters of one line."""
_SECRETS = re.compile(
    r"(?P<name>\b(?:pass(?:word)?|secret|token|key|authorization|resp)\b\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s,;]+)"
    r"|\{[A-Z0-9.-]+\}\$[^\s,]+"
    r"|(?P<auth>\bAUTH (?:PLAIN|LOGIN) )\S+",
    re.IGNORECASE,
)
_WITHIN = 10.0
"""Seconds for an answer of clamd."""


def main(words: Sequence[str]) -> int:
    """Do one action and print its answer."""
    action, state, files, *rest = words
    programs = Path(state).parent
    if action == "state":
        answer: Any = _state(programs, files, Path(rest[0]).parent)
    elif action == "log":
        answer = _log(programs, *rest)
    else:
        host, domain, postmaster = rest
        answer = probe(Path(files).parent / "mail.dovecot", host, domain, postmaster)
    print(json.dumps(answer))
    return 0


def _state(programs: Path, files: str, run: Path) -> Any:
    room = os.statvfs(programs)
    return {
        "room": room.f_frsize * room.f_bavail,
        "size": room.f_frsize * room.f_blocks,
        "files_left": room.f_favail,
        "queue": _queue(files),
        "signatures": _signatures(run / "mail.clamd" / "clamd.sock"),
        "logs": _logs(programs),
    }


def _queue(files: str) -> Any:
    wanted = Wanted(queue="all", search="", offset=0, count=1)
    try:
        with subprocess.Popen(["/usr/sbin/postqueue", "-c", files, "-j"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            page = page_of(process.stdout, wanted)
    except OSError:
        return None
    return page if process.returncode == 0 else None


def _signatures(path: Path) -> Any:
    """What clamd says of itself (clamd(8), VERSION), and how old its signatures are in days; None: it does not say."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
            one.settimeout(_WITHIN)
            one.connect(str(path))
            one.sendall(b"zVERSION\0")
            said = one.recv(1_024).rstrip(b"\0\n").decode("utf-8", "replace")
    except OSError:
        return None
    _engine, _number, made = [*said.split("/"), "", ""][:3]
    days = None
    with suppress(ValueError):
        moment = datetime.strptime(" ".join(made.split()), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        days = max(0, (datetime.now(UTC) - moment).days)
    return {"said": said[:200], "days": days}


def _logs(programs: Path) -> Any:
    octets = 0
    for program, name in LOGS.values():
        for path in (programs / program / "log").glob(f"{name}*"):
            with suppress(OSError):
                octets += path.lstat().st_size
    return octets


def _log(programs: Path, daemon: str, lines: str) -> Any:
    search = str(json.loads(sys.stdin.read() or '""')).casefold()
    if daemon in LOGS:
        program, name = LOGS[daemon]
        path = programs / program / "log" / name
    else:
        path = programs / ".log" / f"mail.{daemon}.log"
    last: deque[str] = deque(maxlen=int(lines))
    for line in lines_of(path):
        text = line.decode("utf-8", "replace").rstrip("\n")
        if not search or search in text.casefold():
            last.append(text)
    return [redacted_line(line) for line in last]


def redacted_line(line: str) -> str:
    """Without passwords, hashes of passwords, and what a client has said to log in."""
    return _SECRETS.sub(lambda found: f"{found['name'] or found['auth'] or ''}•••", line)[:LONGEST]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
