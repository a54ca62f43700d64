"""The FTP helper of connection tracking: which data connections a control connection announces (RFC 959, RFC 2428).

As net/netfilter/nf_conntrack_ftp.c and nf_nat_ftp.c: where the control
connection is translated, an announced address becomes the one that the other
side sees, and the octets by which the text has grown are made up for in the
sequence numbers of everything behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from compiler.addresses import parse_address
from compiler.fields import TCP, Family
from compiler.policy.stateful import State
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import Connection, Connections, Tuple
from compiler.simulator.router.sequence_shift import Shift
from compiler.simulator.router.tcp_window import is_before
from compiler.simulator.router.transit import Transit

__all__ = ["Expectation", "FtpHelper", "Lines", "Shift"]

_WORD = 0xFFFFFFFF
_PORTS_TRIED = 128
_LINES_KEPT = 2
_DIGITS = b"0123456789"


class _Announced(NamedTuple):
    """An address and port in the text, and where they stand. The address is None where the text has none (229)."""

    address: int | None
    port: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """What a data connection is to become when it comes: who it goes to, and who it seems to come from.

    ``follows``: it is translated as the control connection is (nf_nat_follow_master).
    """

    master: Connection
    source: int
    destination: int
    port: int
    follows: bool


class Lines:
    """Where lines of text begin, in both directions: announcements are read at a beginning only (find_nl_seq)."""

    __slots__ = ("_starts",)

    def __init__(self) -> None:
        self._starts: tuple[list[int], list[int]] = ([], [])

    def begins(self, sequence: int, is_reply: bool) -> bool:
        """Whether a line is known to begin at that octet."""
        return sequence in self._starts[is_reply]

    def ended(self, sequence: int, is_reply: bool) -> None:
        """A line has ended before that octet."""
        starts = self._starts[is_reply]
        if sequence in starts:
            return
        if len(starts) < _LINES_KEPT:
            starts.append(sequence)
            return
        oldest = 0 if is_before(starts[0], starts[1]) else 1
        if is_before(starts[oldest], sequence):
            starts[oldest] = sequence


class FtpHelper:
    """Watches the control connections of one router."""

    def __init__(self, connections: Connections, random: Random) -> None:
        self._connections = connections
        self._random = random

    def watch(self, transit: Transit) -> bool:
        """Look at a segment of a control connection on its way out; it may be rewritten.

        False when it must be dropped: an announcement that is not whole, or no port is free for it.
        """
        datagram, connection = transit.datagram, transit.connection
        if connection is None or datagram.protocol != TCP or transit.state is not State.ESTABLISHED:
            return True
        if not datagram.data:  # nothing, or zeros that nobody reads
            return True
        if connection.lines is None:
            connection.lines = Lines()
        is_reply, data = transit.is_reply, datagram.data
        following = datagram.sequence + len(data) & _WORD
        ends_line = data.endswith(b"\n")
        if connection.lines.begins(datagram.sequence, is_reply):
            try:
                found = _announced(data, datagram.family, is_reply=is_reply)
            except _NotWhole:
                return False
            if found is not None and not self._announce(datagram, connection, found, is_reply):
                return False
        if ends_line:
            connection.lines.ended(following, is_reply)
        return True

    def _announce(self, datagram: Datagram, connection: Connection, found: _Announced, is_reply: bool) -> bool:
        own, opposite = connection.original, connection.reply
        if is_reply:
            own, opposite = opposite, own
        if found.address is not None and found.address != own.source:
            return True  # somebody else's address: not followed (the module's "loose" is off)
        follows = not connection.status.isdisjoint({"snat", "dnat"})
        plan = Expectation(connection, own.destination, own.source, found.port, follows)
        if not follows:
            return self._connections.expect(_awaited(own, opposite, found.port), plan)
        port = self._free_port(own, opposite, plan)
        if not port:
            return False
        _mangle(datagram, connection, found, opposite.destination, port, is_reply=is_reply)
        return True

    def _free_port(self, own: Tuple, opposite: Tuple, plan: Expectation) -> int:
        """The announced port, or one above it where another connection is awaited there (nf_nat_exp_find_port)."""
        port, above = plan.port, 0xFFFF - plan.port
        left = min(above, _PORTS_TRIED)
        while not self._connections.expect(_awaited(own, opposite, port), plan):
            left -= 1
            if left < 0:
                return 0
            port = plan.port + self._random.randrange(above)
        return port


def _awaited(own: Tuple, opposite: Tuple, port: int) -> Tuple:
    return Tuple(own.family, TCP, opposite.source, opposite.destination, 0, port)


# -- reading -----------------------------------------------------------------------------------


class _NotWhole(Exception):
    """An announcement begins, and does not end as it should: the segment is dropped, to be sent again whole."""


def _announced(data: bytes, family: Family, *, is_reply: bool) -> _Announced | None:
    """What a line announces; None for nothing (find_pattern)."""
    for word, skip in ((b"227 ", b""), (b"229 ", b"(")) if is_reply else ((b"PORT", b" "), (b"EPRT", b" ")):
        if data[: len(word)].upper() != word[: len(data)]:
            continue
        if len(data) <= len(word):
            raise _NotWhole
        start = len(word)
        if skip:
            start = data.find(skip, start) + 1
            if not start:
                raise _NotWhole
        if word == b"PORT":
            found = _numbers(data, start, b"\r")
        elif word == b"227 ":
            while start < len(data) and data[start] not in _DIGITS:
                start += 1
            found = _numbers(data, start, None)
        else:
            found = _extended(data, start, family if word == b"EPRT" else None)
        if found is None:
            raise _NotWhole
        return found
    return None


def _parts(data: bytes, start: int, count: int, separator: bytes, terminator: bytes | None) -> tuple[list[int], int]:
    """So many numbers and where they end; none when they are not there (try_number)."""
    numbers = [0] * count
    at = 0
    for position in range(start, len(data)):
        octet = data[position]
        if octet in _DIGITS:
            numbers[at] = numbers[at] * 10 + octet - 48 & _WORD
        elif octet == separator[0]:
            at += 1
            if at == count:
                break
        elif at == count - 1 and (terminator is None or octet == terminator[0]):
            return ([], 0) if position == start else (numbers, position)
        else:
            break
    return [], 0


def _numbers(data: bytes, start: int, terminator: bytes | None) -> _Announced | None:
    numbers, end = _parts(data, start, 6, b",", terminator)
    if not numbers:
        return None
    return _Announced(_address(numbers), (numbers[4] << 8 | numbers[5]) & 0xFFFF, start, end)


def _address(numbers: list[int]) -> int:
    return (numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3]) & _WORD


def _extended(data: bytes, start: int, family: Family | None) -> _Announced | None:
    """``|1|10.0.0.1|4000|`` with any delimiter; without a family ``|||4000|``."""
    delimiter = data[start : start + 1]
    if len(data) - start <= 3 or delimiter in _DIGITS or not 33 <= delimiter[0] <= 126:
        return None
    if family is None:
        if data[start + 1 : start + 3] != delimiter * 2:
            return None
        address, position = None, start + 3
    else:
        if data[start + 1 : start + 3] != (b"1" if family is Family.IPV4 else b"2") + delimiter:
            return None
        address, end = _written_address(data, start + 3, family, delimiter)
        if address is None:
            return None
        position = end + 1
    port, end = _port(data, position, delimiter)
    return _Announced(address, port, start, end) if port else None


def _written_address(data: bytes, start: int, family: Family, delimiter: bytes) -> tuple[int | None, int]:
    if family is Family.IPV4:
        numbers, end = _parts(data, start, 4, b".", delimiter)
        return (_address(numbers) if numbers else None), end
    end = data.find(delimiter, start)
    try:
        value, width = parse_address(data[start : max(end, start)].decode())
    except ValueError:
        return None, end
    return (value if width == 128 else None), end


def _port(data: bytes, start: int, delimiter: bytes) -> tuple[int, int]:
    port = 0
    for position in range(start, len(data)):
        octet = data[position]
        if octet == delimiter[0]:
            return port, position + 1
        if octet not in _DIGITS:
            break
        port = port * 10 + octet - 48 & 0xFFFF
    return 0, start


# -- writing -----------------------------------------------------------------------------------


def _mangle(
    datagram: Datagram, connection: Connection, found: _Announced, address: int, port: int, *, is_reply: bool
) -> None:
    """Put another address and port into the text."""
    assert datagram.data is not None
    extended = not datagram.data[found.start : found.start + 1].isdigit()
    if not extended:
        new = ",".join(str(one) for one in (*address.to_bytes(4, "big"), port >> 8, port & 0xFF))
    elif is_reply:
        new = f"|||{port}|"
    elif datagram.family is Family.IPV4:
        new = f"|1|{'.'.join(map(str, address.to_bytes(4, 'big')))}|{port}|"
    else:
        written = address.to_bytes(16, "big").hex()
        new = f"|2|{':'.join(written[start : start + 4] for start in range(0, 32, 4))}|{port}|"
    datagram.data = datagram.data[: found.start] + new.encode() + datagram.data[found.end :]
    grown = len(new) - (found.end - found.start)
    if grown:
        datagram.size += grown
        shift = connection.shifts[is_reply]
        connection.shifts[is_reply] = Shift.behind(datagram.sequence, grown, shift)
