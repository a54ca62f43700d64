"""Interfaces: names that Linux takes, link addresses, and frames as they are on the wire."""

from __future__ import annotations

import ctypes
import fcntl
import re
import socket
import struct
from collections.abc import Iterable

__all__ = ["kernel_names", "link_address", "wire_frames"]

_LONGEST = 15
_PLAIN = re.compile(r"[^\s\x00-\x1f/:%]{1,15}")
_RESERVED = frozenset({"lo", "all", "default", ".", ".."})

_SIOCETHTOOL = 0x8946
_OFFLOADS = {
    "receive checksum": 0x15,
    "transmit checksum": 0x17,
    "scatter/gather": 0x19,
    "TCP segmentation": 0x1F,
    "generic segmentation": 0x24,
    "generic receive": 0x2C,
}
"""ETHTOOL_SRXCSUM … of linux/ethtool.h."""


def kernel_names(names: Iterable[str]) -> dict[str, str]:
    """The device's name of each interface to Linux's: the same where it can be, else ``ifN``."""
    wanted = list(names)
    taken = {name for name in wanted if _is_possible(name)}
    made = {}
    for number, name in enumerate(wanted):
        if name in taken:
            made[name] = name
            continue
        choice = f"if{number}"
        while choice in taken:
            choice += "x"
        taken.add(choice)
        made[name] = choice
    return made


def _is_possible(name: str) -> bool:
    return bool(_PLAIN.fullmatch(name)) and len(name.encode()) <= _LONGEST and name not in _RESERVED


def link_address(node: int, interface: int) -> str:
    """A locally administered Ethernet address that tells node and interface by their numbers."""
    octets = (0x02, 0x47, node >> 8 & 0xFF, node & 0xFF, interface >> 8 & 0xFF, interface & 0xFF)
    return ":".join(f"{octet:02x}" for octet in octets)


def wire_frames(interface: str) -> None:
    """In this thread's namespace: real checksums, and no segment larger than a frame, as on the wire."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _OFFLOADS.values():
            value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
            request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(value))
            try:
                fcntl.ioctl(control, _SIOCETHTOOL, request)
            except OSError:
                continue  # this device has no such offload
