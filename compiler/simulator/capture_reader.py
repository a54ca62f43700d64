"""The packets of capture files one by one: as records, and as datagrams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from compiler.simulator.dissection import WireError, decode_frame, dissect_network
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.link_layers import ETHERNET_LAYER, LinkLayer, link_layer, strip_link_layer

__all__ = ["CaptureReader", "Record", "read_capture", "records"]

_SECOND = 1_000_000_000


class Record(NamedTuple):
    """One packet of a capture: ``time`` in nanoseconds since 1970, ``length`` as it was on the wire."""

    time: int
    link_type: int
    octets: bytes
    length: int
    interface: str = ""


def records(path: Path) -> Iterator[Record]:
    """The packets in the order of the file.

    Raises InputError when the file cannot be opened, is no capture, or is
    damaged or cut; what stands before the damage is given first.
    """
    # Labs without a capture to replay need not load numpy.
    from compiler.simulator.capture_files import read_records

    for several in read_records(path):
        data, names = several.data.data, several.names
        columns = (several.begin, several.end, several.length, several.link_type, several.interface)
        times = zip(several.seconds.tolist(), several.nanoseconds.tolist(), strict=True)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for (seconds, nanoseconds), (begin, end, length, link_type, interface) in zip(times, rows, strict=True):
            time = seconds * _SECOND + nanoseconds
            yield Record(time, link_type, bytes(data[begin:end]), length, names[interface])


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
            layer = link_layer(record.link_type, str(self.path))
            is_whole = len(record.octets) >= record.length
            try:
                frame = _frame(record.octets, layer, is_whole)
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


def _frame(octets: bytes, layer: LinkLayer, is_whole: bool) -> Frame:
    if layer is ETHERNET_LAYER:  # the only one whose addresses frames have
        return decode_frame(octets, checksums=False, whole=is_whole)
    return dissect_network(*strip_link_layer(octets, layer), checksums=False, whole=is_whole)


def read_capture(path: Path) -> CaptureReader:
    """The datagrams of a pcap or pcapng file, with nanoseconds since 1970.

    Knows Ethernet (VLAN tags too), raw IP, BSD loopback and Linux cooked
    captures. Raises InputError, as it is read, for what is no capture or cut.
    """
    return CaptureReader(path)
