"""Many packets as numpy columns: the fields of ``compiler.policy.packet.Packet``, one array for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.packet import Packet

__all__ = ["Column", "PacketColumns", "columns_of", "make_columns", "owned"]

Column = npt.NDArray[Any]

_HALF = (1 << 64) - 1
_TYPES: dict[str, type[np.generic]] = {
    "protocol": np.uint8,
    "source_port": np.uint16,
    "destination_port": np.uint16,
    "tcp_flags": np.uint8,
    "icmp_type": np.uint8,
    "icmp_code": np.uint8,
    "traffic_class": np.uint8,
    "ttl": np.uint8,
    "week_minute": np.uint16,
    "date_minute": np.uint32,
    "noninitial": np.bool_,
}
_DEFAULTS = Packet._field_defaults


class PacketColumns(NamedTuple):
    """Packets of one family. Build with :func:`make_columns` or :func:`columns_of`, which see to the types.

    ``source`` and ``destination`` are one uint32 column for IPv4, and for IPv6
    two of uint64: the high and the low half. The other fields have the least
    unsigned type that holds their width; ``week_minute`` counts from Monday
    00:00 and ``date_minute`` from 1970. ``noninitial`` is bool. The law of
    carried fields holds as for a Packet: what a packet does not carry is any value.
    """

    family: Family
    source: tuple[Column, ...]
    destination: tuple[Column, ...]
    protocol: Column
    source_port: Column
    destination_port: Column
    tcp_flags: Column
    icmp_type: Column
    icmp_code: Column
    traffic_class: Column
    ttl: Column
    week_minute: Column
    date_minute: Column
    noninitial: Column

    @property
    def size(self) -> int:
        """How many packets."""
        return len(self.source[0])

    def take(self, selection: Column | slice) -> PacketColumns:
        """The packets at these positions: a slice is a view, an array of positions or flags a copy."""
        source = tuple(column[selection] for column in self.source)
        destination = tuple(column[selection] for column in self.destination)
        return PacketColumns(self.family, source, destination, *(column[selection] for column in self[3:]))

    def routed(self) -> PacketColumns:
        """The same packets with their TTL lowered by one router (0 stays 0)."""
        return self._replace(ttl=self.ttl - (self.ttl > 0).astype(np.uint8))

    def packet(self, position: int) -> Packet:
        """One of them as a plain value."""
        source, destination = (_whole(halves, position) for halves in (self.source, self.destination))
        values = (column[position].item() for column in self[3:])
        return Packet(self.family, source, destination, *values)


def make_columns(
    family: Family, source: object, destination: object, fields: Mapping[str, object] | None = None
) -> PacketColumns:
    """Columns of the right types from arrays, sequences or single numbers; what is not given has a Packet's default.

    Addresses are integers, or for IPv6 also a pair of columns (high half, low
    half). Raises UsageError for unknown fields, for columns of several lengths
    and for values that do not fit.
    """
    given = dict(fields or {})
    unknown = given.keys() - _TYPES.keys()
    if unknown:
        raise UsageError(f"packets have no column {sorted(unknown)[0]!r}")
    parts = [_addresses(family, source, "source"), _addresses(family, destination, "destination")]
    rest = [_typed(given.get(name, _DEFAULTS.get(name, 0)), kind, f"column {name!r}") for name, kind in _TYPES.items()]
    lengths = {column.shape[0] for column in (*parts[0], *parts[1], *rest) if column.ndim}
    if len(lengths) > 1:
        raise UsageError(f"the columns differ in length: {', '.join(map(str, sorted(lengths)))}")
    size = lengths.pop() if lengths else 1
    spread = [np.broadcast_to(column, (size,)) for column in (*parts[0], *parts[1], *rest)]
    halves = len(parts[0])
    return PacketColumns(family, tuple(spread[:halves]), tuple(spread[halves : 2 * halves]), *spread[2 * halves :])


def columns_of(packets: Iterable[Packet]) -> PacketColumns:
    """The columns of plain packets. Raises UsageError when there are none, or of two families."""
    several = list(packets)
    families = {packet.family for packet in several}
    if len(families) != 1:
        raise UsageError("columns hold packets of one family" if families else "there is no packet")
    fields = {name: [getattr(packet, name) for packet in several] for name in _TYPES}
    addresses = ([packet.source for packet in several], [packet.destination for packet in several])
    return make_columns(families.pop(), *addresses, fields)


def owned(column: Column) -> Column:
    """As kernels take columns: contiguous and writable, so that each kernel has one signature."""
    return column if column.flags.c_contiguous and column.flags.writeable else column.copy()


def _whole(halves: tuple[Column, ...], position: int) -> int:
    value = 0
    for half in halves:
        value = value << 64 | int(half[position])
    return value


def _addresses(family: Family, given: object, name: str) -> tuple[Column, ...]:
    if family is Family.IPV4:
        return (_typed(given, np.uint32, f"column {name!r}"),)
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(half, np.ndarray) for half in given):
        return tuple(_typed(half, np.uint64, f"column {name!r}") for half in given)
    values = [given] if isinstance(given, int) else list(given)  # type: ignore[call-overload]
    if any(not 0 <= value < 1 << 128 for value in values):
        raise UsageError(f"column {name!r} has a value that is no IPv6 address")
    high = np.array([value >> 64 for value in values], dtype=np.uint64)
    low = np.array([value & _HALF for value in values], dtype=np.uint64)
    return (high[0], low[0]) if isinstance(given, int) else (high, low)


def _typed(given: object, kind: type[np.generic], what: str) -> Column:
    array: Column = np.asarray(given)
    if array.dtype == kind and array.ndim <= 1:
        return array
    if array.ndim > 1 or array.dtype.kind not in "biu" or (kind is np.bool_) != (array.dtype.kind == "b"):
        if array.size or array.ndim != 1:
            raise UsageError(f"{what} is no column of {'flags' if kind is np.bool_ else 'whole numbers'}")
    elif array.size and not (array.min() >= 0 and int(array.max()) <= np.iinfo(kind).max):  # type: ignore[type-var]
        raise UsageError(f"{what} has a value outside 0 to {np.iinfo(kind).max}")  # type: ignore[type-var]
    return array.astype(kind)
