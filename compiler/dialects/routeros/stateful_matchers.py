"""Matchers that look at connections, marks, counters and rates, from their texts to conditions.

Equal texts are parsed once. Values may begin with ``!``, which negates the
matcher. Sources: MikroTik documentation, "Common Firewall Matchers and
Actions" and "Per connection classifier"; the manual of version 2.9 for the
old form of ``nth``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from compiler.dialects.routeros.durations import duration
from compiler.dialects.routeros.faults import MatcherFault
from compiler.errors import Unmodelled
from compiler.integers import IntegerSet
from compiler.policy.stateful import (
    AddressKind,
    Condition,
    Counter,
    Hash,
    HelperIs,
    LengthIn,
    Limit,
    LocalAddress,
    MarkNamed,
    NumberIn,
    RandomNumber,
    Register,
    State,
    StateIn,
    StatusIs,
)

__all__ = ["CLASSIFIER_FIELDS", "CONDITIONS", "condition"]

CLASSIFIER_FIELDS = {
    "both-addresses": ("source", "destination"),
    "both-ports": ("source_port", "destination_port"),
    "both-addresses-and-ports": ("source", "destination", "source_port", "destination_port"),
    "src-address": ("source",),
    "dst-address": ("destination",),
    "src-port": ("source_port",),
    "dst-port": ("destination_port",),
    "src-address-and-port": ("source", "source_port"),
    "dst-address-and-port": ("destination", "destination_port"),
}
"""What the per-connection-classifier hashes, in the order of its key."""

_HELPERS = ("dccp", "ftp", "h323", "irc", "pptp", "quake3", "rtsp", "sctp", "sip", "tftp", "udplite")


@lru_cache(maxsize=4096)
def condition(name: str, text: str) -> Condition:
    """The condition that ``name=text`` is. Raises :class:`MatcherFault`."""
    negated = text.startswith("!")
    body = text[1:] if negated else text
    if not body:
        raise MatcherFault(f"{name} has no value")
    return _READERS[name](name, body, negated)


def _near(word: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # only for messages: it costs start-up time

    near = get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else f": expected {', '.join(known)}"


def _choices(name: str, body: str, known: tuple[str, ...]) -> list[str]:
    words = body.split(",")
    for word in words:
        if word not in known:
            raise MatcherFault(f"{name}={body}: {word!r} is none of its values{_near(word, known)}")
    return words


def _count(name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high):
        raise MatcherFault(f"{name}: {text!r} stands where a number from {low} to {high} is expected")
    return int(text)


def _read_state(name: str, body: str, negated: bool) -> Condition:
    states = frozenset(State(word) for word in _choices(name, body, tuple(state.value for state in State)))
    return StateIn(frozenset(State) - states if negated else states)


def _read_translation(name: str, body: str, negated: bool) -> Condition:
    words = _choices(name, body, ("srcnat", "dstnat"))
    return StatusIs(frozenset({"srcnat": "snat", "dstnat": "dnat"}[word] for word in words), negated)


def _read_mark(name: str, body: str, negated: bool) -> Condition:
    register = Register(name.removesuffix("-mark"))
    return MarkNamed(register, "" if body == "no-mark" else body, negated)


def _read_nth(name: str, body: str, negated: bool) -> Condition:
    parts = body.split(",")
    if negated:
        raise MatcherFault(f"{name} cannot be negated")
    if len(parts) == 3:
        raise MatcherFault(
            f"{name}={body} is the form every,counter,packet of RouterOS 2.9: since version 3 each rule counts for "
            "itself; write nth=EVERY,PACKET with PACKET from 1"
        )
    if len(parts) != 2:
        raise MatcherFault(f"{name}={body}: expected EVERY,PACKET as in nth=2,1")
    every = _count(name, parts[0], 1, 0xFFFFFFFF)
    packet = _count(name, parts[1], 0, 0xFFFFFFFF)
    if not 1 <= packet <= every:
        raise MatcherFault(f"{name}={body}: packets count from 1 to {every} here, and {packet} never comes")
    return NumberIn(Counter(every), IntegerSet.values(packet - 1))


def _read_classifier(name: str, body: str, negated: bool) -> Condition:
    found = re.fullmatch(r"([^:]+):([^/]+)/(.+)", body)
    if found is None:
        raise MatcherFault(f"{name}={body}: expected FIELDS:DENOMINATOR/REMAINDER as in both-addresses:2/0")
    fields = CLASSIFIER_FIELDS.get(found[1])
    if fields is None:
        raise MatcherFault(
            f"{found[1]!r} is no set of fields to classify by{_near(found[1], tuple(CLASSIFIER_FIELDS))}"
        )
    denominator = _count(name, found[2], 1, 0xFFFFFFFF)
    remainder = _count(name, found[3], 0, 0xFFFFFFFF)
    if remainder >= denominator:
        raise MatcherFault(f"{name}={body}: a remainder by {denominator} is at most {denominator - 1}")
    values = IntegerSet.values(remainder)
    if negated:
        values = IntegerSet.of([(0, remainder - 1), (remainder + 1, denominator - 1)])
    return NumberIn(Hash(fields, denominator, per_connection=True), values)


def _read_random(name: str, body: str, negated: bool) -> Condition:
    if negated:
        raise MatcherFault(f"{name} cannot be negated")
    percent = _count(name, body, 1, 99)
    return NumberIn(RandomNumber(100), IntegerSet.range(0, percent - 1))


def _read_limit(name: str, body: str, negated: bool) -> Condition:
    """``RATE[/TIME],BURST[:packet|:bit]``; numbers may end in k, M or G."""
    found = re.fullmatch(r"(\d{1,9}[kMG]?)(?:/([0-9a-z:.]+))?,(\d{1,9}[kMG]?)(?::(packet|bit))?", body, re.ASCII)
    period = duration(found[2] or "1s") if found else None
    if found is None or not period:
        raise MatcherFault(f"{name}={body}: expected RATE/TIME,BURST:MODE as in 10/1s,5:packet or 1M,1M:bit")
    amount, burst = _scaled(found[1]), _scaled(found[3])
    if not amount:
        raise MatcherFault(f"{name}={body}: a rate of nothing")
    if found[4] == "bit":  # octets are counted: the same rate is as many octets in eight times the time
        return Limit(amount, period * 8, burst // 8, negated, octets=True)
    return Limit(amount, period, burst, negated)


def _scaled(text: str) -> int:
    scale = {"k": 1000, "M": 1_000_000, "G": 1_000_000_000}.get(text[-1])
    return int(text[:-1]) * scale if scale else int(text)


def _read_kind(name: str, body: str, negated: bool) -> Condition:
    words = _choices(name, body, tuple(kind.value for kind in AddressKind))
    field = "source" if name.startswith("src") else "destination"
    return LocalAddress(field, frozenset(AddressKind(word) for word in words), negated)


def _read_length(name: str, body: str, negated: bool) -> Condition:
    low, dash, high = body.partition("-")
    first = _count(name, low, 0, 65535)
    last = _count(name, high, 0, 65535) if dash else first
    if first > last:
        raise MatcherFault(f"{name}={body}: the range runs backwards")
    values = IntegerSet.range(first, last)
    return LengthIn(values.complement(16) if negated else values)


def _read_helper(name: str, body: str, negated: bool) -> Condition:
    if body not in _HELPERS:
        raise MatcherFault(f"{name}={body}: unknown{_near(body, _HELPERS)}")
    if body in ("dccp", "sctp", "udplite"):
        raise MatcherFault(f"{name}={body} is not modelled", Unmodelled)
    return HelperIs(body, negated)


_READERS: dict[str, Callable[[str, str, bool], Condition]] = {
    "connection-state": _read_state,
    "connection-nat-state": _read_translation,
    "connection-type": _read_helper,
    "connection-mark": _read_mark,
    "packet-mark": _read_mark,
    "routing-mark": _read_mark,
    "src-address-type": _read_kind,
    "dst-address-type": _read_kind,
    "packet-size": _read_length,
    "per-connection-classifier": _read_classifier,
    "random": _read_random,
    "limit": _read_limit,
    "nth": _read_nth,
}

_ORDER = (
    *("connection-state", "connection-nat-state", "connection-type", "connection-mark", "packet-mark", "routing-mark"),
    *("src-address-type", "dst-address-type", "packet-size", "src-address-list", "dst-address-list"),
    *("per-connection-classifier", "random", "limit", "nth"),
)
CONDITIONS = {name: place for place, name in enumerate(_ORDER)}
"""The matchers with conditions, and their places in the order in which a rule looks at them.

MikroTik documents no order but that ``nth`` counts the packets that all the
rest of its rule matched. So what only looks comes first, then what draws: the
classifier (which gives equal packets equal numbers), then ``random``,
``limit`` and, last, ``nth``: the order of Winbox's pages. Address lists have a
condition where rules fill them; that needs the tables and is read there.
"""
