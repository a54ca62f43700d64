"""Frames as columns of packets: link layers, VLAN tags, IPv4 options, IPv6 extension headers, fragments.

All frames at once, header by header. What is no IP, is malformed, or lacks
the bytes that a list could ask for is counted apart and never decided.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from compiler.fields import DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, WEEK_MINUTES, Family
from compiler.simulator.capture_files import read_records
from compiler.simulator.capture_window import Records, Walk, walk_chain
from compiler.simulator.classify.columns import Column, PacketColumns, make_columns
from compiler.simulator.link_layers import VLAN_TAGS, link_layer
from compiler.simulator.machine_code import has_numba

__all__ = ["Capture", "Part", "read_capture"]

_VLAN = tuple(VLAN_TAGS)
_LONG = (0, 43, 60, 135, 139, 140)
"""Extension headers counted in units of 8 bytes (RFC 8200; mobility, HIP, shim6)."""
_FRAGMENT, _AUTHENTICATION = 44, 51
_MOST_HEADERS = 32
_MONDAY = 3 * 24 * 60
"""1970-01-01 was a Thursday: three days after a Monday."""


class Part(NamedTuple):
    """The packets of one family, and the numbers of their frames in the file, from 0."""

    packets: PacketColumns
    frame: Column


class Capture(NamedTuple):
    """What a capture holds. Times are those of the records, in UTC."""

    parts: tuple[Part, ...]
    frames: int
    not_ip: int
    malformed: int
    """IP headers that contradict themselves or the frame."""
    cut_short: int
    """Packets whose captured bytes end before the layer-4 fields do."""


def read_capture(path: str) -> Capture:
    """Read and decode a pcap or pcapng file. Raises InputError as ``capture_files.read_records`` does."""
    return _decode(read_records(path, _walk()), path)


def _walk() -> Walk:
    if not has_numba():
        return walk_chain
    from compiler.simulator.classify.walking import walk_compiled

    return walk_compiled


def _decode(several: Iterable[Records], path: str) -> Capture:
    """The packets in the frames."""
    total = 0
    found: dict[Family, list[tuple[PacketColumns, Column]]] = {family: [] for family in Family}
    counts = np.zeros(3, dtype=np.int64)
    for records in several:
        frames = _Frames(records, total, path)
        for family in frames.families():
            packets, numbers = frames.packets(family)
            if len(numbers):
                found[family].append((packets, numbers))
        counts += (frames.not_ip, frames.malformed, frames.cut_short)
        total += len(records.begin)
    parts = tuple(
        Part(_joined([one for one, _ in some]), np.concatenate([at for _, at in some]))
        for some in found.values()
        if some
    )
    return Capture(parts, total, *counts.tolist())


def _joined(several: list[PacketColumns]) -> PacketColumns:
    if len(several) == 1:
        return several[0]
    sides = [
        tuple(np.concatenate(halves) for halves in zip(*(one[side] for one in several), strict=True)) for side in (1, 2)
    ]
    rest = (np.concatenate(columns) for columns in zip(*(one[3:] for one in several), strict=True))
    return PacketColumns(several[0].family, sides[0], sides[1], *rest)


class _Frames:
    """Some frames on their way up the layers, after ``before`` others of the file; counters of what falls out."""

    def __init__(self, records: Records, before: int, path: str) -> None:
        self._data = records.data
        self._last = max(len(records.data) - 1, 0)
        self.not_ip = self.malformed = self.cut_short = 0
        self._end = records.end
        self._seconds = records.seconds
        self._before = before
        self._network, self._version = self._link(records, path)

    def byte(self, at: Column, offset: int = 0) -> Column:
        """The byte at each place (int64); some byte of the file where that is beyond."""
        found: Column = self._data[np.minimum(at + offset, self._last)].astype(np.int64)
        return found

    def two(self, at: Column, offset: int = 0) -> Column:
        """Two bytes in network order."""
        return self.byte(at, offset) << 8 | self.byte(at, offset + 1)

    def _link(self, records: Records, path: str) -> tuple[Column, Column]:
        """Where the network layer begins, and the IP version: 0 for what is no IP."""
        begin, kind = records.begin, np.zeros(len(records.begin), dtype=np.int64)
        network = begin.copy()
        for number in np.unique(records.link_type).tolist():
            here = records.link_type == number
            layer = link_layer(number, path)
            network[here] += layer.size
            if layer.type_at is not None:
                kind[here] = self.two(begin[here], layer.type_at)
            else:
                first = self.byte(network[here]) >> 4
                kind[here] = np.where(first == 4, 0x0800, np.where(first == 6, 0x86DD, 0))
        tagged = np.isin(kind, _VLAN) & (network + 4 <= self._end)
        while tagged.any():
            kind[tagged] = self.two(network[tagged], 2)
            network[tagged] += 4
            tagged &= np.isin(kind, _VLAN) & (network + 4 <= self._end)
        version = np.where(kind == 0x0800, 4, np.where(kind == 0x86DD, 6, 0))
        version[network > self._end] = 0
        self.not_ip = int((version == 0).sum())
        return network, version

    def families(self) -> list[Family]:
        """Those of which there are packets."""
        return [family for family in Family if (self._version == family.value).any()]

    def packets(self, family: Family) -> tuple[PacketColumns, Column]:
        """The packets of the family, and the numbers of their frames."""
        here = np.flatnonzero(self._version == family.value)
        at, end = self._network[here], self._end[here]
        least = 20 if family is Family.IPV4 else 40
        short = at + least > end
        self.cut_short += int(short.sum())
        here, at, end = here[~short], at[~short], end[~short]
        wrong = self.byte(at) >> 4 != family.value
        header = _ipv4 if family is Family.IPV4 else _ipv6
        internet = header(self, at, end)
        wrong |= internet.malformed
        lacking = ~wrong & (internet.cut_short | self._lacks(internet))
        self.malformed += int(wrong.sum())
        self.cut_short += int(lacking.sum())
        good = ~wrong & ~lacking
        minutes = self._seconds[here] // 60
        fields = internet.fields | self._layer4(internet)
        fields["date_minute"] = np.clip(minutes, 0, (1 << 32) - 1)
        fields["week_minute"] = (minutes + _MONDAY) % WEEK_MINUTES
        columns = {name: column[good] for name, column in fields.items()}
        source, destination = (self._address(at[good], place, family) for place in internet.addresses)
        return make_columns(family, source, destination, columns), self._before + here[good]

    def _address(self, at: Column, place: int, family: Family) -> object:
        halves = []
        for start, size in ((place, 4),) if family is Family.IPV4 else ((place, 8), (place + 8, 8)):
            value = np.zeros(len(at), dtype=np.uint64)
            for offset in range(size):
                value = value << np.uint64(8) | self.byte(at, start + offset).astype(np.uint64)
            halves.append(value)
        return halves[0].astype(np.uint32) if family is Family.IPV4 else (halves[0], halves[1])

    def _lacks(self, internet: _Internet) -> Column:
        """Packets that ought to carry layer-4 fields and end before them; later fragments need not."""
        protocol = internet.fields["protocol"]
        needed = np.select(
            [protocol == TCP, np.isin(protocol, (UDP, DCCP, SCTP, UDPLITE)), np.isin(protocol, (ICMP, ICMPV6))],
            [14, 4, 2],
            0,
        )
        lacks: Column = ~internet.fields["noninitial"] & (internet.payload + needed > internet.end)
        return lacks

    def _layer4(self, internet: _Internet) -> dict[str, Column]:
        """The layer-4 fields. For later fragments they are what stands there, which is what some matchers read."""
        protocol, at, end = internet.fields["protocol"], internet.payload, internet.end
        ported = np.isin(protocol, (TCP, UDP, DCCP, SCTP, UDPLITE)) & (at + 4 <= end)
        message = np.isin(protocol, (ICMP, ICMPV6)) & (at + 2 <= end)
        flagged = (protocol == TCP) & (at + 14 <= end)
        return {
            "source_port": np.where(ported, self.two(at), 0),
            "destination_port": np.where(ported, self.two(at, 2), 0),
            "tcp_flags": np.where(flagged, self.byte(at, 13), 0),
            "icmp_type": np.where(message, self.byte(at), 0),
            "icmp_code": np.where(message, self.byte(at, 1), 0),
        }


class _Internet(NamedTuple):
    """The network layer of some packets: where their payload lies, and their fields of layer 3."""

    payload: Column
    end: Column
    fields: dict[str, Column]
    addresses: tuple[int, int]
    malformed: Column
    cut_short: Column


def _ipv4(frames: _Frames, at: Column, end: Column) -> _Internet:
    """RFC 791, 3.1. A total length of 0 is a frame that the sending card was to cut up: all that is there."""
    header = (frames.byte(at) & 15) * 4
    length = frames.two(at, 2)
    malformed = (header < 20) | ((length != 0) & (length < header))
    stop = np.where(length == 0, end, np.minimum(at + length, end))
    fields = {
        "protocol": frames.byte(at, 9),
        "traffic_class": frames.byte(at, 1),
        "ttl": frames.byte(at, 8),
        "noninitial": frames.two(at, 6) & 0x1FFF != 0,
    }
    return _Internet(at + header, stop, fields, (12, 16), malformed, ~malformed & (at + header > end))


def _ipv6(frames: _Frames, at: Column, end: Column) -> _Internet:
    """RFC 8200. A payload length of 0 is a jumbogram (RFC 2675), or a frame that was to be cut up."""
    length = frames.two(at, 4)
    stop = np.where(length == 0, end, np.minimum(at + 40 + length, end))
    protocol, payload = frames.byte(at, 6), at + 40
    noninitial = np.zeros(len(at), dtype=bool)
    cut_short = np.zeros(len(at), dtype=bool)
    walking = np.ones(len(at), dtype=bool)
    extensions = (*_LONG, _FRAGMENT, _AUTHENTICATION)
    for _ in range(_MOST_HEADERS):
        walking &= np.isin(protocol, extensions) & ~noninitial
        cut_short |= walking & (payload + 8 > stop)
        walking &= ~cut_short
        here = np.flatnonzero(walking)
        if not len(here):
            break
        place, kind = payload[here], protocol[here]
        units = frames.byte(place, 1)
        size = np.where(kind == _FRAGMENT, 8, np.where(kind == _AUTHENTICATION, (units + 2) * 4, (units + 1) * 8))
        noninitial[here] = (kind == _FRAGMENT) & (frames.two(place, 2) >> 3 != 0)
        protocol[here] = frames.byte(place)
        payload[here] = place + size
    fields = {
        "protocol": protocol,
        "traffic_class": (frames.byte(at) & 15) << 4 | frames.byte(at, 1) >> 4,
        "ttl": frames.byte(at, 7),
        "noninitial": noninitial,
    }
    # More headers than any sender makes: nothing above them can be told.
    return _Internet(payload, stop, fields, (8, 24), walking & np.isin(protocol, extensions), cut_short)
