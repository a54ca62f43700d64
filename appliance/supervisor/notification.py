"""The socket of sd_notify(3): how a program says itself that it is ready."""

from __future__ import annotations

import array
import asyncio
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

__all__ = ["Notification"]

_CREDENTIALS = struct.Struct("3i")
"""pid, uid, gid of unix(7)."""
_HANDLES = 16


class Notification:
    """One program's socket. Messages of processes that are not the program's are dropped."""

    def __init__(self, path: Path, belongs: Callable[[int], bool]) -> None:
        self.ready = asyncio.Event()
        self.reloading = False
        self.says = ""
        """The last STATUS."""
        self._path = path
        self._belongs = belongs
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._socket.bind(str(path))
            # The program runs as another user; who wrote is read from the credentials that the kernel adds.
            path.chmod(0o666)
            asyncio.get_running_loop().add_reader(self._socket, self._read)
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Remove the socket."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        space = socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(_HANDLES * 4)
        try:
            message, extras, _, _ = self._socket.recvmsg(4_096, space)
        except OSError:
            return
        sender = 0
        for level, kind, data in extras:
            if level != socket.SOL_SOCKET:
                continue
            if kind == socket.SCM_CREDENTIALS and len(data) >= _CREDENTIALS.size:
                sender = _CREDENTIALS.unpack_from(data)[0]
            elif kind == socket.SCM_RIGHTS:
                # A descriptor comes with FDSTORE and BARRIER; closing it is the answer to a barrier.
                handles = array.array("i", data[: len(data) - len(data) % 4])
                for handle in handles:
                    os.close(handle)
        if sender and self._belongs(sender):
            self._take(message.decode(errors="replace"))

    def _take(self, text: str) -> None:
        for line in text.splitlines():
            match line.partition("="):
                case ("READY", _, "1"):
                    self.reloading = False
                    self.ready.set()
                case ("RELOADING", _, "1"):
                    self.reloading = True
                    self.ready.clear()
                case ("STATUS", _, says):
                    self.says = says[:500]
