"""Who may not log in any more sends nothing by a session from before: Postfix asks for a password once, at its start.

Dovecot ends its own sessions (``sessions``), and has no command for Postfix's, which has none either. Whom an open
connection belongs to Postfix tells nobody before it sends something. So, once the old password is taken no more, every
connection to the ports of submission that is open at that moment is kept, with the logins whose right has ended: only
those connections can have logged in by it. ``mail.limits`` ends one (421 of access(5)) when it sends as such a login.
Who logs in on a new connection is not concerned, and nobody else is on the old ones.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from appliance import durable

__all__ = ["KEPT", "EndedSubmissions", "end_submissions"]

KEPT = "ended-submissions.json"
"""In Dovecot's {state}, which stays when its {run} is emptied: sessions of SMTP do not end with Dovecot."""
_PORTS = frozenset({465, 587})
_OPEN = Path("/proc/self/net/tcp")
"""Postfix listens on IPv4 alone (inet_protocols)."""
_GONE = frozenset({"06", "0A"})
"""TIME_WAIT and LISTEN of proc(5): nobody's, or not yet anybody's."""
Client = tuple[str, int]
"""His address and port."""


def end_submissions(state: Path, names: frozenset[str]) -> None:
    """From now on these send nothing by the connections that are open now. What was kept of connections that are not
    there any more is forgotten. Raises OSError, ValueError."""
    there = _open_submissions(_OPEN.read_text(encoding="ascii"))
    groups = [(logins, clients & there) for logins, clients in _kept(state / KEPT)]
    if names:
        groups.append((names, there))
    told = [
        {"logins": sorted(logins), "clients": sorted(f"{address} {port}" for address, port in clients)}
        for logins, clients in groups
        if clients
    ]
    # Not secret: everybody on the machine sees who is connected. The limits read it as another user.
    durable.put(state / KEPT, f"{json.dumps(told)}\n".encode(), 0o644)


class EndedSubmissions:
    """What is kept, read anew when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._ended: Mapping[Client, frozenset[str]] = {}

    def has(self, login: str, address: str, port: str) -> bool:
        """Whether this login may not send by this connection. Raises OSError, ValueError: then nobody sends."""
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False
        seen = (now.st_ino, now.st_mtime_ns, now.st_size)
        if seen != self._seen:
            self._ended = _by_client(_kept(self._path))
            self._seen = seen
        return port.isdecimal() and login in self._ended.get((address, int(port)), frozenset())


def _by_client(groups: Iterable[tuple[frozenset[str], frozenset[Client]]]) -> Mapping[Client, frozenset[str]]:
    found: dict[Client, frozenset[str]] = {}
    for logins, clients in groups:
        for client in clients:
            found[client] = found.get(client, frozenset()) | logins
    return found


def _kept(path: Path) -> list[tuple[frozenset[str], frozenset[Client]]]:
    try:
        # The limits load nothing more, such as another encoding, once they have dropped root's rights.
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [
        (frozenset(map(str, one["logins"])), frozenset(_client(client) for client in one["clients"]))
        for one in json.loads(text)
    ]


def _client(text: str) -> Client:
    address, _blank, port = text.partition(" ")
    return address, int(port)


def _open_submissions(table: str) -> frozenset[Client]:
    """Who is connected, by the kernel's table (proc(5)): addresses are in the machine's own order of bytes."""
    lines = (line.split() for line in table.splitlines()[1:])
    ends = ((_end(words[1]), _end(words[2])) for words in lines if len(words) > 3 and words[3] not in _GONE)
    return frozenset(client for (_address, port), client in ends if port in _PORTS)


def _end(text: str) -> Client:
    address, _colon, port = text.partition(":")
    return socket.inet_ntoa(struct.pack("=I", int(address, 16))), int(port, 16)
