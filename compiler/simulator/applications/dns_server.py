"""A DNS server for one small zone, over UDP.

Settings ``zone`` are lines ``NAME=ADDRESS`` (A or AAAA) or ``NAME=NAME``
(CNAME); a name may stand in several lines. Names that no line has do not exist.
"""

from __future__ import annotations

from compiler.addresses import parse_address
from compiler.simulator.applications.dns_message import AAAA, CNAME, A, Message, Record, decode, encode
from compiler.simulator.applications.server_log import ServerLog, Settings
from compiler.simulator.sockets import Endpoint, Failure, Sockets, UdpSocket

__all__ = ["DnsServer", "answer", "dns_token", "parse_zone"]

Zone = dict[str, tuple[Record, ...]]

_FORMAT_ERROR, _NO_SUCH_NAME = 1, 3
_LONGEST_CHAIN = 8


def parse_zone(settings: Settings) -> Zone:
    """The records by lower-case name. ValueError for a line that is none."""
    zone: Zone = {}
    for key, line in settings:
        if key != "zone":
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name or not value:
            raise ValueError(f"expected NAME=ADDRESS or NAME=NAME, not {line!r}")
        name = name.rstrip(".")
        zone[name.lower()] = (*zone.get(name.lower(), ()), _record(name, value))
    return zone


def _record(name: str, value: str) -> Record:
    try:
        address, width = parse_address(value)
    except ValueError:
        if value.replace(".", "").isdigit() or ":" in value:
            raise
        return Record(name, CNAME, value.rstrip("."))
    return Record(name, A if width == 32 else AAAA, address.to_bytes(width // 8, "big"))


def answer(zone: Zone, query: Message) -> Message:
    """What the zone says to a query; aliases are followed (RFC 1034, 4.3.2)."""
    name = query.name.lower().rstrip(".")
    found: list[Record] = []
    for _ in range(_LONGEST_CHAIN):
        records = zone.get(name)
        if records is None:
            break
        found += [record for record in records if record.kind == query.kind]
        alias = next((record for record in records if record.kind == CNAME), None)
        if alias is None or query.kind == CNAME or not isinstance(alias.data, str):
            break
        found.append(alias)
        name = alias.data.lower()
    code = 0 if found or name in zone else _NO_SUCH_NAME
    return query._replace(is_response=True, code=code, answers=tuple(found))


def dns_token(query: Message) -> str:
    """What a query is known by at both ends."""
    return f"dns {query.identifier:04x} {query.name.lower()} {query.kind}"


class DnsServer:
    """Answers each datagram that is a query."""

    def __init__(self, sockets: Sockets, log: ServerLog, settings: Settings) -> None:
        self._sockets = sockets
        self._log = log
        self._zone = parse_zone(settings)

    def received(self, socket: UdpSocket, remote: Endpoint, data: bytes | None, octets: int) -> None:
        """Answer; what is no query gets FORMERR if it has a header, else nothing (as BIND does)."""
        if data is None or len(data) < 12:
            return
        local = Endpoint(remote.family, 0, socket.port)
        try:
            query = decode(data)
        except ValueError:
            header = data[:2] + bytes((0x80, _FORMAT_ERROR)) + bytes(8)
            if not data[2] & 0x80:
                socket.send(remote, header)
            return
        if query.is_response:
            return
        self._log.saw(self._sockets.now(), remote, local, dns_token(query)).octets = octets
        socket.send(remote, encode(answer(self._zone, query)))

    def failed(self, socket: UdpSocket, remote: Endpoint, failure: Failure) -> None:
        """The client is gone: nothing to do."""
