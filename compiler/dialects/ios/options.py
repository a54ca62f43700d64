"""What follows the addresses of an entry: flags, ICMP types, traffic class, TTL, log, time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from compiler.dialects.ios.facts import DSCP, IGMP_TYPES, PRECEDENCE, TCP_FLAG_WORDS, TOS
from compiler.dialects.ios.icmp import MESSAGES
from compiler.dialects.ios.operators import OPERATORS, comparison
from compiler.dialects.ios.reflexive import check_reflect
from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.fields import TCP_FLAGS, Family, flags_all, flags_any
from compiler.integers import IntegerSet, bit_pattern, is_number

__all__ = ["OPTIONS", "Draft", "read_options"]

_IGMP, _TCP = 2, 6


class Draft:
    """The options of one entry while they are read."""

    __slots__ = (
        "bare_flags",
        "dscp",
        "family",
        "flag_form",
        "flags",
        "fragments",
        "icmp_code",
        "icmp_type",
        "layer4_at",
        "log",
        "precedence",
        "protocol",
        "sequence",
        "service_group",
        "time_range",
        "tos",
        "ttl",
    )

    def __init__(self, family: Family, protocol: int | None, service_group: str) -> None:
        self.family = family
        self.protocol = protocol
        self.service_group = service_group
        self.bare_flags = 0
        self.flag_form = ""
        self.flags: IntegerSet | None = None
        self.icmp_type: int | None = None
        self.icmp_code: int | None = None
        self.dscp: int | None = None
        self.precedence: int | None = None
        self.tos: int | None = None
        self.ttl: IntegerSet | None = None
        self.fragments = False
        self.layer4_at = -1
        self.log = ""
        self.time_range = ""
        self.sequence: int | None = None

    def traffic_class(self) -> IntegerSet | None:
        """The bytes that dscp, or precedence and tos, leave."""
        return _traffic_class(self.dscp, self.precedence, self.tos)


@lru_cache(maxsize=1024)
def _traffic_class(dscp: int | None, precedence: int | None, tos: int | None) -> IntegerSet | None:
    value = mask = 0
    if dscp is not None:
        value, mask = dscp << 2, 0xFC
    if precedence is not None:
        value, mask = value | precedence << 5, mask | 0xE0
    if tos is not None:
        value, mask = value | tos << 1, mask | 0x1E
    return bit_pattern(value, mask, 8) if mask else None


Option = Callable[[Words, Draft], None]


def read_options(line: Words, draft: Draft) -> None:
    """All options up to the end of the line, into ``draft``."""
    table = OPTIONS[draft.family]
    given: set[str] = set()
    while line.at < len(line.words):
        word = line.words[line.at]
        option = table.get(word) or table.get(word.lower())
        if option is None:
            if _message(line, draft, word):
                continue
            raise _unknown(line, draft, word)
        name = _once(word, line.at, given)
        option(line, draft)
        given.add(name)
    if draft.bare_flags:
        draft.flags = flags_any(draft.bare_flags)


def _once(word: str, index: int, given: set[str]) -> str:
    """The option's name; a fault when it was given before, since the router keeps one of the two at most."""
    name = word.lower()
    if name == "log-input":
        name = "log"
    if name in given:
        raise Fault(f"the option '{name}' is given twice", index)
    return name


def _unknown(line: Words, draft: Draft, word: str) -> Fault:
    known = list(OPTIONS[draft.family])
    messages = MESSAGES.get(draft.protocol or 0, {})
    what = "an option (" + ", ".join(known[:12]) + ", …)"
    if messages:
        what = "an ICMP type, or " + what
    if word in OPERATORS:
        return Fault(f"'{word}' compares ports: it needs tcp, udp or sctp, directly behind an address", line.at)
    return expected(word, line.at, what + ", or the end of the line", [*known, *messages])


def _message(line: Words, draft: Draft, word: str) -> bool:
    """An ICMP type (and code), or an IGMP type, without a keyword before it."""
    messages = MESSAGES.get(draft.protocol or 0)
    if messages is not None and draft.icmp_type is None:
        if is_number(word) or word.lower() in messages:
            _icmp(line, draft, messages)
            return True
    elif draft.protocol == _IGMP and (is_number(word) or word in IGMP_TYPES):
        draft.layer4_at = line.at
        line.refuse("IGMP types are not in the model", line.at, 1)
        return True
    return False


def _icmp(line: Words, draft: Draft, messages: Mapping[str, tuple[int, int | None]]) -> None:
    draft.layer4_at = line.at
    word = line.take("an ICMP type")
    if not is_number(word):
        draft.icmp_type, draft.icmp_code = messages[word.lower()]
        return
    draft.icmp_type = number(word, 0, 255)
    if draft.icmp_type is None:
        raise Fault(f"'{word}' is not an ICMP type: expected 0 to 255", line.at - 1)
    if is_number(line.peek()):
        code = line.take("an ICMP code")
        draft.icmp_code = number(code, 0, 255)
        if draft.icmp_code is None:
            raise Fault(f"'{code}' is not an ICMP code: expected 0 to 255", line.at - 1)


def _need_tcp(line: Words, draft: Draft) -> None:
    if draft.protocol != _TCP:
        raise Fault(f"'{line.peek()}' needs the protocol tcp", line.at)
    draft.layer4_at = line.at


def _flag_form(line: Words, draft: Draft, form: str) -> None:
    _need_tcp(line, draft)
    if draft.flag_form not in ("", form):
        raise Fault(f"'{line.peek()}' does not mix with '{draft.flag_form}'", line.at)
    draft.flag_form = form


def _established(line: Words, draft: Draft) -> None:
    """ACK or RST set (Cisco: "established"): a test of flags, not of a connection."""
    _flag_form(line, draft, "flags")
    draft.bare_flags |= TCP_FLAGS["ack"] | TCP_FLAGS["rst"]
    line.at += 1


def _bare_flag(line: Words, draft: Draft) -> None:
    _flag_form(line, draft, "flags")
    draft.bare_flags |= TCP_FLAGS[line.take("a flag").lower()]


def _match_flags(line: Words, draft: Draft) -> None:
    if draft.flag_form:
        raise Fault(f"'{line.peek()}' does not mix with other flags", line.at)
    form = line.peek().lower()
    _flag_form(line, draft, form)
    start = line.at
    line.at += 1
    required = forbidden = 0
    while line.peek()[:1] in ("+", "-") and line.peek():
        sign, name = line.peek()[0], line.peek()[1:].lower()
        bit = TCP_FLAGS[name] if name in TCP_FLAG_WORDS else 0
        if not bit:
            raise expected(line.peek(), line.at, "+ or - with " + ", ".join(TCP_FLAG_WORDS), TCP_FLAG_WORDS)
        if bit & (required | forbidden):
            raise Fault(f"the flag {name} is named twice", line.at)
        if sign == "+":
            required |= bit
        else:
            forbidden |= bit
        line.at += 1
    if line.at == start + 1:
        raise expected(line.peek(), line.at, "flags with + or -, such as +syn -ack")
    draft.flags = (flags_all if form == "match-all" else flags_any)(required, forbidden)


def _fragments(line: Words, draft: Draft) -> None:
    draft.fragments = True
    line.at += 1


def _named_value(line: Words, names: Mapping[str, int], top: int, what: str) -> int:
    line.at += 1
    word = line.take(what)
    value = number(word, 0, top)
    if value is None:
        value = names.get(word.lower())
    if value is None:
        raise expected(word, line.at - 1, f"{what}: 0 to {top} or one of {', '.join(names)}", names)
    return value


def _dscp(line: Words, draft: Draft) -> None:
    if draft.precedence is not None or draft.tos is not None:
        raise Fault("'dscp' excludes 'precedence' and 'tos'", line.at)
    draft.dscp = _named_value(line, DSCP, 63, "a code point")


def _precedence(line: Words, draft: Draft) -> None:
    if draft.dscp is not None:
        raise Fault("'precedence' excludes 'dscp'", line.at)
    draft.precedence = _named_value(line, PRECEDENCE, 7, "a precedence")


def _tos(line: Words, draft: Draft) -> None:
    if draft.dscp is not None:
        raise Fault("'tos' excludes 'dscp'", line.at)
    draft.tos = _named_value(line, TOS, 15, "a type of service")


def _ttl(line: Words, draft: Draft) -> None:
    line.at += 1
    if line.peek() not in OPERATORS:
        raise expected(line.peek(), line.at, "eq, neq, gt, lt or range", OPERATORS)
    draft.ttl = comparison(line, width=8, what="TTL")


def _log(line: Words, draft: Draft) -> None:
    """``log`` or ``log-input``; a last word that looks like no option is the log's own word."""
    draft.log = line.take("log").lower()
    word = line.peek()
    if word and line.at == len(line.words) - 1 and word.lower() not in OPTIONS[draft.family]:
        if is_number(word) or expected(word, 0, "", OPTIONS[draft.family]).message.endswith("?"):
            return
        line.at += 1


def _time_range(line: Words, draft: Draft) -> None:
    line.at += 1
    draft.time_range = line.take("the name of a time-range")


def _sequence(line: Words, draft: Draft) -> None:
    line.at += 1
    word = line.take("a sequence number")
    draft.sequence = number(word, 1, 0xFFFFFFFE)
    if draft.sequence is None:
        raise Fault(f"'{word}' is not a sequence number: expected 1 to 4294967294", line.at - 1)


def _outside(why: str, count: int) -> Option:
    def option(line: Words, _draft: Draft) -> None:
        line.refuse(why, line.at, count)

    return option


def _reflect(line: Words, _draft: Draft) -> None:
    count = 4 if line.words[line.at + 2 : line.at + 3] == ["timeout"] else 2
    if line.simulate:
        check_reflect(line)
    line.remember("it opens the way back for connections, which is state", line.at, count)


def _optional_value(why: str) -> Option:
    """A clause with or without a number behind it."""

    def option(line: Words, _draft: Draft) -> None:
        following = line.words[line.at + 1 : line.at + 2]
        line.refuse(why, line.at, 2 if following and is_number(following[0]) else 1)

    return option


_COMMON: dict[str, Option] = {
    "log": _log,
    "log-input": _log,
    "time-range": _time_range,
    "fragments": _fragments,
    "dscp": _dscp,
    "established": _established,
    "match-all": _match_flags,
    "match-any": _match_flags,
    **dict.fromkeys(TCP_FLAG_WORDS, _bare_flag),
    "reflect": _reflect,
}

_HEADER = "extension headers of IPv6 are not in the model"

OPTIONS: Mapping[Family, Mapping[str, Option]] = MappingProxyType(
    {
        Family.IPV4: {
            **_COMMON,
            "precedence": _precedence,
            "tos": _tos,
            "ttl": _ttl,
            "option": _outside("IP options are not in the model", 2),
        },
        Family.IPV6: {
            **_COMMON,
            "sequence": _sequence,
            "flow-label": _outside("the flow label is not in the model", 2),
            "routing": _outside(_HEADER, 1),
            "routing-type": _outside(_HEADER, 2),
            "hbh": _outside(_HEADER, 1),
            "auth": _outside(_HEADER, 1),
            "mobility": _outside(_HEADER, 1),
            "mobility-type": _outside(_HEADER, 2),
            "dest-option": _optional_value(_HEADER),
            "dest-option-type": _outside(_HEADER, 2),
            "undetermined-transport": _outside("whether the transport can be found is not in the model", 1),
        },
    }
)
"""Family -> word -> what reads it."""
