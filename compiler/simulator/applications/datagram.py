"""The payload of measured datagrams: whose flow, which number, when sent.

With these one-way delay, loss and reordering are known at the receiver. Both
ends of a lab share one clock.
"""

from __future__ import annotations

import struct
from typing import NamedTuple
from zlib import crc32

__all__ = ["SMALLEST", "Stamp", "flow_name", "pack", "unpack"]

_LAYOUT = struct.Struct("!IIQ")

SMALLEST = _LAYOUT.size
"""Octets that a measured datagram has at least."""


class Stamp(NamedTuple):
    """``flow`` tells flows apart, ``number`` counts from 0, ``moment`` is nanoseconds since the lab began."""

    flow: int
    number: int
    moment: int


def flow_name(token: str) -> int:
    """The number of a flow: CRC-32 of the client's token."""
    return crc32(token.encode())


def pack(stamp: Stamp, octets: int) -> bytes:
    """A payload of ``octets``, or of the smallest size that holds the stamp."""
    return _LAYOUT.pack(stamp.flow, stamp.number & 0xFFFFFFFF, stamp.moment).ljust(octets, b"\0")


def unpack(data: bytes | None) -> Stamp | None:
    """The stamp of a payload, or None."""
    if data is None or len(data) < SMALLEST:
        return None
    return Stamp(*_LAYOUT.unpack_from(data))
