"""Packets that a lab sends as they are, and what became of each: packet sockets at the client and at all hosts."""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import NamedTuple

from compiler.fields import ICMP, ICMPV6, TCP, UDP, Family
from compiler.policy.packet_text import parse_packet
from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.capture_reader import read_capture
from compiler.simulator.engine import SECOND
from compiler.simulator.frame import Datagram
from compiler.simulator.sockets import Endpoint
from compiler.simulator.traffic.arrivals import replay
from compiler.simulator.wire import encode
from labs.kernel.failures import failure_of_icmp, is_icmp_error
from labs.kernel.loop import READABLE, Loop
from labs.kernel.namespaces import Namespace
from labs.raw_packets import datagram_of
from labs.topology import Traffic, TrafficKind

__all__ = ["Listeners", "RawPackets", "Way"]

_ALL_PROTOCOLS = 3
_OUTGOING, _OTHER_HOST = 4, 3
_FORCED_BUFFER = 33  # SO_RCVBUFFORCE
_ROOM = 16 << 20
_AT_ONCE = 64
_ONE_TURN = 1024
_ETHER_TYPE = {Family.IPV4: 0x0800, Family.IPV6: 0x86DD}
_PORTS = frozenset({TCP, UDP, 33, 132, 136})
_IPV6_FRAGMENT = 44

Key = tuple[Family, int, int]
"""Family, protocol, and the identification of IPv4 or the flow label of IPv6."""


class Way(NamedTuple):
    """How a packet leaves its sender: the interface's Linux name, and both link addresses."""

    interface: str
    own: str
    next_hop: str


class _Seen(NamedTuple):
    key: Key
    source: Endpoint
    octets: int
    error: tuple[int, int, int] | None
    """Type, code and sender of an ICMP error; then the key is that of the packet it is about."""


class RawPackets:
    """The packets of one traffic entry."""

    def __init__(
        self, loop: Loop, client: Namespace, traffic: Traffic, way: Callable[[Family, int], Way | None], first: int
    ) -> None:
        self._loop = loop
        self._traffic = traffic
        self._way = way
        self._number = first
        self._records: list[ConnectionRecord] = []
        self._indices: dict[Key, deque[int]] = {}
        self._last = traffic.start
        self._sockets: dict[str, socket.socket] = {}
        self._client = client
        self._packets = self._planned()
        self._is_sent = False
        loop.at(traffic.start, self._step)

    @property
    def is_over(self) -> bool:
        """Whether all is sent and has had time to arrive."""
        return self._is_sent and self._loop.now() >= self._last + SECOND // 2

    def outcome(self) -> Outcome:
        """A record for each packet: ``connected`` when it reached ``detail``, or what came back."""
        arrived = [one for one in self._records if one.connected is not None]
        delays = tuple(one.connected - one.started for one in arrived if one.connected is not None)
        return Outcome(
            self._traffic.name, tuple(self._records), sent=len(self._records), received=len(arrived), delays=delays
        )

    def close(self) -> None:
        """Send no more."""
        for one in self._sockets.values():
            one.close()
        self._sockets.clear()

    def heard(self, node: str, seen: _Seen) -> bool:
        """A host has got a packet; whether it is one of these."""
        for index in self._indices.get(seen.key, ()):
            record = self._records[index]
            if seen.error is not None:
                kind, code, reporter = seen.error
                family = record.client.family
                why = failure_of_icmp(family, kind, code, reporter)
                self._records[index] = replace(record, ended=self._loop.now(), failure=why)
                return True
            if record.connected is None and node != self._traffic.client:
                now = self._loop.now()
                self._records[index] = replace(
                    record, connected=now, ended=now, detail=node, seen_as=seen.source, transferred=seen.octets
                )
                return True
        return False

    # -- sending -----------------------------------------------------------------

    def _planned(self) -> Iterator[tuple[int, Datagram]]:
        traffic = self._traffic
        if traffic.kind is TrafficKind.REPLAY:
            assert traffic.capture is not None
            yield from replay(read_capture(traffic.capture))
            return
        plan = chain.from_iterable(
            ((turn * spec.interval, parse_packet(spec.text)) for turn in range(spec.times)) for spec in traffic.packets
        )
        for moment, packet in sorted(plan, key=lambda entry: entry[0]):
            self._number += 1
            yield moment, datagram_of(packet, self._number)

    def _step(self) -> None:
        """Send what is due, and come back for the rest."""
        for _ in range(_AT_ONCE):
            planned = next(self._packets, None)
            if planned is None:
                self._is_sent = True
                return
            moment, datagram = planned
            if self._traffic.start + moment > self._loop.now():
                self._packets = chain((planned,), self._packets)
                self._loop.at(self._traffic.start + moment, self._step)
                return
            self._send(datagram)
        self._loop.after(0, self._step)

    def _send(self, datagram: Datagram) -> None:
        octets = encode(datagram)
        if datagram.family is Family.IPV6:
            label = struct.unpack_from("!I", octets)[0] & 0xFFF00000 | self._number & 0xFFFFF
            octets = struct.pack("!I", label) + octets[4:]
            if self._traffic.kind is TrafficKind.REPLAY:
                self._number += 1
        seen = _read(octets)
        index = len(self._records)
        self._last = now = self._loop.now()
        family = datagram.family
        client = Endpoint(family, datagram.source, datagram.source_port)
        server = Endpoint(family, datagram.destination, datagram.destination_port)
        self._records.append(ConnectionRecord(index, client, server, now))
        if seen is not None:
            self._indices.setdefault(seen.key, deque()).append(index)
        way = self._way(family, datagram.destination)
        if way is None:  # nobody there: a host without an answer to its ARP sends nothing
            return
        one = self._sockets.get(way.interface)
        if one is None:
            one = self._sockets[way.interface] = self._client.socket(socket.AF_PACKET, socket.SOCK_RAW)
            one.setsockopt(socket.SOL_SOCKET, 32, _ROOM)  # SO_SNDBUFFORCE
            one.setblocking(True)
            with self._client.inside():
                one.bind((way.interface, 0))
        header = _octets(way.next_hop) + _octets(way.own) + struct.pack("!H", _ETHER_TYPE[family])
        self._loop.breathe()
        try:
            one.send(header + octets)
        except OSError:
            return  # the interface is down, or the packet larger than it takes: lost


class Listeners:
    """Ears on all hosts, for all entries of raw packets."""

    def __init__(self, loop: Loop, hosts: Mapping[str, Namespace], entries: tuple[RawPackets, ...]) -> None:
        self._loop = loop
        self._entries = entries
        self._sockets = []
        for name, namespace in hosts.items():
            with namespace.inside():
                one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, _FORCED_BUFFER, _ROOM)
            self._sockets.append(one)
            loop.watch(one, READABLE, partial(self._ready, name, one))

    def close(self) -> None:
        """Hear no more."""
        for one in self._sockets:
            self._loop.drop(one)
        self._sockets.clear()

    def _ready(self, node: str, one: socket.socket, _: int) -> None:
        for _ in range(_ONE_TURN):
            try:
                frame, address = one.recvfrom(65535)
            except (BlockingIOError, OSError):
                return
            if address[2] in (_OUTGOING, _OTHER_HOST):
                continue
            seen = _read(frame[14:])
            if seen is not None:
                any(entry.heard(node, seen) for entry in self._entries)


def _octets(link_address: str) -> bytes:
    return bytes.fromhex(link_address.replace(":", ""))


def _read(octets: bytes) -> _Seen | None:
    """What a packet is known by; of an ICMP error, what the packet that it quotes is known by."""
    version = octets[0] >> 4 if octets else 0
    if version == 4 and len(octets) >= 20:
        return _read_ipv4(octets)
    if version == 6 and len(octets) >= 40:
        return _read_ipv6(octets)
    return None


def _read_ipv4(octets: bytes) -> _Seen | None:
    length = (octets[0] & 15) * 4
    first = not struct.unpack_from("!H", octets, 6)[0] & 0x1FFF
    source = int.from_bytes(octets[12:16], "big")
    body = octets[length:] if first else b""
    key = (Family.IPV4, octets[9], struct.unpack_from("!H", octets, 4)[0])
    if octets[9] == ICMP and len(body) >= 8 and is_icmp_error(Family.IPV4, body[0]):
        quoted = _read(body[8:])
        return quoted._replace(error=(body[0], body[1], source)) if quoted is not None else None
    return _Seen(key, Endpoint(Family.IPV4, source, _port(octets[9], body)), len(octets), None)


def _read_ipv6(octets: bytes) -> _Seen | None:
    source = int.from_bytes(octets[8:24], "big")
    protocol, body = octets[6], octets[40:]
    if protocol == _IPV6_FRAGMENT and len(body) >= 8:
        later = struct.unpack_from("!H", body, 2)[0] & 0xFFF8
        protocol, body = body[0], b"" if later else body[8:]
    key = (Family.IPV6, protocol, struct.unpack_from("!I", octets)[0] & 0xFFFFF)
    if protocol == ICMPV6 and len(body) >= 8 and is_icmp_error(Family.IPV6, body[0]):
        quoted = _read(body[8:])
        return quoted._replace(error=(body[0], body[1], source)) if quoted is not None else None
    return _Seen(key, Endpoint(Family.IPV6, source, _port(protocol, body)), len(octets), None)


def _port(protocol: int, body: bytes) -> int:
    return int.from_bytes(body[:2], "big") if protocol in _PORTS and len(body) >= 2 else 0
