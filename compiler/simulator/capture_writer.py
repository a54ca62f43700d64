"""Capture files as Wireshark reads them: pcapng with named interfaces, and plain pcap, both in nanoseconds.

pcapng: draft-ietf-opsawg-pcapng; pcap: draft-ietf-opsawg-pcap. Written here
rather than by a library: scapy 2.8 can neither say nanoseconds nor name the
first interface in pcapng.
"""

from __future__ import annotations

from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import Self

__all__ = ["INBOUND", "OUTBOUND", "PcapWriter", "PcapngWriter"]

LINK_ETHERNET = 1
INBOUND, OUTBOUND = 1, 2
"""Direction of a packet at its interface (epb_flags)."""

_BUFFER = 1 << 17
"""Octets of a file's buffer: labs may capture on a hundred links at once."""
_SECTION = Struct("<IIIHHq").pack
_BLOCK = Struct("<II").pack
_INTERFACE = Struct("<HHI").pack
_OPTION = Struct("<HH").pack
_PACKET = Struct("<IIIIIII").pack
_PACKET_END = Struct("<HHIII").pack
_PCAP_HEADER = Struct("<IHHIIII").pack
_PCAP_PACKET = Struct("<IIII").pack
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


class _Writer:
    """A file that is closed properly whatever happens."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", _BUFFER)

    def close(self) -> None:
        """Write out what is buffered."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class PcapngWriter(_Writer):
    """A pcapng file. ``application`` is named in it as its maker."""

    def __init__(self, path: Path, application: str = "Gerbang") -> None:
        super().__init__(path)
        self._interfaces = 0
        options = _option(4, application.encode()) + _option(0, b"")
        length = 28 + len(options)
        section = _SECTION(0x0A0D0D0A, length, 0x1A2B3C4D, 1, 0, -1)
        self._file.write(section + options + length.to_bytes(4, "little"))

    def add_interface(self, name: str, link_type: int = LINK_ETHERNET) -> int:
        """Describe an interface; its number, which packets name."""
        options = _option(2, name.encode()) + _option(9, b"\x09") + _option(0, b"")  # 9: in units of 10**-9 seconds
        length = 20 + len(options)
        body = _BLOCK(1, length) + _INTERFACE(link_type, 0, 0) + options
        self._file.write(body + length.to_bytes(4, "little"))
        self._interfaces += 1
        return self._interfaces - 1

    def write(self, interface: int, time: int, octets: bytes, direction: int = 0) -> None:
        """A packet, at ``time`` nanoseconds since 1970."""
        size = len(octets)
        length = size + (-size & 3) + 44
        head = _PACKET(6, length, interface, time >> 32, time & 0xFFFFFFFF, size, size)
        self._file.write(head + octets + _PADDING[size & 3] + _PACKET_END(2, 4, direction, 0, length))


class PcapWriter(_Writer):
    """A pcap file with nanoseconds, of one interface."""

    def __init__(self, path: Path, link_type: int = LINK_ETHERNET) -> None:
        super().__init__(path)
        self._file.write(_PCAP_HEADER(0xA1B23C4D, 2, 4, 0, 0, 262_144, link_type))

    def write(self, time: int, octets: bytes) -> None:
        """A packet, at ``time`` nanoseconds since 1970."""
        seconds, rest = divmod(time, 1_000_000_000)
        self._file.write(_PCAP_PACKET(seconds, rest, len(octets), len(octets)) + octets)


def _option(code: int, value: bytes) -> bytes:
    return _OPTION(code, len(value)) + value + _PADDING[len(value) & 3]
