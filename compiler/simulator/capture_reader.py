"""Reads capture files: pcap and pcapng of either byte order and any resolution, also compressed by gzip."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import unpack_from
from typing import IO, NamedTuple

from compiler.errors import InputError
from compiler.simulator.dissection import WireError, decode, decode_frame, dissect_network
from compiler.simulator.frame import Datagram, Frame

__all__ = ["CaptureReader", "Record", "read_capture", "records"]

_SECOND = 1_000_000_000
_LARGEST = 16 << 20
"""Octets of a record or block that are believed; what says more is damaged."""


class Record(NamedTuple):
    """One packet of a capture: ``time`` in nanoseconds since 1970, ``length`` as it was on the wire."""

    time: int
    link_type: int
    octets: bytes
    length: int
    interface: str = ""


class _Source:
    """The file, and where in it reading is."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.file = file
        self.position = 0

    def take(self, count: int, what: str, *, may_end: bool = False) -> bytes:
        """So many octets. InputError when the file ends before, except right here if it may."""
        try:
            octets = self.file.read(count)
        except (OSError, EOFError, zlib.error) as error:
            raise self.fault(f"cannot be read: {error}") from error
        if len(octets) < count and not (may_end and not octets):
            raise self.fault(f"the file ends within {what}: {count} octets expected, {len(octets)} there")
        self.position += len(octets)
        return octets

    def fault(self, message: str) -> InputError:
        return InputError(f"{self.path}: octet {self.position}: {message}")


def records(path: Path) -> Iterator[Record]:
    """The packets in the order of the file.

    Raises InputError when the file cannot be opened, is no capture, or is
    damaged or cut; what stands before the damage is given first.
    """
    try:
        file: IO[bytes] = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    with file:
        if file.read(2) == b"\x1f\x8b":
            file.seek(0)
            with gzip.open(file) as opened:
                yield from _records(_Source(path, opened))  # type: ignore[arg-type]  # it reads like one
        else:
            file.seek(0)
            yield from _records(_Source(path, file))


def _records(source: _Source) -> Iterator[Record]:
    start = source.take(4, "the magic number", may_end=True)
    if start == b"\x0a\x0d\x0d\x0a":
        return _pcapng(source)
    for order in "<", ">":
        magic = unpack_from(order + "I", start.ljust(4, b"\0"))[0]
        if magic in {0xA1B2C3D4, 0xA1B23C4D}:
            return _pcap(source, order, 1 if magic == 0xA1B23C4D else 1000)
    source.position = 0
    raise source.fault("no capture: a pcap or pcapng file expected" if start else "the file is empty")


# -- pcap ------------------------------------------------------------------------


def _pcap(source: _Source, order: str, unit: int) -> Iterator[Record]:
    link_type = unpack_from(order + "I", source.take(20, "the file header"), 16)[0] & 0xFFFF
    form = order + "IIII"
    while header := source.take(16, "a record's header", may_end=True):
        seconds, rest, captured, length = unpack_from(form, header)
        if captured > _LARGEST:
            raise source.fault(f"a record of {captured} octets: the file is damaged")
        yield Record(seconds * _SECOND + rest * unit, link_type, source.take(captured, "a record"), length)


# -- pcapng ----------------------------------------------------------------------


class _Interface(NamedTuple):
    link_type: int
    snap_length: int
    units: int
    """How many a second."""
    offset: int
    """Nanoseconds to add."""
    name: str


def _pcapng(source: _Source) -> Iterator[Record]:
    order = "<"
    interfaces: list[_Interface] = []
    kind = 0x0A0D0D0A
    while True:
        length_octets = source.take(4, "a block's length")
        if kind == 0x0A0D0D0A:
            magic = source.take(4, "the section header")
            order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(magic, "")
            if not order:
                raise source.fault("a pcapng section header without its byte-order magic")
            interfaces = []
        used = 12 if kind == 0x0A0D0D0A else 8
        length = unpack_from(order + "I", length_octets)[0]
        if length & 3 or not used + 4 <= length <= _LARGEST:
            raise source.fault(f"a block of {length} octets: the file is damaged")
        body = source.take(length - used - 4, "a block")
        if source.take(4, "a block's second length") != length_octets:
            raise source.fault("the two lengths of a block differ: the file is damaged")
        if kind == 1:
            interfaces.append(_interface(source, order, body))
        elif kind in _PACKET_BLOCKS:
            yield _PACKET_BLOCKS[kind](source, order, body, interfaces)
        start = source.take(4, "a block's type", may_end=True)
        if not start:
            return
        # The type of a section header reads the same in both orders.
        kind = unpack_from(order + "I", start)[0]


def _interface(source: _Source, order: str, body: bytes) -> _Interface:
    if len(body) < 8:
        raise source.fault("an interface description that is too short")
    link_type, _, snap_length = unpack_from(order + "HHI", body)
    units, offset, name = 1_000_000, 0, ""
    for code, value in _options(order, body[8:]):
        if code == 2:
            name = value.decode("utf-8", "replace")
        elif code == 9 and value:
            units = 2 ** (value[0] & 127) if value[0] & 128 else 10 ** (value[0] & 127)
        elif code == 14 and len(value) == 8:
            offset = unpack_from(order + "q", value)[0] * _SECOND
    return _Interface(link_type, snap_length, units, offset, name)


def _options(order: str, octets: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(octets):
        code, length = unpack_from(order + "HH", octets, position)
        if code == 0:
            return
        yield code, octets[position + 4 : position + 4 + length]
        position += 4 + length + (-length & 3)


def _at(source: _Source, interfaces: list[_Interface], number: int) -> _Interface:
    if number >= len(interfaces):
        raise source.fault(f"a packet of interface {number}, which is not described")
    return interfaces[number]


def _packet(source: _Source, order: str, body: bytes, interfaces: list[_Interface], form: str) -> Record:
    if len(body) < 20:
        raise source.fault("a packet block that is too short")
    number, *_, high, low, captured, length = unpack_from(order + form, body)
    interface = _at(source, interfaces, number)
    if captured > len(body) - 20:
        raise source.fault(f"a packet of {captured} octets in a block with room for {len(body) - 20}")
    time = (high << 32 | low) * _SECOND // interface.units + interface.offset
    return Record(time, interface.link_type, body[20 : 20 + captured], length, interface.name)


def _enhanced_packet(source: _Source, order: str, body: bytes, interfaces: list[_Interface]) -> Record:
    return _packet(source, order, body, interfaces, "IIIII")


def _old_packet(source: _Source, order: str, body: bytes, interfaces: list[_Interface]) -> Record:
    return _packet(source, order, body, interfaces, "HHIIII")


def _simple_packet(source: _Source, order: str, body: bytes, interfaces: list[_Interface]) -> Record:
    """A packet without a time: 0."""
    if len(body) < 4:
        raise source.fault("a packet block that is too short")
    interface = _at(source, interfaces, 0)
    length = unpack_from(order + "I", body)[0]
    captured = min(length, interface.snap_length or length, len(body) - 4)
    return Record(0, interface.link_type, body[4 : 4 + captured], length, interface.name)


_PACKET_BLOCKS: dict[int, Callable[[_Source, str, bytes, list[_Interface]], Record]] = {
    2: _old_packet,
    3: _simple_packet,
    6: _enhanced_packet,
}


# -- link layers -----------------------------------------------------------------


def _raw(octets: bytes, whole: bool) -> Frame:
    return decode(octets, checksums=False, whole=whole)


def _ethernet(octets: bytes, whole: bool) -> Frame:
    return decode_frame(octets, checksums=False, whole=whole)


def _loopback(octets: bytes, whole: bool) -> Frame:
    """BSD loopback: four octets say the family, which IP says again."""
    return _raw(octets[4:], whole)


def _cooked(octets: bytes, whole: bool) -> Frame:
    """Linux cooked capture (LINKTYPE_LINUX_SLL)."""
    return _tagged(int.from_bytes(octets[14:16]), octets[16:], whole)


def _cooked2(octets: bytes, whole: bool) -> Frame:
    """Linux cooked capture v2 (LINKTYPE_LINUX_SLL2)."""
    return _tagged(int.from_bytes(octets[:2]), octets[20:], whole)


def _tagged(kind: int, octets: bytes, whole: bool) -> Frame:
    while kind in {0x8100, 0x88A8} and len(octets) >= 4:
        kind, octets = int.from_bytes(octets[2:4]), octets[4:]
    return dissect_network(kind, octets, checksums=False, whole=whole)


_LINK_LAYERS: dict[int, Callable[[bytes, bool], Frame]] = {
    0: _loopback,
    1: _ethernet,
    12: _raw,
    14: _raw,
    101: _raw,
    108: _loopback,
    113: _cooked,
    228: _raw,
    229: _raw,
    276: _cooked2,
}


class CaptureReader:
    """The datagrams of a capture with their moments, in the order of the file; an iterator.

    What is not a well-formed IP packet is passed over and counted in
    ``skipped``, by reason. Checksums of layer 4 are not looked at: a machine's
    capture of its own packets has them unfinished. Packets of which only the
    first octets were captured have their full ``size``, and no data.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped: dict[str, int] = {}
        self._records = records(path)

    def __iter__(self) -> Iterator[tuple[int, Datagram]]:
        return self

    def __next__(self) -> tuple[int, Datagram]:
        while True:
            record = next(self._records)
            layer = _LINK_LAYERS.get(record.link_type)
            if layer is None:
                raise InputError(f"{self.path}: link type {record.link_type} is not known")
            is_whole = len(record.octets) >= record.length
            try:
                frame = layer(record.octets, is_whole)
            except WireError as error:
                self._skip(str(error))
                continue
            if not isinstance(frame, Datagram):
                self._skip("ARP")
                continue
            if not is_whole:
                if frame.is_fragment:
                    self._skip("a fragment that is not whole")
                    continue
                frame.data = frame.quoted = None
            return record.time, frame

    def _skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def read_capture(path: Path) -> CaptureReader:
    """The datagrams of a pcap or pcapng file, with nanoseconds since 1970.

    Knows Ethernet (VLAN tags too), raw IP, BSD loopback and Linux cooked
    captures. Raises InputError, as it is read, for what is no capture or cut.
    """
    return CaptureReader(path)
