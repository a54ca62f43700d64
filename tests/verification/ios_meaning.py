"""What a Cisco router does with a packet, read again from the vendor's documents.

Understands what our writer and the generators of these tests emit: named and
numbered lists, object groups, bindings. Anything else is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.verification.packets import (
    FORWARD,
    OUTPUT,
    PORTED,
    Packet,
    between,
    conj,
    disj,
    masked,
    neg,
    one_of,
    same,
)

PROTOCOLS = {"ip": None, "ipv6": None, "icmp": 1, "igmp": 2, "ipinip": 4, "tcp": 6, "udp": 17, "gre": 47, "esp": 50}
PROTOCOLS |= {"ahp": 51, "eigrp": 88, "ospf": 89, "nos": 94, "pim": 103, "pcp": 108, "sctp": 132}
PORTS = {"ftp": 21, "telnet": 23, "smtp": 25, "www": 80, "domain": 53, "bgp": 179, "snmp": 161, "ntp": 123}
PORTS |= {"ftp-data": 20, "pop3": 110, "syslog": 514, "tftp": 69, "isakmp": 500, "bootps": 67, "bootpc": 68}
ICMP = {"echo": (8, None), "echo-reply": (0, None), "unreachable": (3, None), "time-exceeded": (11, None)}
ICMP |= {"packet-too-big": (3, 4), "ttl-exceeded": (11, 0), "administratively-prohibited": (3, 13)}
FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ece": 64, "cwr": 128}


class NotUnderstood(Exception):
    """The judge's small parser does not know this text."""


class Line(NamedTuple):
    """One entry: its action, its layer-3 words, its layer-4 words."""

    permits: bool
    condition: Any
    """Function of (packet) -> condition on layer 3."""
    layer4: Any
    """Function of (packet) -> condition on layer 4, or None when the entry names no layer 4."""
    fragments: bool


@dataclass
class Router:
    """A configuration as the judge understands it."""

    lists: dict[tuple[str, int], list[Line]] = field(default_factory=dict)
    bindings: dict[tuple[str, str, int], str] = field(default_factory=dict)
    networks: dict[str, list[Any]] = field(default_factory=dict)
    services: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)

    @property
    def interfaces(self) -> set[str]:
        return {interface for interface, _, _ in self.bindings}

    def passes(self, packet: Packet) -> Any:
        """Whether the router lets the packet pass: a boolean, or a formula."""
        if packet.path == OUTPUT:
            return True
        inward = self._bound(packet, packet.ingress, "in")
        if packet.path == FORWARD:
            return conj(inward, self._bound(packet.routed(), packet.egress, "out"))
        return inward

    def list_passes(self, name: str, packet: Packet) -> Any:
        """One list alone. Undefined and empty lists permit everything."""
        lines = self.lists.get((name, packet.family))
        if not lines:
            return True
        passes: Any = False
        if packet.family == 6:  # neighbour discovery is permitted before the implicit deny
            discovery = conj(same(packet.protocol, 58), disj(packet.noninitial, one_of(packet.icmp_type, (135, 136))))
            passes = discovery
        for line in reversed(lines):
            hit = _decides(line, packet)
            passes = disj(conj(hit, line.permits), conj(neg(hit), passes))
        return passes

    def _bound(self, packet: Packet, interface: str, direction: str) -> Any:
        name = self.bindings.get((interface, direction, packet.family))
        return True if name is None else self.list_passes(name, packet)


def _decides(line: Line, packet: Packet) -> Any:
    layer3 = line.condition(packet)
    if line.fragments:
        return conj(layer3, packet.noninitial)
    if line.layer4 is None:
        return layer3
    whole = conj(neg(packet.noninitial), line.layer4(packet))
    return conj(layer3, disj(packet.noninitial, whole)) if line.permits else conj(layer3, whole)


def read(text: str) -> Router:
    """The router of a configuration; NotUnderstood for a line outside the subset."""
    router = Router()
    mode: tuple[str, ...] = ()
    pending: list[tuple[tuple[str, int], int, list[str]]] = []
    last: dict[tuple[str, int], int] = {}
    for raw in text.splitlines():
        words = raw.split()
        if not words or words[0].startswith("!") or words[0] in ("end", "version", "hostname", "configure", "exit"):
            continue
        head = " ".join(words[:3])
        if words[0] == "interface" and len(words) != 2:
            raise NotUnderstood(raw)
        if words[0] == "interface":
            mode = ("interface", words[1])
        elif head in ("ip access-list extended", "ip access-list standard"):
            mode = ("list", words[3], words[2])
            router.lists.setdefault((words[3], 4), [])
        elif head.startswith("ipv6 access-list"):
            mode = ("list6", words[2])
            router.lists.setdefault((words[2], 6), [])
        elif words[0] == "object-group":
            mode = (words[1], words[2])
        elif words[:2] == ["no", "ip"] or words[:2] == ["no", "ipv6"] or words[:2] == ["no", "access-list"]:
            pass  # the writer clears what it is about to write
        elif words[0] == "access-list":
            if words[2] != "remark":
                kind = "standard" if int(words[1]) < 100 or 1300 <= int(words[1]) < 2000 else "extended"
                key = (words[1], 4)
                last[key] = last.get(key, 0) + 10
                pending.append((key, last[key], [kind, *words[2:]]))
            mode = ()
        elif not raw[:1].isspace():
            raise NotUnderstood(raw)
        elif mode[:1] == ("interface",):
            _interface_line(router, mode[1], words, raw)
        elif mode[:1] == ("list",) or mode[:1] == ("list6",):
            key = (mode[1], 6 if mode[0] == "list6" else 4)
            if words[0] == "sequence":  # how IPv6 lists number their entries
                words = words[1:]
            number = last.get(key, 0) + 10
            if words[0].isdigit():
                number, words = int(words[0]), words[1:]
            if words[0] != "remark":
                last[key] = max(number, last.get(key, 0))
                pending.append((key, number, [mode[2] if mode[0] == "list" else "extended6", *words]))
        elif mode[:1] == ("network",):
            router.networks.setdefault(mode[1], []).append(_network_member(router, words))
        elif mode[:1] == ("service",):
            router.services.setdefault(mode[1], []).append(_service_member(words))
        else:
            raise NotUnderstood(raw)
    taken: dict[tuple[tuple[str, int], int], list[str]] = {}
    for key, number, words in sorted(pending, key=lambda one: one[1]):  # stable: entries stand by their numbers
        router.lists.setdefault(key, [])
        if taken.setdefault((key, number), words) != words:
            raise NotUnderstood(f"{number} stands twice")
        router.lists[key].append(_entry(router, words))
    return router


def _interface_line(router: Router, interface: str, words: list[str], raw: str) -> None:
    if words[:2] == ["ip", "access-group"]:
        router.bindings[(interface, words[3], 4)] = words[2]
    elif words[:2] == ["ipv6", "traffic-filter"]:
        router.bindings[(interface, words[3], 6)] = words[2]
    elif words[0] not in ("ip", "ipv6", "description", "no", "shutdown"):
        raise NotUnderstood(raw)


def address(text: str) -> int:
    """The number of a dotted address."""
    parts = [int(part) for part in text.split(".")]
    if len(parts) != 4 or any(part > 255 for part in parts):
        raise NotUnderstood(text)
    return int.from_bytes(bytes(parts), "big")


def address6(text: str) -> int:
    """The number of an IPv6 address."""
    import ipaddress

    return int(ipaddress.IPv6Address(text))


def _network_member(router: Router, words: list[str]) -> Any:
    if words[0] == "host":
        wanted = address(words[1])
        return lambda value: same(value, wanted)
    if words[0] == "range":
        low, high = address(words[1]), address(words[2])
        return lambda value: between(value, low, high)
    if words[0] == "any":
        return lambda value: True
    if words[0] == "group-object":
        return lambda value: disj(*(member(value) for member in router.networks[words[1]]))
    if words[0] == "description":
        return lambda value: False
    if words[0].startswith("/"):
        raise NotUnderstood(" ".join(words))
    base = address(words[0])
    if words[1].startswith("/"):
        length = int(words[1][1:])
        mask = (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF
    else:
        mask = address(words[1])
    return lambda value: masked(value, base & mask, mask)


def _service_member(words: list[str]) -> tuple[Any, Any]:
    if words[0] == "description":
        return (lambda packet: False), None
    protocols: Any = PROTOCOLS.get(words[0], words[0])
    if words[0] == "tcp-udp":
        numbers: tuple[int, ...] | None = (6, 17)
    else:
        numbers = None if protocols is None else (int(protocols),)
    rest = words[1:]
    tests: list[Any] = []
    if words[0] == "icmp" and rest:
        tests.append(_icmp(rest))
    elif rest and rest[0] == "source":
        tests.append(_ports("source_port", rest[1:])[0])
        rest = rest[1 + _ports("source_port", rest[1:])[1] :]
        if rest:
            tests.append(_ports("destination_port", rest)[0])
    elif rest:
        tests.append(_ports("destination_port", rest if not rest[0].isdigit() else ["eq", *rest])[0])

    def layer3(packet: Packet) -> Any:
        return True if numbers is None else one_of(packet.protocol, numbers)

    return layer3, (lambda packet: conj(*(test(packet) for test in tests))) if tests else None


def _port(word: str) -> int:
    return int(word) if word.isdigit() else PORTS[word]


def _ports(name: str, words: list[str]) -> tuple[Any, int]:
    """The test of one port operator and how many words it has."""
    if words[0] == "range":
        low, high = _port(words[1]), _port(words[2])
        return (lambda packet: between(getattr(packet, name), low, high)), 3
    if words[0] == "gt":
        return (lambda packet: between(getattr(packet, name), _port(words[1]) + 1, 65535)), 2
    if words[0] == "lt":
        return (lambda packet: between(getattr(packet, name), 0, _port(words[1]) - 1)), 2
    numbers = []
    for word in words[1:]:
        if not word.isdigit() and word not in PORTS:
            break
        numbers.append(_port(word))
    if words[0] == "eq":
        return (lambda packet: one_of(getattr(packet, name), numbers)), 1 + len(numbers)
    if words[0] == "neq":
        return (lambda packet: neg(one_of(getattr(packet, name), numbers))), 1 + len(numbers)
    raise NotUnderstood(" ".join(words))


def _icmp(words: list[str]) -> Any:
    if words[0] in ICMP:
        kind, code = ICMP[words[0]]
    else:
        kind, code = int(words[0]), int(words[1]) if len(words) > 1 and words[1].isdigit() else None
    return lambda packet: conj(same(packet.icmp_type, kind), True if code is None else same(packet.icmp_code, code))


class _Words:
    """The words of an entry, taken from the front."""

    def __init__(self, words: list[str]) -> None:
        self.rest = words

    def take(self) -> str:
        if not self.rest:
            raise NotUnderstood("an entry ends too early")
        word, self.rest = self.rest[0], self.rest[1:]
        return word

    def peek(self) -> str:
        return self.rest[0] if self.rest else ""


def _endpoint(router: Router, words: _Words, name: str, six: bool) -> Any:
    word = words.take()
    if word == "any":
        return lambda packet: True
    number = address6 if six else address
    if word == "host":
        wanted = number(words.take())
        return lambda packet: same(getattr(packet, name), wanted)
    if word == "object-group":
        group = words.take()
        return lambda packet: disj(*(member(getattr(packet, name)) for member in router.networks[group]))
    if six:
        base, _, length = word.partition("/")
        compared = (((1 << int(length)) - 1) << (128 - int(length))) if length else (1 << 128) - 1
        return lambda packet: masked(getattr(packet, name), number(base) & compared, compared)
    value = number(word)
    masked_here = re.match(r"\d+\.\d+\.\d+\.\d+$", words.peek())
    compared = ~(number(words.take()) if masked_here else 0) & 0xFFFFFFFF
    return lambda packet: masked(getattr(packet, name), value & compared, compared)


def _standard(words: _Words, router: Router, permits: bool) -> Line:
    source = _endpoint(router, words, "source", False)
    if [word for word in words.rest if word not in ("log", "log-input")]:
        raise NotUnderstood(" ".join(words.rest))
    return Line(permits, source, None, False)


def _entry(router: Router, all_words: list[str]) -> Line:
    words = _Words(all_words)
    kind = words.take()
    action = words.take()
    if action not in ("permit", "deny"):
        raise NotUnderstood(" ".join(all_words))
    permits = action == "permit"
    if kind == "standard":
        return _standard(words, router, permits)
    six = kind == "extended6"
    protocol = words.take()
    if protocol == "object-group":
        members = router.services[words.take()]
        if any(member[1] is not None for member in members) and any(member[1] is None for member in members):
            raise NotUnderstood("a service group that mixes layers")
        number: int | None = None
    else:
        members = []
        number = 58 if six and protocol == "icmp" else PROTOCOLS[protocol] if protocol in PROTOCOLS else int(protocol)
    layer3: list[Any] = []
    layer4: list[Any] = []
    if number is not None:
        layer3.append(lambda packet: same(packet.protocol, number))
    layer3.append(_endpoint(router, words, "source", six))
    if number in PORTED and words.peek() in ("eq", "neq", "gt", "lt", "range"):
        layer4.append(_take_ports(words, "source_port"))
    layer3.append(_endpoint(router, words, "destination", six))
    if number in PORTED and words.peek() in ("eq", "neq", "gt", "lt", "range"):
        layer4.append(_take_ports(words, "destination_port"))
    if number in (1, 58) and (words.peek() in ICMP or words.peek().isdigit()):
        taken = [words.take()]
        if taken[0].isdigit() and words.peek().isdigit():
            taken.append(words.take())
        layer4.append(_icmp(taken))
    fragments = _options(words, layer3, layer4)
    if members:
        return _with_services(permits, members, layer3)
    tests = list(layer4)
    return Line(
        permits,
        lambda packet: conj(*(test(packet) for test in layer3)),
        (lambda packet: conj(*(test(packet) for test in tests))) if tests else None,
        fragments,
    )


def _with_services(permits: bool, members: list[tuple[Any, Any]], layer3: list[Any]) -> Line:
    """A service group: an entry for each member, with one action.

    Kept to groups whose members are all of layer 3 or all of layer 4. A permit's
    fragments pass where a member's protocol agrees.
    """

    def outer(packet: Packet) -> Any:
        return conj(disj(*(member[0](packet) for member in members)), *(test(packet) for test in layer3))

    if members[0][1] is None:
        return Line(permits, outer, None, False)

    def inner(packet: Packet) -> Any:
        return disj(*(conj(member[0](packet), member[1](packet)) for member in members))

    return Line(permits, outer, inner, False)


def _take_ports(words: _Words, name: str) -> Any:
    test, count = _ports(name, words.rest)
    words.rest = words.rest[count:]
    return test


def _options(words: _Words, layer3: list[Any], layer4: list[Any]) -> bool:
    fragments = False
    bare = 0
    while words.rest:
        word = words.take()
        if word == "fragments":
            fragments = True
        elif word in ("log", "log-input"):
            pass
        elif word == "established":
            layer4.append(lambda packet: neg(masked(packet.flags, 0, 0x14)))
        elif word in FLAGS:
            bare |= FLAGS[word]
        elif word in ("match-all", "match-any"):
            layer4.append(_signed_flags(words, word == "match-all"))
        elif word in ("dscp", "precedence", "tos"):
            shift, mask = {"dscp": (2, 0xFC), "precedence": (5, 0xE0), "tos": (1, 0x1E)}[word]
            value = int(words.take()) << shift
            layer3.append(lambda packet, value=value, mask=mask: masked(packet.traffic_class, value, mask))
        elif word == "ttl":
            layer3.append(_ttl(words))
        else:
            raise NotUnderstood(word)
    if bare:
        layer4.append(lambda packet: neg(masked(packet.flags, 0, bare)))
    return fragments


def _signed_flags(words: _Words, every: bool) -> Any:
    tests = []
    while words.peek()[:1] in ("+", "-"):
        word = words.take()
        bit = FLAGS[word[1:]]
        tests.append((bit, bit if word[0] == "+" else 0))
    join = conj if every else disj
    return lambda packet: join(*(masked(packet.flags, value, bit) for bit, value in tests))


def _ttl(words: _Words) -> Any:
    operator, first = words.take(), int(words.take())
    if operator == "range":
        second = int(words.take())
        return lambda packet: between(packet.ttl, first, second)
    if operator == "eq":
        return lambda packet: same(packet.ttl, first)
    if operator == "neq":
        return lambda packet: neg(same(packet.ttl, first))
    if operator == "gt":
        return lambda packet: between(packet.ttl, first + 1, 255)
    return lambda packet: between(packet.ttl, 0, first - 1)
