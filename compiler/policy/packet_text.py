"""One packet as text, and back: ``tcp 172.16.6.4:1025 > 10.0.0.2:21 flags=syn in=ether2``.

::

    PROTOCOL SOURCE[:PORT] > DESTINATION[:PORT] [OPTION …]

``PROTOCOL`` is a name or a number; an IPv6 address with a port stands in
brackets. Options: ``flags=syn,ack``, ``type=8 code=0`` (or ``echo``,
``echo-reply``), ``dscp=46`` or ``class=184`` (the whole byte), ``ttl=1``,
``fragment`` (any but the first), ``in=NAME``, ``out=NAME``, ``to-router``,
``from-router``, ``at=mon-08:00`` (the minute of the week) and
``date=2026-01-31T08:00`` (which tells the minute of the week too). ``@N``
instead of a moment is its number of minutes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn

from compiler.addresses import format_address, parse_address
from compiler.errors import SyntaxFault
from compiler.fields import ICMP_PROTOCOLS, PORT_PROTOCOLS, TCP_FLAGS, WIDTH, Family
from compiler.policy.packet import Packet, Path
from compiler.source import Span

__all__ = ["format_packet", "parse_packet", "protocol_name"]

_NAMES = {
    "icmp": 1,
    "igmp": 2,
    "ipip": 4,
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmpv6": 58,
    "eigrp": 88,
    "ospf": 89,
    "pim": 103,
    "vrrp": 112,
    "sctp": 132,
    "udplite": 136,
}
_NUMBERS = {number: name for name, number in _NAMES.items()}
_ICMP_NAMES = {(1, "echo"): 8, (1, "echo-reply"): 0, (58, "echo"): 128, (58, "echo-reply"): 129}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = 7 * 24 * 60
_EPOCH = datetime(1970, 1, 1)
_EPOCH_DAY = 3  # 1970-01-01 was a Thursday
_TOKEN = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+|"')
_ENDPOINT = re.compile(r"\[(?P<six>[^\]]*)\](?::(?P<six_port>.*))?\Z|(?P<four>[^:]*)(?::(?P<four_port>[^:]*))?\Z")
_AT = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)-([01]\d|2[0-3]):([0-5]\d)\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d\Z")
_PLAIN = re.compile(r'[^\s"\\]+\Z')


def parse_packet(text: str) -> Packet:
    """The packet that ``text`` describes; SyntaxFault with the column and what was expected."""
    return _Parser(text).packet()


def protocol_name(number: int) -> str:
    """The name that :func:`parse_packet` reads for a protocol, or its number."""
    return _NUMBERS.get(number, str(number))


def format_packet(packet: Packet) -> str:
    """The text of a packet: :func:`parse_packet` gives back each field that the packet carries."""
    ports = not packet.noninitial and PORT_PROTOCOLS.contains(packet.protocol)
    words = [
        protocol_name(packet.protocol),
        _endpoint(packet.source, packet.source_port if ports else None, packet.family),
        ">",
        _endpoint(packet.destination, packet.destination_port if ports else None, packet.family),
    ]
    if not packet.noninitial:
        if packet.protocol == TCP and packet.tcp_flags:
            words.append("flags=" + ",".join(name for name, bit in TCP_FLAGS.items() if packet.tcp_flags & bit))
        if ICMP_PROTOCOLS.contains(packet.protocol):
            words.append(f"type={packet.icmp_type} code={packet.icmp_code}")
    if packet.traffic_class & 3:
        words.append(f"class={packet.traffic_class}")
    elif packet.traffic_class:
        words.append(f"dscp={packet.traffic_class >> 2}")
    if packet.ttl != 64:
        words.append(f"ttl={packet.ttl}")
    if packet.noninitial:
        words.append("fragment")
    words += [f"{key}={_quoted(name)}" for key, name in (("in", packet.ingress), ("out", packet.egress)) if name]
    if packet.path is not Path.FORWARD:
        words.append("to-router" if packet.path is Path.INPUT else "from-router")
    implied = 0
    if packet.date_minute:
        words.append(f"date={_date_text(packet.date_minute)}")
        implied = _week_minute(packet.date_minute)
    if packet.week_minute != implied:
        words.append(f"at={_week_text(packet.week_minute)}")
    return " ".join(words)


TCP = _NAMES["tcp"]


def _endpoint(address: int, port: int | None, family: Family) -> str:
    text = format_address(address, family.width)
    if port is None:
        return text
    return f"{text}:{port}" if family is Family.IPV4 else f"[{text}]:{port}"


def _quoted(name: str) -> str:
    if _PLAIN.match(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _week_minute(date_minute: int) -> int:
    return (date_minute + _EPOCH_DAY * 24 * 60) % _WEEK


def _week_text(minute: int) -> str:
    if minute >= _WEEK:
        return f"@{minute}"
    day, rest = divmod(minute, 24 * 60)
    return f"{_DAYS[day]}-{rest // 60:02}:{rest % 60:02}"


def _date_text(minute: int) -> str:
    try:
        return (_EPOCH + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M")
    except OverflowError:  # after the year 9999
        return f"@{minute}"


class _Parser:
    """One text, its words with their columns, and what they said so far."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = [(found.group(), found.start() + 1) for found in _TOKEN.finditer(text)]
        self._next = 0
        self._fields: dict[str, int] = {}
        self._names = {"in": "", "out": ""}
        self._path: Path | None = None
        self._fragment = False
        self._protocol = 0
        self._family = Family.IPV4

    def packet(self) -> Packet:
        self._protocol = self._protocol_number(*self._word("a protocol: its name or its number"))
        source, source_port, self._family = self._address(*self._word("the source address"))
        word, column = self._word("'>'")
        if word != ">":
            self._fail(f"expected '>' between the addresses, not {word!r}", word, column)
        word, column = self._word("the destination address")
        destination, destination_port, family = self._address(word, column)
        if family is not self._family:
            self._fail(f"expected an {self._family.name} address as the source is one, not {word!r}", word, column)
        while self._next < len(self._words):
            self._option(*self._word("an option"))
        self._check_ports(source_port, 1)
        self._check_ports(destination_port, 3)
        if ICMP_PROTOCOLS.contains(self._protocol) and not self._fragment and "icmp_type" not in self._fields:
            self._fail("expected the ICMP type: type=N, echo or echo-reply", "", len(self._text) + 1)
        if self._path is Path.INPUT and self._names["out"]:
            self._fail("a packet to the router has no out=", *self._find("out="))
        if self._path is Path.OUTPUT and self._names["in"]:
            self._fail("a packet from the router has no in=", *self._find("in="))
        if "date_minute" in self._fields:
            self._fields.setdefault("week_minute", _week_minute(self._fields["date_minute"]))
        return Packet(
            self._family,
            source,
            destination,
            self._protocol,
            source_port or 0,
            destination_port or 0,
            noninitial=self._fragment,
            ingress=self._names["in"],
            egress=self._names["out"],
            path=self._path or Path.FORWARD,
            **self._fields,
        )

    # -- words -----------------------------------------------------------------

    def _word(self, expected: str) -> tuple[str, int]:
        if self._next >= len(self._words):
            self._fail(f"expected {expected}, not the end of the packet", "", len(self._text) + 1)
        self._next += 1
        return self._words[self._next - 1]

    def _find(self, start: str) -> tuple[str, int]:
        return next(pair for pair in self._words if pair[0].startswith(start))

    def _fail(self, message: str, word: str, column: int) -> NoReturn:
        raise SyntaxFault(message, Span("packet", 1, column, column + max(len(word), 1)), self._text)

    def _number(self, text: str, last: int, what: str, column: int) -> int:
        if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > last:
            self._fail(f"expected {what} from 0 to {last}, not {text!r}", text, column)
        return int(text)

    # -- protocol and addresses --------------------------------------------------

    def _protocol_number(self, word: str, column: int) -> int:
        number = _NAMES.get(word.lower())
        if number is not None:
            return number
        if not word.isdigit():
            self._fail(f"expected a protocol ({', '.join(_NAMES)}, or a number), not {word!r}", word, column)
        return self._number(word, 255, "a protocol number", column)

    def _address(self, word: str, column: int) -> tuple[int, int | None, Family]:
        if word.count(":") > 1 and not word.startswith("["):
            found, port, shift = word, None, 0
        else:
            parts = _ENDPOINT.match(word)
            if parts is None:
                self._fail(f"expected an address, with :port where there are ports, not {word!r}", word, column)
            bracketed = parts.group("six") is not None
            found = parts.group("six") if bracketed else parts.group("four")
            port = parts.group("six_port") if bracketed else parts.group("four_port")
            shift = int(bracketed)
        try:
            value, width = parse_address(found)
        except ValueError as error:
            self._fail(f"expected an address: {error}", word, column)
        family = Family.IPV4 if width == 32 else Family.IPV6
        if shift and family is Family.IPV4:
            self._fail("brackets are for IPv6 addresses", word, column)
        if port is None:
            return value, None, family
        return value, self._number(port, 65535, "a port", column + len(word) - len(port)), family

    def _check_ports(self, port: int | None, position: int) -> None:
        word, column = self._words[position]
        carried = PORT_PROTOCOLS.contains(self._protocol) and not self._fragment
        if carried and port is None:
            hint = f"[{word.strip('[]')}]:PORT" if self._family is Family.IPV6 else f"{word}:PORT"
            self._fail(f"expected a port: {hint}", word, column)
        if port is not None and not carried:
            why = "a fragment other than the first" if self._fragment else f"protocol {self._protocol}"
            self._fail(f"{why} has no ports", word, column)

    # -- options -----------------------------------------------------------------

    def _option(self, word: str, column: int) -> None:
        key, equals, value = word.partition("=")
        start = column + len(key) + 1
        if equals and key in _OPTIONS:
            _OPTIONS[key](self, word, value, start)
        elif word in ("to-router", "from-router"):
            if self._path is not None:
                self._fail("the path is said twice", word, column)
            self._path = Path.INPUT if word == "to-router" else Path.OUTPUT
        elif word == "fragment":
            if self._fragment:
                self._fail("'fragment' stands twice", word, column)
            self._fragment = True
            for name, carried in (("tcp_flags", "flags"), ("icmp_type", "type"), ("icmp_code", "code")):
                if name in self._fields:
                    self._fail(f"a fragment other than the first has no {carried}", word, column)
        elif (self._protocol, word) in _ICMP_NAMES:
            self._carry(word, column, "ICMP type")
            self._set("icmp_type", _ICMP_NAMES[(self._protocol, word)], word, column)
        else:
            known = ", ".join([f"{name}=" for name in _OPTIONS] + ["fragment", "to-router", "from-router", "echo"])
            self._fail(f"unknown option {word!r}: expected one of {known}", word, column)

    def _set(self, field: str, value: int, word: str, column: int) -> None:
        if field in self._fields:
            self._fail(f"the {field.replace('_', ' ')} is said twice", word, column)
        self._fields[field] = value

    def _carry(self, word: str, column: int, what: str) -> None:
        if self._fragment:
            self._fail(f"a fragment other than the first has no {what}", word, column)

    def _flags(self, word: str, value: str, column: int) -> None:
        if self._protocol != TCP:
            self._fail("only TCP has flags", word, column - 6)
        self._carry(word, column - 6, "flags")
        byte = 0
        for name in value.split(",") if value not in ("", "none") else ():
            if name not in TCP_FLAGS:
                self._fail(f"expected flags out of {', '.join(TCP_FLAGS)}, not {name!r}", value, column)
            byte |= TCP_FLAGS[name]
        self._set("tcp_flags", byte, word, column)

    def _icmp(self, word: str, value: str, column: int) -> None:
        key = word.partition("=")[0]
        if not ICMP_PROTOCOLS.contains(self._protocol):
            self._fail(f"only ICMP has a {key}", word, column)
        self._carry(word, column, key)
        self._set(f"icmp_{key}", self._number(value, 255, f"an ICMP {key}", column), word, column)

    def _byte(self, word: str, value: str, column: int) -> None:
        if word.startswith("dscp="):
            self._set("traffic_class", self._number(value, 63, "a DSCP", column) << 2, word, column)
        elif word.startswith("class="):
            self._set("traffic_class", self._number(value, 255, "a traffic class", column), word, column)
        else:
            self._set("ttl", self._number(value, 255, "a TTL", column), word, column)

    def _interface(self, word: str, value: str, column: int) -> None:
        key = word.partition("=")[0]
        if self._names[key]:
            self._fail(f"{key}= stands twice", word, column)
        if value.startswith('"') and value.endswith('"') and len(value) > 1:
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        elif not _PLAIN.match(value):
            self._fail("expected the name of an interface", word, column)
        if not value:
            self._fail("expected the name of an interface", word, column)
        self._names[key] = value

    def _at(self, word: str, value: str, column: int) -> None:
        if value.startswith("@"):
            minute = self._number(value[1:], (1 << WIDTH["week_minute"]) - 1, "minutes", column)
        else:
            found = _AT.match(value)
            if found is None:
                self._fail(f"expected a moment of the week such as mon-08:00, not {value!r}", value, column)
            minute = (_DAYS.index(found.group(1)) * 24 + int(found.group(2))) * 60 + int(found.group(3))
        self._set("week_minute", minute, word, column)

    def _date(self, word: str, value: str, column: int) -> None:
        if value.startswith("@"):
            minute = self._number(value[1:], (1 << WIDTH["date_minute"]) - 1, "minutes", column)
        else:
            try:
                if not _DATE.match(value):
                    raise ValueError
                minute = int((datetime.fromisoformat(value) - _EPOCH).total_seconds()) // 60
            except ValueError:
                minute = -1
            if minute < 0:
                self._fail(f"expected a date since 1970 such as 2026-01-31T08:00, not {value!r}", value, column)
        self._set("date_minute", minute, word, column)


_OPTIONS: dict[str, Callable[[_Parser, str, str, int], None]] = {
    "flags": _Parser._flags,
    "type": _Parser._icmp,
    "code": _Parser._icmp,
    "dscp": _Parser._byte,
    "class": _Parser._byte,
    "ttl": _Parser._byte,
    "in": _Parser._interface,
    "out": _Parser._interface,
    "at": _Parser._at,
    "date": _Parser._date,
}
