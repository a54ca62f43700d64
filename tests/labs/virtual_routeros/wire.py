"""A client that speaks the API word by word, for what the library cannot say."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from labs.virtual_routeros.clocks import ManualClock
from labs.virtual_routeros.device import Description, Device
from labs.virtual_routeros.sentences import Decoder, encode_sentence
from labs.virtual_routeros.server import Server

__all__ = ["Wire", "connected", "device", "served"]


def device(version: str = "7.18.2", **more: object) -> Device:
    """A router whose clock stands still."""
    return Device(Description(version, users={"admin": "secret"}, **more), ManualClock())  # type: ignore[arg-type]


@contextmanager
def served(version: str = "7.18.2", tls: ssl.SSLContext | None = None, **more: object) -> Iterator[Server]:
    """A router that can be reached."""
    with Server(device(version, **more), tls=tls) as server:
        yield server


class Wire:
    """One connection."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(server.address, timeout=5)
        self._decoder = Decoder()
        self._heard: list[list[str]] = []

    def send(self, *words: str) -> None:
        self.socket.sendall(encode_sentence([word.encode() for word in words]))

    def hear(self) -> list[str]:
        """The next sentence; an empty one when the connection is over."""
        while not self._heard:
            try:
                octets = self.socket.recv(4096)
            except ConnectionResetError:
                octets = b""
            if not octets:
                return []
            self._heard += [[word.decode() for word in one] for one in self._decoder.feed(octets)]
        return self._heard.pop(0)

    def ask(self, *words: str) -> list[list[str]]:
        """All sentences up to ``!done``, ``!fatal`` or the end."""
        self.send(*words)
        found = []
        while sentence := self.hear():
            found.append(sentence)
            if sentence[0] in ("!done", "!fatal"):
                break
        return found

    def login(self) -> None:
        assert self.ask("/login", "=name=admin", "=password=secret") == [["!done"]]


@contextmanager
def connected(server: Server, *, login: bool = True) -> Iterator[Wire]:
    """A connection, logged in."""
    wire = Wire(server)
    try:
        if login:
            wire.login()
        yield wire
    finally:
        wire.socket.close()
