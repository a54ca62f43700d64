"""pcapng files: blocks of packets and of what is said about them (draft-ietf-opsawg-pcapng).

Enhanced, simple and obsolete packet blocks, several sections and interfaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from
from typing import NamedTuple

import numpy as np

from compiler.simulator.capture_window import LARGEST, Chain, Column, Octets, Records, Window, headers_at

__all__ = ["read_pcapng"]

_SECTION = 0x0A0D0D0A
"""The type of a section header, which reads the same in both byte orders."""
_INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED = 1, 2, 3, 6
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_LEAST = 12
"""Octets of a block without a body: its type, and its length before and after."""
_CAPTURED = (("high", "u4"), ("low", "u4"), ("captured", "u4"), ("length", "u4"))
_PACKET_BLOCKS = {
    _ENHANCED: (("kind", "u4"), ("size", "u4"), ("interface", "u4"), *_CAPTURED),
    _OBSOLETE: (("kind", "u4"), ("size", "u4"), ("interface", "u2"), ("drops", "u2"), *_CAPTURED),
    _SIMPLE: (("kind", "u4"), ("size", "u4"), ("length", "u4")),
}
"""What stands before the octets of a packet. A simple packet is of the first interface, without a time."""
_NAME, _TIME_RESOLUTION, _TIME_OFFSET = 2, 9, 14
_SECOND = 1_000_000_000


def read_pcapng(window: Window) -> Iterator[Records]:
    """The packets of a pcapng file whose first octets are in the window.

    Raises InputError where the file is damaged or cut, after the packets before that.
    """
    section = _Section("<", 0)
    position = 0
    while True:
        if _begins_section(window.data, position):
            order = _ORDERS.get(window.data[position + 8 : position + 12].tobytes())
            if order is None:
                raise window.fault(position, "a pcapng section header without its byte-order magic")
            section = _Section(order, section.packets)
        starts, position = window.walk(position, section.chain)
        if len(starts):
            records, damage = section.read(window.data, starts, position)
            if len(records.begin):
                yield records
            if damage.block < len(starts):
                raise window.fault(int(starts[damage.block]), damage.message)
            if _begins_section(window.data, position):
                continue
        length = section.length_at(window.data, position)
        if length % 4 or not _LEAST <= length <= LARGEST:
            raise window.fault(position, f"a block of {length} octets: the file is damaged")
        left = len(window.data) - position
        if not window.more(position):
            break
        position = 0
    if left:
        raise window.fault(0, f"the file ends within a block: {length} octets expected, {left} there")


def _begins_section(data: Octets, position: int) -> bool:
    is_there = len(data) - position >= _LEAST
    return is_there and bool(unpack_from("<I", data.data, position)[0] == _SECTION)


# -- interfaces ------------------------------------------------------------------


class _Interface(NamedTuple):
    link_type: int
    snap_length: int
    units: int
    """How many a second."""
    offset: int
    """Seconds to add."""
    name: str


def _interface(order: str, body: bytes) -> _Interface:
    link_type, _, snap_length = unpack_from(order + "HHI", body)
    units, offset, name = 1_000_000, 0, ""
    for code, value in _options(order, body[8:]):
        if code == _NAME:
            name = value.decode("utf-8", "replace")
        elif code == _TIME_RESOLUTION and value:
            units = (2 if value[0] & 128 else 10) ** (value[0] & 127)
        elif code == _TIME_OFFSET and len(value) == 8:
            offset = unpack_from(order + "q", value)[0]
    return _Interface(link_type, snap_length, units, offset, name)


def _options(order: str, octets: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(octets):
        code, length = unpack_from(order + "HH", octets, position)
        if code == 0:
            return
        yield code, octets[position + 4 : position + 4 + length]
        position += 4 + length + (-length & 3)


# -- blocks ----------------------------------------------------------------------


class _Damage(NamedTuple):
    """The first block that is wrong, by its place among those at hand (behind the last where none is), and how."""

    block: int
    message: str


class _Packets(NamedTuple):
    """What packet blocks say, one array entry for each; ``block`` is its place among those at hand."""

    block: Column
    begin: Column
    room: Column
    """Octets of the block for the packet's own."""
    interface: Column
    ticks: Column
    captured: Column
    length: Column

    def before(self, damage: _Damage) -> _Packets:
        """Those in the blocks before the damage."""
        count = int(np.searchsorted(self.block, damage.block))
        return _Packets(*(column[:count] for column in self))


class _Section:
    """What holds for the blocks of a section: their byte order, and the interfaces described so far.

    ``packets`` of the file have been read.
    """

    def __init__(self, order: str, packets: int) -> None:
        self.packets = packets
        self.chain = Chain(is_big=order == ">", place=4, beside=0, unit=4, least=_LEAST, halt=_SECTION)
        self._order = order
        self._interfaces: list[_Interface] = []
        self._word = np.dtype([("word", order + "u4")])
        self._layouts = {
            kind: np.dtype([(name, order + form) for name, form in fields]) for kind, fields in _PACKET_BLOCKS.items()
        }

    def length_at(self, data: Octets, position: int) -> int:
        """What the block there says of its length; the least there is where that is not in sight."""
        if len(data) - position < _LEAST:
            return _LEAST
        length: int = unpack_from(self._order + "I", data.data, position + 4)[0]
        return length

    def read(self, data: Octets, starts: Column, stop: int) -> tuple[Records, _Damage]:
        """The packets of the blocks, of which the last ends at ``stop``, up to the first that is wrong."""
        sizes = np.diff(starts, append=stop)
        kinds = headers_at(data, starts, self._word)["word"]
        damage = self._shapes(data, starts, sizes, kinds)
        described = len(self._interfaces)
        interfaces = np.flatnonzero(kinds[: damage.block] == _INTERFACE)
        for index in interfaces.tolist():
            body = data[starts[index] + 8 : starts[index] + sizes[index] - 4].tobytes()
            self._interfaces.append(_interface(self._order, body))
        packets = self._packets(data, starts[: damage.block], sizes, kinds)
        unknown = packets.interface >= described + np.searchsorted(interfaces, packets.block)
        if unknown.any():
            at = int(unknown.argmax())
            which = f"packet {self.packets + at + 1} of interface {packets.interface[at]}, which is not described"
            damage = _Damage(int(packets.block[at]), which)
            packets = packets.before(damage)
        snapped = np.array([one.snap_length or LARGEST for one in self._interfaces], np.int64)
        # A simple packet block does not say how much of its packet was captured.
        simple = np.minimum(np.minimum(packets.length, packets.room), snapped[packets.interface])
        packets = packets._replace(captured=np.where(packets.captured < 0, simple, packets.captured))
        beyond = packets.captured > packets.room
        if beyond.any():
            at = int(beyond.argmax())
            which = f"packet {self.packets + at + 1} of {packets.captured[at]} octets"
            damage = _Damage(int(packets.block[at]), f"{which} in a block with room for {packets.room[at]}")
            packets = packets.before(damage)
        self.packets += len(packets.block)
        return self._records(data, packets), damage

    def _shapes(self, data: Octets, starts: Column, sizes: Column, kinds: Column) -> _Damage:
        """The first block whose two lengths differ, or that is too short for its type."""
        least = np.where(kinds == _INTERFACE, _LEAST + 8, _LEAST)
        for kind, layout in self._layouts.items():
            least[kinds == kind] = layout.itemsize + 4
        again = headers_at(data, starts + sizes - 4, self._word)["word"]
        differ, short = again != sizes, sizes < least
        wrong = differ | short
        if not wrong.any():
            return _Damage(len(starts), "")
        at = int(wrong.argmax())
        if differ[at]:
            return _Damage(at, "the two lengths of a block differ: the file is damaged")
        return _Damage(at, f"a block of type {kinds[at]} that is too short: {sizes[at]} octets")

    def _packets(self, data: Octets, starts: Column, sizes: Column, kinds: Column) -> _Packets:
        block = np.flatnonzero(np.isin(kinds[: len(starts)], tuple(_PACKET_BLOCKS)))
        starts, kinds = starts[block], kinds[block]
        begin, interface, captured, length = np.zeros((4, len(block)), np.int64)
        ticks = np.zeros(len(block), np.uint64)
        for kind, layout in self._layouts.items():
            here = np.flatnonzero(kinds == kind)
            header = headers_at(data, starts[here], layout)
            begin[here] = starts[here] + layout.itemsize
            length[here] = header["length"]
            captured[here] = -1 if kind == _SIMPLE else header["captured"]
            if kind != _SIMPLE:
                interface[here] = header["interface"]
                ticks[here] = header["high"].astype(np.uint64) << np.uint64(32) | header["low"]
        return _Packets(block, begin, starts + sizes[block] - 4 - begin, interface, ticks, captured, length)

    def _records(self, data: Octets, packets: _Packets) -> Records:
        links = np.array([one.link_type for one in self._interfaces], np.uint16)
        seconds, nanoseconds = np.zeros((2, len(packets.block)), np.int64)
        for number in np.unique(packets.interface).tolist():
            here = packets.interface == number
            seconds[here], nanoseconds[here] = _times(packets.ticks[here], self._interfaces[number])
        return Records(
            data,
            packets.begin,
            packets.begin + packets.captured,
            packets.length,
            links[packets.interface],
            seconds,
            nanoseconds,
            packets.interface,
            tuple(one.name for one in self._interfaces),
        )


def _times(ticks: Column, interface: _Interface) -> tuple[Column, Column]:
    """Seconds and nanoseconds. Seconds that 64 bits do not hold, which only damage can say, wrap around."""
    if interface.units > _SECOND:  # the products below would not fit
        exact = [divmod(one * _SECOND // interface.units, _SECOND) for one in ticks.tolist()]
        table = np.array(exact, np.int64)
        return table[:, 0] + interface.offset, table[:, 1]
    units = np.uint64(interface.units)
    nanoseconds: Column = ticks % units * np.uint64(_SECOND) // units
    return (ticks // units).astype(np.int64) + interface.offset, nanoseconds.astype(np.int64)
