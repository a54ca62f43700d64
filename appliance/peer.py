"""Who is at the other end of a UNIX socket, as the kernel knows it."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

__all__ = ["Peer", "peer_of"]

_CREDENTIALS = struct.Struct("3i")
"""``struct ucred`` of unix(7): process, user, group."""


class Peer(NamedTuple):
    """Who has connected: what it was at that moment, whatever it has become since."""

    process: int
    user: int
    group: int


def peer_of(connected: socket.socket) -> Peer:
    """SO_PEERCRED of unix(7). Raises OSError for a socket that is closed or no UNIX one."""
    return Peer(*_CREDENTIALS.unpack(connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)))
