"""Capture files as records: where in the file each frame lies, its link type and its time.

pcap (draft-ietf-opsawg-pcap, microseconds and nanoseconds, either byte order)
and pcapng (draft-ietf-opsawg-pcapng: enhanced, simple and obsolete packet
blocks, several sections and interfaces). The file is mapped, never copied.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from compiler.errors import UsageError
from compiler.simulator.classify.columns import Column

__all__ = ["Bytes", "Records", "read_records"]

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]

_PCAP = {
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
}
_SECTION = b"\x0a\x0d\x0d\x0a"
_INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED = 1, 2, 3, 6
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_TIME_RESOLUTION, _TIME_OFFSET = 9, 14
_TOO_LONG = "it is longer than its block"


class Records(NamedTuple):
    """The frames of a file: ``data`` is the whole of it as bytes.

    ``begin`` and ``end`` (int64) bound each frame, ``link`` (uint16) is its link
    type by LINKTYPE number, ``seconds`` (int64) its time since 1970, 0 where unknown.
    """

    data: Bytes
    begin: Column
    end: Column
    link: Column
    seconds: Column


def read_records(path: str) -> Records:
    """The frames of a capture. Raises UsageError for files that cannot be read, are no capture, or are cut off."""
    try:
        with open(path, "rb") as file:
            head = file.read(4)
        # An empty file cannot be mapped, and a pipe neither.
        data = np.asarray(np.memmap(path, dtype=np.uint8, mode="r")) if head else np.zeros(0, dtype=np.uint8)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path!r}: {getattr(error, 'strerror', None) or error}") from error
    if head in _PCAP:
        return _pcap(path, data, *_PCAP[head])
    if head == _SECTION:
        return _pcapng(path, data)
    raise UsageError(f"{path}: neither a pcap nor a pcapng file")


def _pcap(path: str, data: Bytes, order: str, fraction: int) -> Records:
    del fraction  # whole seconds are all that lists ask for
    if len(data) < 24:
        raise UsageError(f"{path}: the file header is cut off after {len(data)} bytes")
    (network,) = struct.unpack_from(f"{order}I", data.data, 20)
    begin, length, seconds, stopped = _walk(data, order)
    if stopped < len(data):
        left = len(data) - stopped
        what = "its header is" if left < 16 else "it is"
        raise UsageError(f"{path}: record {len(begin) + 1} at byte {stopped}: {what} cut off by the end of the file")
    # The highest bits tell of a frame check sequence.
    link = np.full(len(begin), network & 0xFFFF, dtype=np.uint16)
    return Records(data, begin, begin + length, link, seconds)


def _walk(data: Bytes, order: str) -> tuple[Column, Column, Column, int]:
    """Where the frames of a pcap file begin, how long they are, when; and where the walk stopped."""
    from compiler.simulator.classify.engines import has_numba

    if has_numba():
        from compiler.simulator.classify.walking import walk_records

        table = np.empty((3, len(data) // 16 + 1), dtype=np.int64)
        count, stopped = walk_records(data, order == ">", table)
        begin, length, seconds = table[:, :count].copy()
        return begin, length, seconds, stopped
    unpack = struct.Struct(f"{order}IIII").unpack_from
    rows: list[tuple[int, int, int]] = []
    position, size = 24, len(data)
    view = data.data
    while position + 16 <= size:
        when, _, length_, _ = unpack(view, position)
        if position + 16 + length_ > size:
            break
        rows.append((position + 16, length_, when))
        position += 16 + length_
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return columns[0].copy(), columns[1].copy(), columns[2].copy(), position


class _Interface(NamedTuple):
    link: int
    snap: int
    ticks: int
    offset: int


def _pcapng(path: str, data: Bytes) -> Records:
    rows: list[tuple[int, int, int, int]] = []
    interfaces: list[_Interface] = []
    order = "<"
    view = data.data
    for order, kind, start, stop in _blocks(path, view):
        if kind == 0x0A0D0D0A:
            interfaces = []
        elif kind == _INTERFACE:
            interfaces.append(_interface(view[start:stop], order, f"{path}: interface block at byte {start - 8}"))
        elif kind in (_ENHANCED, _OBSOLETE, _SIMPLE):
            row = _packet(view, start, stop, kind, order, interfaces)
            if isinstance(row, str):
                raise UsageError(f"{path}: record {len(rows) + 1} at byte {start - 8}: {row}")
            rows.append(row)
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Records(data, columns[0].copy(), columns[1].copy(), columns[2].astype(np.uint16), columns[3].copy())


def _blocks(path: str, view: memoryview) -> Iterator[tuple[str, int, int, int]]:
    """Each block: byte order, type, and where its body begins and ends."""
    position, order = 0, "<"
    while position < len(view):
        where = f"{path}: block at byte {position}"
        if position + 12 > len(view):
            raise UsageError(f"{where}: it is cut off by the end of the file")
        if bytes(view[position : position + 4]) == _SECTION:
            order = _ORDERS.get(bytes(view[position + 8 : position + 12]), "")
            if not order:
                raise UsageError(f"{where}: no byte order is known for this section")
        kind, size = struct.unpack_from(f"{order}II", view, position)
        if size < 12 or size % 4:
            raise UsageError(f"{where}: its length {size} is impossible")
        if position + size > len(view):
            raise UsageError(f"{where}: it is cut off by the end of the file")
        yield order, kind, position + 8, position + size - 4
        position += size


def _interface(body: memoryview, order: str, where: str) -> _Interface:
    if len(body) < 8:
        raise UsageError(f"{where}: it is too short")
    link, _, snap = struct.unpack_from(f"{order}HHI", body)
    ticks, offset, position = 1_000_000, 0, 8
    while position + 4 <= len(body):
        code, size = struct.unpack_from(f"{order}HH", body, position)
        value = bytes(body[position + 4 : position + 4 + size])
        if code == 0:
            break
        if code == _TIME_RESOLUTION and value:
            ticks = 1 << (value[0] & 127) if value[0] & 128 else 10 ** value[0]
        elif code == _TIME_OFFSET and len(value) == 8:
            (offset,) = struct.unpack(f"{order}q", value)
        position += 4 + (size + 3) // 4 * 4
    return _Interface(link, snap, ticks, offset)


def _packet(
    view: memoryview, start: int, stop: int, kind: int, order: str, interfaces: list[_Interface]
) -> tuple[int, int, int, int] | str:
    """Begin, end, link type and time of a frame, or what is wrong with it."""
    head = 4 if kind == _SIMPLE else 20
    if start + head > stop:
        return _TOO_LONG
    if kind == _SIMPLE:
        number, when = 0, 0
        (length,) = struct.unpack_from(f"{order}I", view, start)
    else:
        layout = f"{order}IIIII" if kind == _ENHANCED else f"{order}HHIIII"
        number, *_, high, low, length, _ = struct.unpack_from(layout, view, start)
        when = high << 32 | low
    if number >= len(interfaces):
        return f"it names interface {number}, which no block describes"
    interface = interfaces[number]
    if kind == _SIMPLE:
        length = min(length, interface.snap or length, stop - start - head)
    if start + head + length > stop:
        return _TOO_LONG
    seconds = when // interface.ticks + interface.offset if kind != _SIMPLE else 0
    return start + head, start + head + length, interface.link, seconds
