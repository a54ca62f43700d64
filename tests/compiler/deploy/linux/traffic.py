"""TCP through the network of :mod:`uplinks`: a server that tells whom it sees, and clients that stay."""

from __future__ import annotations

import socket
import threading
import time

from compiler.fields import TCP
from tests.compiler.deploy.linux.uplinks import Uplinks

__all__ = ["Server", "connect", "says"]

LINES = {"10.1.0.2": "line1", "10.2.0.2": "line2"}


class Server:
    """Tells each client the line it came by, and echoes; as a context manager."""

    def __init__(self, network: Uplinks, port: int = 7000) -> None:
        with network.nodes["server"].inside():
            self._listening = socket.create_server(("0.0.0.0", port), backlog=64)
        self._threads: list[threading.Thread] = []
        self._served: list[socket.socket] = []

    def __enter__(self) -> Server:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for served in self._served:
            served.close()

    def _accept(self) -> None:
        while True:
            try:
                served, peer = self._listening.accept()
            except OSError:
                return
            self._served.append(served)
            threading.Thread(target=self._serve, args=(served, peer[0]), daemon=True).start()

    def _serve(self, served: socket.socket, peer: str) -> None:
        try:
            served.sendall(f"{LINES.get(peer, peer)}\n".encode())
            while data := served.recv(4096):
                served.sendall(data)
        except OSError:
            pass


def connect(network: Uplinks, host: str = "198.51.100.9", seconds: float = 8) -> tuple[socket.socket, str]:
    """A connection from the client, and the line that the server saw it come by."""
    with network.nodes["client"].inside():
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, TCP)
    made.settimeout(seconds)
    try:
        made.connect((host, 7000))
        return made, made.recv(64).decode().strip()
    except BaseException:
        made.close()
        raise


def says(connection: socket.socket, word: bytes = b"hello", seconds: float = 8) -> str:
    """``echoed``, ``silent``, or what came of it: ``reset``."""
    connection.settimeout(seconds)
    try:
        connection.sendall(word)
        end, got = time.monotonic() + seconds, b""
        while len(got) < len(word) and time.monotonic() < end:
            part = connection.recv(4096)
            if not part:
                return "closed"
            got += part
        return "echoed"
    except TimeoutError:
        return "silent"
    except ConnectionError:
        return "reset"
