"""Forgetting connections by their marks and translations (ctnetlink: linux/netfilter/nfnetlink_conntrack.h).

Spoken by hand: the kernel's filter by mark must also be asked for mark 0, and
of thousands of entries only two fields are of interest.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from compiler.balancing.forgetting import Flush
from compiler.balancing.linux_marks import MASK

__all__ = ["Entry", "entries", "forget"]

_NETLINK_NETFILTER = 12
_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2
_REQUEST, _ACKNOWLEDGE, _DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_ORIGINAL, _REPLY, _MARK, _IDENTITY, _ZONE, _MARK_MASK = 1, 2, 8, 12, 18, 21
_TYPE = 0x3FFF  # without the bits for nested, and for octet order
_BUFFER = 1 << 18
_GONE = 2  # ENOENT: it ended by itself meanwhile


class Entry(NamedTuple):
    """A connection: its mark, where its answers go to, and what the kernel knows it by."""

    mark: int
    translated: int
    name: bytes


def entries(mark: int, mask: int = MASK) -> list[Entry]:
    """The IPv4 connections of this namespace whose mark, under the mask, is this one. OSError when refused."""
    with _connected() as sock:
        return _listed(sock, mark, mask)


def forget(flush: Flush) -> int:
    """Make the kernel forget what the flush takes; how many they were. OSError when it refuses."""
    marks = (*flush.marks, *(() if flush.address is None else (0,)))
    # One socket for all: closing one waits for the kernel's grace period, some 10 ms.
    with _connected() as sock:
        found = [entry for mark in marks for entry in _listed(sock, mark, MASK)]
        return sum(_removed(sock, entry) for entry in found if flush.takes(entry.mark, entry.translated))


def _listed(sock: socket.socket, mark: int, mask: int) -> list[Entry]:
    body = _attribute(_MARK, struct.pack("!I", mark)) + _attribute(_MARK_MASK, struct.pack("!I", mask))
    return [_entry(payload) for payload in _asked(sock, _GET, _DUMP, body)]


def _removed(sock: socket.socket, entry: Entry) -> bool:
    try:
        list(_asked(sock, _DELETE, _ACKNOWLEDGE, entry.name))
    except OSError as error:
        if error.errno != _GONE:
            raise
        return False
    return True


def _connected() -> socket.socket:
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
    sock.bind((0, 0))
    sock.settimeout(10)
    return sock


def _asked(sock: socket.socket, kind: int, flags: int, body: bytes) -> Iterator[bytes]:
    """The answers' attributes."""
    head = struct.pack("=IHHII", 20 + len(body), kind, _REQUEST | flags, 1, 0)
    sock.send(head + struct.pack("!BBH", socket.AF_INET, 0, 0) + body)
    while True:
        data = sock.recv(_BUFFER)
        position = 0
        while position < len(data):
            length, answer, _, _, _ = struct.unpack_from("=IHHII", data, position)
            payload = data[position + 16 : position + length]
            position += length + 3 & ~3
            if answer == _DONE:
                return
            if answer == _ERROR:
                number = -struct.unpack_from("=i", payload)[0]
                if number:
                    raise OSError(number, f"conntrack: errno {number}")
                return
            yield payload[4:]


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, position)
        yield kind & _TYPE, data[position + 4 : position + length]
        position += max(4, length + 3 & ~3)


def _entry(data: bytes) -> Entry:
    found = dict(_attributes(data))
    mark = struct.unpack("!I", found[_MARK])[0] if _MARK in found else 0
    ends = dict(_attributes(dict(_attributes(found[_REPLY]))[1]))
    name = _attribute(_ORIGINAL | 1 << 15, found[_ORIGINAL]) + _attribute(_IDENTITY, found[_IDENTITY])
    if _ZONE in found:
        name += _attribute(_ZONE, found[_ZONE])
    return Entry(mark, int.from_bytes(ends[2], "big"), name)
