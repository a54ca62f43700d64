"""One entry: ``permit tcp any host 10.0.0.2 eq www log``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from compiler.dialects.ios.addresses import ipv4_place, ipv6_place, standard_place
from compiler.dialects.ios.facts import EXTENSION_HEADERS, PROTOCOLS
from compiler.dialects.ios.operators import OPERATORS, comparison
from compiler.dialects.ios.options import Draft, read_options
from compiler.dialects.ios.ports import PORTS
from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.fields import Family
from compiler.integers import IntegerSet, is_number
from compiler.policy.access_list import Action, ListKind
from compiler.policy.match import ANY, Match

__all__ = ["ACTIONS", "Body", "read_body", "read_protocol"]

ACTIONS: Mapping[str, Action] = {"permit": Action.PERMIT, "deny": Action.DENY}

_SINGLE = {number: IntegerSet.values(number) for number in range(256)}


class Body(NamedTuple):
    """An entry without its place in a list; groups are names still."""

    action: Action
    match: Match = ANY
    fragments: bool = False
    log: str = ""
    source_group: str = ""
    destination_group: str = ""
    service_group: str = ""
    time_range: str = ""
    layer4_named: bool = False
    unmodelled: tuple[tuple[str, int, int], ...] = ()
    """Clauses outside the model: text, number of the first word, number of words."""
    sequence: int | None = None
    """From the IPv6 suffix ``sequence N``."""


def read_body(line: Words, family: Family, kind: ListKind) -> Body:
    """The entry whose action stands at ``line.at``."""
    start = line.at
    word = line.take("permit or deny")
    action = ACTIONS.get(word) or ACTIONS.get(word.lower())
    if action is None:
        lower = word.lower()
        if lower == "evaluate" and kind is ListKind.EXTENDED:
            line.take("the name of a reflexive list")
            line.remember("what it permits depends on connections seen before", start, 2)
            line.end()
            # All that the mirrored permits could ever pass: the clause narrows it, and every bound is sound.
            return Body(Action.PERMIT, unmodelled=tuple(line.unmodelled))
        if lower == "dynamic" and kind is ListKind.EXTENDED:
            line.take("the name of a dynamic list")
            count = 4 if line.peek() == "timeout" else 2
            line.refuse("it permits only users who have logged in (lock-and-key)", start, count)
            if line.peek().lower() not in ACTIONS:
                raise expected(line.peek(), line.at, "permit or deny", ACTIONS)
            return read_body(line, family, kind)
        raise expected(word, start, "permit, deny or remark", ("permit", "deny", "remark", "evaluate", "dynamic"))
    if kind is ListKind.STANDARD:
        return _standard(line, action)
    return _extended(line, action, family)


def _standard(line: Words, action: Action) -> Body:
    source, group = standard_place(line)
    log = ""
    if line.peek().lower() == "log":
        line.at += 1
        log = "log"
        if line.peek().lower() in ("log", "log-input"):
            raise Fault("the option 'log' is given twice", line.at)
        if line.at == len(line.words) - 1 and line.peek().isalnum():
            line.at += 1  # the log's own word
    if line.at < len(line.words):
        raise expected(
            line.peek(), line.at, "log or the end of the line: a standard list looks at the source only", ("log",)
        )
    return Body(action, Match(None, source), log=log, source_group=group)


def read_protocol(line: Words, family: Family) -> int | None:
    """The next word as protocol number, by number or by name; None for ``ip`` and ``ipv6``."""
    word = line.take("a protocol")
    names = PROTOCOLS[family]
    if word in names:
        return names[word]
    value = number(word, 0, 255)
    if value is not None:
        if family is Family.IPV6 and value in EXTENSION_HEADERS:
            line.refuse("this number is an extension header, not a protocol", line.at - 1, 1)
            return None
        return value
    if word.lower() in names:
        return names[word.lower()]
    if family is Family.IPV6 and word == "hbh":
        line.refuse("extension headers of IPv6 are not in the model", line.at - 1, 1)
        return None
    if is_number(word):
        raise Fault(f"'{word}' is not a protocol: expected 0 to 255", line.at - 1)
    raise expected(word, line.at - 1, f"a protocol: 0 to 255, object-group NAME, or one of {', '.join(names)}", names)


def _extended(line: Words, action: Action, family: Family) -> Body:
    service_group = ""
    protocol: int | None = None
    if line.peek() == "object-group":
        line.at += 1
        service_group = line.take("the name of an object-group service")
    else:
        protocol = read_protocol(line, family)
    place = ipv4_place if family is Family.IPV4 else ipv6_place
    names = PORTS.get(protocol) if protocol is not None else None
    words = line.words
    named = False
    source_port = destination_port = None
    source, source_group = place(line)
    if line.at < len(words) and words[line.at] in OPERATORS:
        if names is None:
            raise Fault(f"'{words[line.at]}' compares ports: it needs the protocol tcp, udp or sctp", line.at)
        source_port, named = comparison(line, names), True
    destination, destination_group = place(line)
    if names is not None and line.at < len(words) and words[line.at] in OPERATORS:
        destination_port, named = comparison(line, names), True
    single = None if protocol is None else _SINGLE[protocol]
    if line.at >= len(words):
        match = Match(None, source, destination, single, source_port, destination_port)
        unmodelled = tuple(line.unmodelled) if line.unmodelled else ()
        return Body(action, match, False, "", source_group, destination_group, service_group, "", named, unmodelled)
    draft = Draft(family, protocol, service_group)
    start = line.at
    read_options(line, draft)
    if draft.fragments and (named or draft.layer4_at >= 0):
        at = draft.layer4_at if draft.layer4_at >= 0 else start
        raise Fault("'fragments' matches packets without a layer-4 header: no ports, flags or types beside it", at)
    match = Match(
        None,
        source,
        destination,
        single,
        source_port,
        destination_port,
        draft.flags,
        None if draft.icmp_type is None else _SINGLE[draft.icmp_type],
        None if draft.icmp_code is None else _SINGLE[draft.icmp_code],
        draft.traffic_class(),
        draft.ttl,
    )
    return Body(
        action,
        match,
        draft.fragments,
        draft.log,
        source_group,
        destination_group,
        service_group,
        draft.time_range,
        named or draft.layer4_at >= 0,
        tuple(line.unmodelled),
        draft.sequence,
    )
