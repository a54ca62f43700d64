"""TCP options (RFC 9293, 3.2; RFC 2018; RFC 7323): reading them, and writing them as Linux lays them out."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

__all__ = [
    "SynOptions",
    "read_blocks_and_timestamps",
    "read_syn",
    "read_timestamps",
    "write_blocks",
    "write_syn",
    "write_timestamps",
]

_END, _NOTHING, _SEGMENT, _SCALE, _SELECTIVE, _BLOCKS, _TIMESTAMPS = 0, 1, 2, 3, 4, 5, 8
_PAIR = Struct(">II")
_TIMES = Struct(">III").pack
_TIMESTAMPS_ALONE = 0x0101080A
"""Two no-operations and the head of the timestamps, which is how nearly every segment's options begin."""

_read_times = Struct(">III").unpack


class SynOptions(NamedTuple):
    """What a SYN offers. ``scale`` and ``timestamp`` are None where it does not."""

    segment: int | None = None
    """Largest payload in octets that the sender of the SYN takes, options included (MSS)."""
    scale: int | None = None
    selective: bool = False
    timestamp: int | None = None


def _fields(options: bytes) -> list[tuple[int, bytes]]:
    """Kind and value of each option up to the end of the list, or up to where it is malformed."""
    found = []
    place = 0
    while place < len(options):
        kind = options[place]
        if kind == _END:
            break
        if kind == _NOTHING:
            place += 1
            continue
        length = options[place + 1] if place + 1 < len(options) else 0
        if length < 2 or place + length > len(options):
            break
        found.append((kind, options[place + 2 : place + length]))
        place += length
    return found


def read_syn(options: bytes) -> SynOptions:
    """What the options of a SYN offer; a scale above 14 counts as 14 (RFC 7323, 2.3)."""
    segment = scale = timestamp = None
    selective = False
    for kind, value in _fields(options):
        if kind == _SEGMENT and len(value) == 2:
            segment = int.from_bytes(value)
        elif kind == _SCALE and len(value) == 1:
            scale = min(value[0], 14)
        elif kind == _SELECTIVE and not value:
            selective = True
        elif kind == _TIMESTAMPS and len(value) == 8:
            timestamp = int.from_bytes(value[:4])
    return SynOptions(segment, scale, selective, timestamp)


def write_syn(offered: SynOptions, echo: int = 0) -> bytes:
    """The options of a SYN. ``echo`` is the other side's timestamp."""
    made = b""
    if offered.segment is not None:
        made += b"\x02\x04" + offered.segment.to_bytes(2)
    if offered.timestamp is not None:
        made += (b"\x04\x02" if offered.selective else b"\x01\x01") + b"\x08\x0a" + _PAIR.pack(offered.timestamp, echo)
    elif offered.selective:
        made += b"\x01\x01\x04\x02"
    if offered.scale is not None:
        made += b"\x01\x03\x03" + bytes((offered.scale,))
    return made


def write_timestamps(value: int, echo: int) -> bytes:
    """Timestamps, padded to twelve octets."""
    return _TIMES(_TIMESTAMPS_ALONE, value, echo)


def write_blocks(blocks: list[tuple[int, int]]) -> bytes:
    """SACK blocks as sequence numbers of their first octet and of the one behind their last."""
    return b"\x01\x01\x05" + bytes((2 + 8 * len(blocks),)) + b"".join(_PAIR.pack(*block) for block in blocks)


def read_timestamps(options: bytes) -> tuple[int, int] | None:
    """Value and echo where the options are timestamps in their usual form and nothing else, else None."""
    if len(options) != 12:
        return None
    head, value, echo = _read_times(options)
    return (value, echo) if head == _TIMESTAMPS_ALONE else None


def read_blocks_and_timestamps(options: bytes) -> tuple[list[tuple[int, int]], int | None, int]:
    """SACK blocks, timestamp value (None: there is none) and timestamp echo of a segment that is no SYN."""
    blocks: list[tuple[int, int]] = []
    found, echo = None, 0
    for kind, content in _fields(options):
        if kind == _TIMESTAMPS and len(content) == 8:
            found, echo = _PAIR.unpack(content)
        elif kind == _BLOCKS and len(content) % 8 == 0:
            blocks = list(_PAIR.iter_unpack(content))
    return blocks, found, echo
