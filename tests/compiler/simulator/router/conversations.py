"""Random packets for a router between two testers: questions, answers to what came out, errors, fragments, nonsense."""

from __future__ import annotations

from itertools import cycle
from random import Random

from compiler.fields import ICMP, ICMPV6, TCP, UDP, Family
from compiler.simulator.fragments import fragment
from compiler.simulator.frame import Datagram
from compiler.simulator.wire import WireError, decode, encode
from tests.compiler.simulator.router.policies import CLIENTS, OWN, POOL, PORTS, SERVERS

__all__ = ["Conversation"]

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
_OTHER = {"west": "east", "east": "west"}
_KEPT = 24
_WHOLE = 5000
"""Identifications below are of whole datagrams."""
_cut_numbers = cycle(range(_WHOLE + 1, 65536))
"""Of fragments, which a kernel may remember for half a minute: no two datagrams of a process alike."""
_V4_ERRORS = ((3, 0), (3, 1), (3, 3), (3, 4), (3, 13), (11, 0), (11, 1), (5, 1), (4, 0), (12, 0))
_V6_ERRORS = ((1, 0), (1, 4), (2, 0), (3, 0), (4, 1))
_FTP_TEXTS = (
    b"USER ftp\r\n", b"PORT 10,0,0,1,17,112\r\n", b"PORT 10,0,0,2,200,1\r\n", b"EPRT |1|10.0.0.1|5282|\r\n",
    b"EPRT |2|2001:db8:1::1|5282|\r\n", b"PASV\r\n", b"EPSV\r\n", b"PORT 10,0", b"port 10,0,0,1,1,1\r\n",
)  # fmt: skip
_FTP_ANSWERS = (
    b"220 ready\r\n", b"227 Entering Passive Mode (10,9,0,1,156,64)\r\n", b"227 =10,9,0,2,156,64\r\n",
    b"229 Entering Extended Passive Mode (|||40001|)\r\n", b"200 ok\r\n", b"229 (|||", b"227 none\r\n",
)  # fmt: skip


def _number(text: str) -> int:
    from compiler.addresses import parse_address

    return parse_address(text)[0]


def _numbers(texts: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(_number(text) for text in texts)


class Conversation:
    """Makes packets, one after the other; tell it what each led to by :meth:`heard`."""

    def __init__(self, chance: Random, version: int) -> None:
        self.chance = chance
        self.family = Family(version)
        self._addresses = {"west": _numbers(CLIENTS[version]), "east": _numbers(SERVERS[version])}
        self._pool = _numbers(POOL[version])
        self._own = _numbers(OWN[version])
        self._sent: dict[str, list[Datagram]] = {"west": [], "east": []}
        self._came: dict[str, list[Datagram]] = {"west": [], "east": []}
        self._pending: list[tuple[str, Datagram]] = []
        self._identification = chance.randrange(_WHOLE)

    def heard(self, side: str, octets: bytes) -> None:
        """This came out of the router at that side."""
        try:
            datagram = decode(octets)
        except WireError:
            return
        came = self._came[side]
        came.append(datagram)
        if len(came) > _KEPT:
            del came[0]

    def next(self) -> tuple[str, bytes]:
        """The next packet, and the side that it enters by."""
        while True:
            if not self._pending:
                self._make()
            side, datagram = self._pending.pop(0)
            try:
                octets = encode(datagram)
            except WireError:
                continue
            return side, octets

    # -- kinds of packets --------------------------------------------------------------------

    def _make(self) -> None:
        chance = self.chance
        side = chance.choice(("west", "west", "east"))
        came, sent = self._came[side], self._sent[side]
        way = chance.random()
        if way < 0.45 and came:
            datagram = self._answer(chance.choice(came[-8:]))
        elif way < 0.62 and sent:
            datagram = self._continued(chance.choice(sent[-8:]))
        elif way < 0.66 and sent:
            datagram = chance.choice(sent).copy()
        elif way < 0.76 and came:
            datagram = self._error(side, chance.choice(came))
        else:
            datagram = self._fresh(side)
        if datagram is None:
            datagram = self._fresh(side)
        self._identification = self._identification % _WHOLE + 1
        datagram.identification = self._identification
        if chance.random() < 0.04:
            datagram.ttl = chance.choice((0, 1, 2, 9))
        if chance.random() < 0.05:
            datagram.traffic_class = chance.choice((0, 0x20, 0x28, 0xB8, 3))
        if chance.random() < 0.05 and self.family is Family.IPV4:
            datagram.dont_fragment = not datagram.dont_fragment
        if not datagram.is_fragment and datagram.protocol in (TCP, UDP, ICMP, ICMPV6) and datagram.quoted is None:
            sent.append(datagram.copy())
            if len(sent) > _KEPT:
                del sent[0]
        if chance.random() < 0.06:
            self._cut(side, datagram)
        else:
            self._pending.append((side, datagram))

    def _fresh(self, side: str) -> Datagram:
        chance = self.chance
        source = chance.choice(self._addresses[side])
        destination = chance.choice(self._addresses[_OTHER[side]])
        if chance.random() < 0.1:
            destination = chance.choice((*self._own, *self._pool, chance.choice(self._addresses[side])))
        echo = ICMP if self.family is Family.IPV4 else ICMPV6
        protocol = chance.choice((TCP, TCP, TCP, UDP, UDP, UDP, echo, 47, 50, 136))
        datagram = self._blank(source, destination, protocol)
        if protocol in (TCP, UDP, 136):
            datagram.source_port = chance.choice(PORTS) if chance.random() < 0.5 else chance.randrange(1, 65536)
            datagram.destination_port = chance.choice(PORTS) if chance.random() < 0.95 else chance.randrange(1, 65536)
        if protocol == TCP:
            datagram.sequence = chance.getrandbits(32)
            datagram.tcp_flags = SYN
            datagram.window = chance.choice((0, 1, 1000, 65535))
            if chance.random() < 0.2:
                datagram.tcp_flags = chance.randrange(256)
                datagram.acknowledgement = chance.getrandbits(32)
            if chance.random() < 0.4:
                datagram.tcp_options = chance.choice(
                    (b"\x02\x04\x05\xb4", b"\x02\x04\x05\xb4\x04\x02\x01\x01", b"\x03\x03\x07\x00", b"\x01\x03\x03\x0f")
                )
        elif protocol == echo:
            datagram.icmp_type = 8 if self.family is Family.IPV4 else 128
            if chance.random() < 0.1:
                datagram.icmp_type = chance.choice(
                    (0, 14, 15, 17, 40) if self.family is Family.IPV4 else (129, 139, 200)
                )
            datagram.identifier, datagram.rest = chance.randrange(1, 6), chance.randrange(4)
        self._fill(datagram, chance.choice((0, 0, 0, 8, 30, 300)))
        return datagram

    def _answer(self, came: Datagram) -> Datagram | None:
        """What whoever got this might answer."""
        chance = self.chance
        if came.is_fragment or came.quoted is not None:
            return None
        datagram = self._blank(came.destination, came.source, came.protocol)
        datagram.source_port, datagram.destination_port = came.destination_port, came.source_port
        if came.protocol == TCP:
            self._segment(datagram, came)
            return datagram
        if came.protocol in (ICMP, ICMPV6):
            answers = {8: 0, 13: 14, 17: 18, 128: 129, 139: 140}
            if came.icmp_type not in answers:
                return None
            datagram.icmp_type = answers[came.icmp_type]
            datagram.identifier, datagram.rest = came.identifier, came.rest
        self._fill(datagram, chance.choice((0, 4, 100)))
        return datagram

    def _segment(self, datagram: Datagram, came: Datagram) -> None:
        chance = self.chance
        length = _length(came) + bool(came.tcp_flags & SYN) + bool(came.tcp_flags & FIN)
        datagram.sequence = came.acknowledgement if came.tcp_flags & ACK else chance.getrandbits(32)
        datagram.acknowledgement = came.sequence + length & 0xFFFFFFFF
        datagram.window = chance.choice((0, 500, 8000, 65535))
        if came.tcp_flags & SYN and not came.tcp_flags & ACK:
            datagram.tcp_flags = chance.choice((SYN | ACK,) * 8 + (RST | ACK, ACK, SYN, RST, FIN | ACK))
            if datagram.tcp_flags == RST | ACK:
                datagram.sequence = 0
            if chance.random() < 0.4:
                datagram.tcp_options = chance.choice((b"\x02\x04\x05\xb4\x04\x02\x01\x01", b"\x03\x03\x02\x00"))
        else:
            datagram.tcp_flags = chance.choice(
                (ACK,) * 5 + (PSH | ACK,) * 5 + (FIN | ACK, FIN | ACK, RST | ACK, RST, SYN)
            )
        if chance.random() < 0.06:
            datagram.tcp_flags = chance.randrange(256)
        if chance.random() < 0.06:
            datagram.sequence = datagram.sequence + chance.choice((-1, 1, -2000, 70000, 1 << 31)) & 0xFFFFFFFF
        if chance.random() < 0.06:
            datagram.acknowledgement = datagram.acknowledgement + chance.choice((-1, 1, -70000, 3000)) & 0xFFFFFFFF
        if datagram.tcp_flags & (SYN | RST):
            self._fill(datagram, 0)
        elif 21 in (datagram.destination_port, datagram.source_port) and chance.random() < 0.6:
            texts = _FTP_TEXTS if datagram.destination_port == 21 else _FTP_ANSWERS
            self._fill(datagram, 0, chance.choice(texts))
        else:
            self._fill(datagram, chance.choice((0, 0, 5, 100)))

    def _continued(self, sent: Datagram) -> Datagram:
        """More of the same from the same sender."""
        chance = self.chance
        datagram = sent.copy()
        if sent.protocol == TCP:
            step = _length(sent) + bool(sent.tcp_flags & SYN) + bool(sent.tcp_flags & FIN)
            datagram.sequence = sent.sequence + step & 0xFFFFFFFF
            datagram.tcp_options = b""
            flags = (ACK,) * 4 + (PSH | ACK,) * 4 + (FIN | ACK, RST, RST | ACK, SYN)
            datagram.tcp_flags = chance.choice(flags)
            if datagram.tcp_flags == SYN and chance.random() < 0.5:
                datagram.sequence = chance.getrandbits(32)
            text = None
            if datagram.destination_port == 21 and datagram.tcp_flags & PSH:
                text = chance.choice(_FTP_TEXTS)
            self._fill(datagram, 0 if datagram.tcp_flags & SYN else chance.choice((0, 5, 200)), text)
        else:
            datagram.rest = datagram.rest + 1 & 0xFFFF if sent.protocol in (ICMP, ICMPV6) else datagram.rest
            self._fill(datagram, chance.choice((0, 8, 30)))
        return datagram

    def _error(self, side: str, about: Datagram) -> Datagram | None:
        """An ICMP error about something that came out here: by its receiver, or a router on the way."""
        chance = self.chance
        if about.fragment_offset or about.quoted is not None:
            return None
        is_v4 = self.family is Family.IPV4
        kind, code = chance.choice(_V4_ERRORS if is_v4 else _V6_ERRORS)
        source = about.destination if chance.random() < 0.6 else chance.choice(self._addresses[side])
        destination = about.source if chance.random() < 0.95 else chance.choice(self._addresses[_OTHER[side]])
        datagram = self._blank(source, destination, ICMP if is_v4 else ICMPV6)
        datagram.icmp_type, datagram.icmp_code = kind, code
        if kind in (2, 3) and code in (0, 4):
            datagram.rest = 1500  # no less: the kernel would learn a path MTU for its own packets
        octets = encode(about)
        header = (20 if is_v4 else 40) + len(about.options)
        data = octets[: header + chance.choice((8, 20, 28, 1000))]
        if len(data) < header + 8:
            return None
        datagram.data = data
        datagram.size = (20 if is_v4 else 40) + 8 + len(data)
        datagram.quoted = None
        return datagram

    def _cut(self, side: str, datagram: Datagram) -> None:
        """Fragments, in some order, not always all of them."""
        chance = self.chance
        # Where the kernel cuts ICMP errors, FTP and SYN again depends on how much of them was read at once: left out.
        is_error = datagram.protocol in (ICMP, ICMPV6) and datagram.icmp_type in (1, 2, 3, 4, 5, 11, 12)
        is_read = datagram.protocol == TCP and 21 in (datagram.source_port, datagram.destination_port)
        is_read = is_read or bool(datagram.tcp_flags & SYN)
        if datagram.is_fragment or datagram.protocol == 136 or is_error or is_read:
            self._pending.append((side, datagram))
            return
        if (
            datagram.quoted is None
            and datagram.data is not None
            and len(datagram.data) < 200
            and datagram.protocol == UDP
        ):
            self._fill(datagram, chance.choice((200, 1500, 2500)))
        datagram.dont_fragment = False
        datagram.identification = next(_cut_numbers)
        header = 20 if self.family is Family.IPV4 else 48
        mtu = header + chance.choice((24, 48, 400, 1280))
        try:
            pieces = fragment(datagram, mtu)
        except (ValueError, WireError):
            pieces = [datagram]
        order = chance.random()
        if order < 0.2:
            pieces = pieces[::-1]
        elif order < 0.3:
            chance.shuffle(pieces)
        elif order < 0.4:
            pieces = pieces[1:] or pieces
        elif order < 0.5:
            pieces = [*pieces[:1], *pieces]
        self._pending += [(side, piece) for piece in pieces[:40]]

    # -- help ----------------------------------------------------------------------------------

    def _blank(self, source: int, destination: int, protocol: int) -> Datagram:
        return Datagram(self.family, source, destination, protocol, 0, ttl=self.chance.choice((64, 64, 63, 128)))

    def _fill(self, datagram: Datagram, length: int, text: bytes | None = None) -> None:
        headers = {TCP: 20 + len(datagram.tcp_options), UDP: 8, ICMP: 8, ICMPV6: 8, 136: 8}
        data = text if text is not None else self.chance.randbytes(length)
        if datagram.protocol == 47:
            data = b"\0\0\x08\0" + data
        datagram.data = data
        header = 20 if self.family is Family.IPV4 else 40
        datagram.size = header + len(datagram.options) + headers.get(datagram.protocol, 0) + len(data)


def _length(segment: Datagram) -> int:
    header = (40 if segment.family is Family.IPV4 else 60) + len(segment.options) + len(segment.tcp_options)
    return segment.size - header
