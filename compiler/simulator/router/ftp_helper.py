"""The FTP helper of connection tracking: which data connections a control connection announces (RFC 959, RFC 2428).

As net/netfilter/nf_conntrack_ftp.c and nf_nat_ftp.c: an announced address is
rewritten where its owner is translated, and the octets by which the text has
grown are made up for in the sequence numbers of everything behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from compiler.addresses import format_address, parse_address
from compiler.fields import TCP, Family
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import SYN, Connection, Connections, Tuple
from compiler.simulator.router.transit import Transit

__all__ = ["Expectation", "FtpHelper", "Shift", "adjust"]

_COMMANDS = (  # of the client
    re.compile(rb"^PORT (?P<old>(?P<numbers>\d{1,3}(?:,\d{1,3}){5}))\s*\r", re.IGNORECASE),
    re.compile(rb"^EPRT (?P<old>\|(?P<kind>[12])\|(?P<address>[0-9a-fA-F.:]+)\|(?P<port>\d{1,5})\|)", re.IGNORECASE),
)
_REPLIES = (  # of the server
    re.compile(rb"^227 [^\d\r]*(?P<old>(?P<numbers>\d{1,3}(?:,\d{1,3}){5}))"),
    re.compile(rb"^229 [^(\r]*\((?P<old>\|\|\|(?P<port>\d{1,5})\|)\)"),
)
_PORTS_TRIED = 128


class Announced(NamedTuple):
    """An address and port in the text, and where they stand. The address is None where the text has none (229)."""

    address: int | None
    port: int
    start: int
    end: int
    pattern: int


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a data connection is to become when it comes: who it goes to, and who it seems to come from."""

    master: Connection
    source: int
    destination: int
    port: int


class FtpHelper:
    """Watches the control connections of one router."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def watch(self, transit: Transit) -> None:
        """Look at a segment of a control connection on its way out; it may be rewritten."""
        datagram, connection = transit.datagram, transit.connection
        if connection is None or connection.helper != "ftp" or datagram.protocol != TCP or not datagram.data:
            return
        found = _announced(datagram, is_reply=transit.is_reply)
        if found is None:
            return
        own = connection.reply if transit.is_reply else connection.original
        opposite = connection.original if transit.is_reply else connection.reply
        if found.address is not None and found.address != own.source:
            return  # somebody else's address: not followed (the module's "loose" is off)
        port = self._expect(connection, own, opposite, found.port)
        if port is not None and (opposite.destination != own.source or port != found.port):
            _mangle(datagram, connection, found, opposite.destination, port, is_reply=transit.is_reply)

    def _expect(self, connection: Connection, own: Tuple, opposite: Tuple, port: int) -> int | None:
        """Await a connection from the other end to where this one's owner is seen, at its port or one nearby."""
        plan = Expectation(connection, own.destination, own.source, port)
        for step in range(_PORTS_TRIED):
            candidate = (port + step) % 0x10000
            if not candidate:
                continue
            wanted = Tuple(own.family, TCP, opposite.source, opposite.destination, 0, candidate)
            if self._connections.expect(wanted, plan):
                return candidate
        return None


def _announced(datagram: Datagram, *, is_reply: bool) -> Announced | None:
    for number, pattern in enumerate(_REPLIES if is_reply else _COMMANDS):
        match = pattern.match(datagram.data or b"")
        if match is None:
            continue
        groups = match.groupdict()
        if groups.get("numbers") is not None:
            numbers = [int(one) for one in groups["numbers"].split(b",")]
            if max(numbers) > 255 or datagram.family is not Family.IPV4:
                return None
            address: int | None = int.from_bytes(bytes(numbers[:4]), "big")
            port = numbers[4] << 8 | numbers[5]
        else:
            address, port = _extended(groups, datagram.family), int(groups["port"])
            if groups.get("address") is not None and address is None:
                return None
        if 0 < port < 0x10000:
            return Announced(address, port, match.start("old"), match.end("old"), number)
    return None


def _extended(groups: dict[str, bytes], family: Family) -> int | None:
    """The address of EPRT, if it is one of the connection's family."""
    written = groups.get("address")
    if written is None or int(groups["kind"]) != (1 if family is Family.IPV4 else 2):
        return None
    try:
        return parse_address(written.decode())[0]
    except ValueError:
        return None


def _mangle(
    datagram: Datagram, connection: Connection, found: Announced, address: int, port: int, *, is_reply: bool
) -> None:
    """Put another address and port into the text."""
    assert datagram.data is not None
    if found.pattern == 0:
        new = ",".join(str(one) for one in (*address.to_bytes(4, "big"), port >> 8, port & 0xFF))
    elif is_reply:
        new = f"|||{port}|"
    else:
        kind = 1 if datagram.family is Family.IPV4 else 2
        new = f"|{kind}|{format_address(address, datagram.family.width)}|{port}|"
    datagram.data = datagram.data[: found.start] + new.encode() + datagram.data[found.end :]
    grown = len(new) - (found.end - found.start)
    if grown:
        datagram.size += grown
        shift = connection.shifts[is_reply]
        if shift is None or _is_after(datagram.sequence, shift.position):
            before = shift.after if shift is not None else 0
            connection.shifts[is_reply] = Shift(datagram.sequence, before, before + grown)


class Shift(NamedTuple):
    """By how much the numbers of one direction are off: up to and behind the octet at ``position``."""

    position: int
    before: int
    after: int


def adjust(datagram: Datagram, connection: Connection, *, is_reply: bool) -> None:
    """Make sequence and acknowledgement numbers fit the text as the other side knows it (nf_conntrack_seqadj.c)."""
    own, other = connection.shifts[is_reply], connection.shifts[not is_reply]
    if own is not None:
        shift = own.after if _is_after(datagram.sequence, own.position) else own.before
        datagram.sequence = datagram.sequence + shift & 0xFFFFFFFF
    if other is not None and not (datagram.tcp_flags & SYN and not datagram.acknowledgement):
        behind = _is_after(datagram.acknowledgement - other.before & 0xFFFFFFFF, other.position)
        shift = other.after if behind else other.before
        datagram.acknowledgement = datagram.acknowledgement - shift & 0xFFFFFFFF


def _is_after(number: int, position: int) -> bool:
    return 0 < (number - position & 0xFFFFFFFF) < 0x80000000
