"""Many static neighbours at once: a segment of a hundred hosts has ten thousand pairs, too many to ask for singly."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable

from compiler.fields import Family
from labs.kernel.namespaces import Namespace

__all__ = ["FAMILIES", "PERMANENT", "set_neighbours"]

FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
PERMANENT = 0x80  # NUD_PERMANENT

_NEW_NEIGHBOUR = 28  # RTM_NEWNEIGH
_REQUEST_ACKNOWLEDGE_REPLACE_CREATE = 0x1 | 0x4 | 0x100 | 0x400
_DESTINATION, _LINK_ADDRESS = 1, 2  # NDA_DST, NDA_LLADDR
_HEADER = struct.Struct("=IHHII")
_BODY = struct.Struct("=BxHiHBB")
_ERROR = 2  # NLMSG_ERROR, also of an acknowledgement
_AT_ONCE = 200


def set_neighbours(namespace: Namespace, interface: int, entries: Iterable[tuple[Family, int, str]]) -> None:
    """Make family, address and link address of each entry known on the interface, for good (rtnetlink(7)).

    OSError when the kernel refuses one.
    """
    messages = [_message(interface, *entry) for entry in entries]
    with namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as one:
        one.setblocking(True)
        for start in range(0, len(messages), _AT_ONCE):
            batch = messages[start : start + _AT_ONCE]
            one.sendall(b"".join(batch))
            _take_acknowledgements(one, len(batch))


def _message(interface: int, family: Family, address: int, link_address: str) -> bytes:
    body = _BODY.pack(FAMILIES[family], 0, interface, PERMANENT, 0, 0)
    body += _attribute(_DESTINATION, address.to_bytes(family.width // 8, "big"))
    body += _attribute(_LINK_ADDRESS, bytes.fromhex(link_address.replace(":", "")))
    return _HEADER.pack(_HEADER.size + len(body), _NEW_NEIGHBOUR, _REQUEST_ACKNOWLEDGE_REPLACE_CREATE, 1, 0) + body


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def _take_acknowledgements(one: socket.socket, expected: int) -> None:
    while expected:
        answer = one.recv(1 << 16)
        position = 0
        while position < len(answer):
            length, kind, _, _, _ = _HEADER.unpack_from(answer, position)
            if kind == _ERROR:
                (number,) = struct.unpack_from("=i", answer, position + _HEADER.size)
                if number:
                    raise OSError(-number, f"a neighbour: {os.strerror(-number)}")
                expected -= 1
            position += (length + 3) & ~3
