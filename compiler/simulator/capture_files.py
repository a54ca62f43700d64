"""The one parser of capture files: where in them the packets lie, and all else that they say of a packet.

pcap (draft-ietf-opsawg-pcap, microseconds and nanoseconds) here, pcapng in
``capture_pcapng``; either byte order, also compressed by gzip. Files are read
piece by piece, so their size does not matter, and a pipe is a file too.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import ExitStack
from io import BufferedIOBase
from os import PathLike, fspath
from struct import unpack_from

import numpy as np

from compiler.errors import InputError
from compiler.simulator.capture_pcapng import read_pcapng
from compiler.simulator.capture_window import LARGEST, Chain, Records, Walk, Window, headers_at, walk_chain

__all__ = ["read_records"]

_GZIP = b"\x1f\x8b"
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_MICROSECONDS, _NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D


def read_records(path: str | PathLike[str], walk: Walk = walk_chain) -> Iterator[Records]:
    """The packets of a capture in the order of the file, many at once; no item is empty.

    ``walk`` finds the records. Raises InputError when the file cannot be opened,
    is no capture, or is damaged or cut: what stands before the damage is given first.
    """
    name = fspath(path)
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(open(name, "rb"))
            is_compressed = opened.peek(2)[:2] == _GZIP
            file: BufferedIOBase = stack.enter_context(gzip.open(opened)) if is_compressed else opened
        except OSError as error:
            raise InputError(f"cannot read {name!r}: {error.strerror or error}") from error
        yield from _records(name, file, walk)


def _records(path: str, file: BufferedIOBase, walk: Walk) -> Iterator[Records]:
    window = Window(path, file, walk)
    if not window.has(4) and not len(window.data):
        raise window.fault(0, "the file is empty")
    magic = window.data[:4].tobytes()
    if magic == _PCAPNG:
        return read_pcapng(window)
    for order in "<", ">":
        number = int.from_bytes(magic, "little" if order == "<" else "big")
        if number in {_MICROSECONDS, _NANOSECONDS}:
            return _read_pcap(window, order, 1 if number == _NANOSECONDS else 1000)
    raise window.fault(0, "no capture: a pcap or pcapng file expected")


def _read_pcap(window: Window, order: str, unit: int) -> Iterator[Records]:
    """The packets of a pcap file, whose fractions of a second have ``unit`` nanoseconds."""
    if not window.has(24):
        raise window.fault(0, f"the file ends within the file header: 24 octets expected, {len(window.data)} there")
    # The highest bits tell of a frame check sequence.
    link_type = unpack_from(order + "I", window.data.data, 20)[0] & 0xFFFF
    layout = np.dtype([(name, order + "u4") for name in ("seconds", "fraction", "captured", "length")])
    chain = Chain(is_big=order == ">", place=8, beside=16, unit=1, least=16, halt=-1)
    position, before = 24, 0
    while True:
        starts, position = window.walk(position, chain)
        if count := len(starts):
            header = headers_at(window.data, starts, layout)
            captured, length, seconds, fraction = (
                header[name].astype(np.int64) for name in ("captured", "length", "seconds", "fraction")
            )
            begin = starts + 16
            links, interface = np.full(count, link_type, np.uint16), np.zeros(count, np.int64)
            yield Records(
                window.data, begin, begin + captured, length, links, seconds, fraction * unit, interface, ("",)
            )
            before += count
        left = len(window.data) - position
        next_size = unpack_from(order + "I", window.data.data, position + 8)[0] if left >= 16 else 0
        if next_size > LARGEST:
            raise window.fault(position, f"record {before + 1} of {next_size} octets: the file is damaged")
        if not window.more(position):
            break
        position = 0
    if left >= 16:
        message = f"{next_size} octets expected, {left - 16} there"
        raise window.fault(0, f"the file ends within record {before + 1}: {message}")
    if left:
        raise window.fault(
            0, f"the file ends within the header of record {before + 1}: 16 octets expected, {left} there"
        )
