"""``snat``, ``dnat``, ``masquerade`` and ``redirect``, word by word, for the simulator."""

from __future__ import annotations

import re
from typing import NamedTuple

from compiler.dialects.nftables.changes import add_cases
from compiler.dialects.nftables.datatypes import DATATYPES, DataType, NotThatType, interval
from compiler.dialects.nftables.draft import Alternative, Draft
from compiler.dialects.nftables.elements import Atom
from compiler.dialects.nftables.lookups import Case, Drawn, begins_lookup, read_lookup
from compiler.dialects.nftables.numbers import drawn_conditions
from compiler.dialects.nftables.stateful_conditions import Reading, add_clause
from compiler.dialects.nftables.tokens import END, Cursor
from compiler.fields import Family
from compiler.policy.access_list import Clause
from compiler.policy.ruleset import Verdict
from compiler.policy.stateful import AddressRange, Translate, Translation

__all__ = ["read_translation"]

_ENDS = frozenset({"\n", ";", "}", END, "comment"})
_FLAGS = frozenset({"random", "fully-random", "persistent"})
_KINDS = {
    "snat": Translation.SOURCE,
    "dnat": Translation.DESTINATION,
    "masquerade": Translation.MASQUERADE,
    "redirect": Translation.REDIRECT,
}
_WHOLE = {
    Translation.SOURCE: Translation.NETMAP_SOURCE,
    Translation.DESTINATION: Translation.NETMAP_DESTINATION,
}
_SERVICE = DATATYPES["inet_service"]
_ADDRESS = {Family.IPV4: DATATYPES["ipv4_addr"], Family.IPV6: DATATYPES["ipv6_addr"]}
_BRACKETS = re.compile(r"\[([0-9a-fA-F:.]+)\]", re.ASCII)


class _Head(NamedTuple):
    """What stands before ``to``."""

    kind: Translation
    family: Family | None
    netmap: bool
    with_port: bool
    """``addr . port``."""


def read_translation(reading: Reading, draft: Draft) -> None:
    """The statement at the cursor; it decides, so the draft gets its verdict too."""
    cursor, first = reading.cursor, reading.cursor.position
    words = cursor.words
    head = _head(cursor, draft)
    plain = head.kind in (Translation.MASQUERADE, Translation.REDIRECT)
    bare = Translate(head.kind)
    found: list[Case] | Drawn | Translate = bare
    if words[cursor.position] == "to":
        cursor.position += 1
        found = _port_target(reading, draft, bare) if plain else _target(reading, draft, head)
    elif not plain:
        raise cursor.expected("'to' and an address")
    flags = _flags(cursor)
    if words[cursor.position] not in _ENDS:
        raise cursor.expected("a flag (random, fully-random, persistent) or the end of the rule")
    draft.verdict = Verdict.ACCEPT
    _add(reading, draft, first, head, found, flags)


def _head(cursor: Cursor, draft: Draft) -> _Head:
    words, first = cursor.words, cursor.position
    kind = _KINDS[words[first]]
    cursor.position += 1
    family = {"ip": Family.IPV4, "ip6": Family.IPV6}.get(words[cursor.position])
    if family is not None:
        if kind in (Translation.MASQUERADE, Translation.REDIRECT):
            raise cursor.expected("'to', a flag or the end of the rule")
        draft.require_family(family)
        cursor.position += 1
    netmap = with_port = False
    while words[cursor.position] in ("prefix", "interval", "addr"):
        netmap = netmap or words[cursor.position] == "prefix"
        if words[cursor.position : cursor.position + 3] == ["addr", ".", "port"]:
            with_port = True
            cursor.position += 2
        cursor.position += 1
    return _Head(kind, family or draft.family, netmap, with_port)


# -- targets ----------------------------------------------------------------------------


def _target(reading: Reading, draft: Draft, head: _Head) -> list[Case] | Drawn | Translate:
    cursor = reading.cursor
    words, first = cursor.words, cursor.position
    if words[first][:1] == ":":
        if words[first - 2] in ("ip", "ip6"):
            raise cursor.expected("an address: nft takes ports alone without ip or ip6")
        return _port_target(reading, draft, Translate(head.kind))
    if head.family is None:
        raise cursor.fault("an address in a table of both families: nft wants 'ip to' or 'ip6 to'", first)
    kind = _ADDRESS[head.family]
    netmap = head.netmap
    if words[first] in ("prefix", "interval"):
        netmap = netmap or words[first] == "prefix"
        cursor.position += 1
        first = cursor.position
    if begins_lookup(words, first):
        return _address_lookup(reading, draft, head, kind)
    text = _target_text(cursor)
    addresses, ports = _split(cursor, first, kind, text)
    low, high = _read(cursor, first, kind, addresses)
    _check_netmap(cursor, first, netmap, low, high)
    found = Translate(
        _WHOLE[head.kind] if netmap else head.kind,
        (AddressRange(head.family, low, high),),
        _ports(cursor, draft, first, ports) if ports else None,
    )
    if text.endswith(":"):
        return _port_lookup(reading, draft, found)
    return found


def _target_text(cursor: Cursor) -> str:
    """The words of an address, a range and ports, joined."""
    words, text = cursor.words, ""
    while words[cursor.position] not in _ENDS and words[cursor.position] not in _FLAGS:
        if text.endswith(":") and begins_lookup(words, cursor.position):
            break
        text += words[cursor.position]
        cursor.position += 1
    return text


def _split(cursor: Cursor, first: int, kind: DataType, text: str) -> tuple[str, str]:
    """Addresses and ports of ``10.0.0.1-10.0.0.9:80`` or ``[2001:db8::1]:80``."""
    if kind.width == 32:
        addresses, _, ports = text.partition(":")
        return addresses, ports
    if "[" not in text:
        return text, ""
    closing = text.rindex("]") + 1 if "]" in text else 0
    rest = text[closing:]
    if not closing or (rest and rest[0] != ":"):
        raise cursor.expected("an address like [2001:db8::1]:80", first)
    return _BRACKETS.sub(r"\1", text[:closing]), rest[1:]


def _read(cursor: Cursor, first: int, kind: DataType, text: str) -> tuple[int, int]:
    try:
        return interval(kind, text)
    except NotThatType as error:
        raise cursor.expected(str(error), first) from None


def _check_netmap(cursor: Cursor, first: int, netmap: bool, low: int, high: int) -> None:
    size = high - low + 1
    if netmap and (size & (size - 1) or low % size):
        raise cursor.fault("a prefix is expected, not a range", first)


def _ports(cursor: Cursor, draft: Draft, first: int, text: str) -> tuple[int, int]:
    _check_protocol(cursor, draft, first)
    return _read(cursor, first, _SERVICE, text)


def _check_protocol(cursor: Cursor, draft: Draft, first: int) -> None:
    """nft: "transport protocol mapping is only valid after transport protocol match"."""
    if draft.fields.get("protocol") is None:
        raise cursor.fault(
            "a port, but no protocol: nft takes it only after a match like tcp dport or meta l4proto", first
        )


def _port_target(reading: Reading, draft: Draft, bare: Translate) -> list[Case] | Drawn | Translate:
    """``:80``, ``:1024-65535`` or a map to ports."""
    cursor = reading.cursor
    words, first = cursor.words, cursor.position
    if words[first] == ":":
        cursor.position += 1
    elif words[first][:1] == ":" and begins_lookup([words[first][1:], *words[first + 1 : first + 3]], 0):
        cursor.cut(first, [":", words[first][1:]])
        cursor.position += 1
    if begins_lookup(words, cursor.position):
        return _port_lookup(reading, draft, bare)
    return bare._replace(ports=_ports(cursor, draft, first, _target_text(cursor).removeprefix(":")))


# -- lookups ------------------------------------------------------------------------------


def _port_lookup(reading: Reading, draft: Draft, bare: Translate) -> list[Case] | Drawn:
    cursor, first = reading.cursor, reading.cursor.position
    found = read_lookup(cursor, draft, reading.sets, reading.read_key, (_SERVICE,))
    # A key like tcp dport says it too: nft 1.0 wants it twice, 1.1 lists it once.
    _check_protocol(cursor, draft, first)
    _check_mapped(cursor, first, found)

    def whole(value: tuple[Atom, ...]) -> tuple[Atom, ...]:
        address = bare.addresses[0] if bare.addresses else None
        return ((address.first, address.last) if address else "", value[0])

    if isinstance(found, Drawn):
        return Drawn(found.number, tuple((numbers, whole(value)) for numbers, value in found.table))
    return [case._replace(found=whole(case.found)) for case in found]


def _address_lookup(reading: Reading, draft: Draft, head: _Head, kind: DataType) -> list[Case] | Drawn:
    cursor, first = reading.cursor, reading.cursor.position
    found = read_lookup(cursor, draft, reading.sets, reading.read_key, (kind, _SERVICE))
    _check_mapped(cursor, first, found)
    values = [value for _, value in found.table] if isinstance(found, Drawn) else [case.found for case in found]
    if any(len(value) > 1 for value in values):
        _check_protocol(cursor, draft, first)
    elif head.with_port and values:
        raise cursor.fault("'addr . port', but the map has addresses alone", first)
    for value in values:
        low, high = _pair(value[0])
        _check_netmap(cursor, first, head.netmap, low, high)
    return found


def _check_mapped(cursor: Cursor, first: int, found: list[Case] | Drawn) -> None:
    if isinstance(found, Drawn) and not found.table:
        raise cursor.expected("'map' and what the numbers stand for")
    if not isinstance(found, Drawn) and not found:
        raise cursor.fault("an empty map translates nothing", first)


# -- the meaning ----------------------------------------------------------------------------


class _Flags(NamedTuple):
    persistent: bool
    random: bool


def _flags(cursor: Cursor) -> _Flags:
    words = cursor.words
    flags = set()
    while words[cursor.position] in _FLAGS:
        flags.add(words[cursor.position])
        cursor.position += 1
        if words[cursor.position] == "," and words[cursor.position + 1] in _FLAGS:
            cursor.position += 1
    return _Flags("persistent" in flags, bool(flags - {"persistent"}))


def _add(
    reading: Reading,
    draft: Draft,
    first: int,
    head: _Head,
    found: list[Case] | Drawn | Translate,
    flags: _Flags,
) -> None:
    if isinstance(found, Translate):
        add_clause(reading, draft, first, found._replace(persistent=flags.persistent, random=flags.random))
        return

    def meaning(value: tuple[Atom, ...]) -> Translate:
        kind = _WHOLE[head.kind] if head.netmap else head.kind
        addresses = () if value[0] == "" else (_range(head, value[0]),)
        return Translate(kind, addresses, _pair(value[1]) if len(value) > 1 else None, *flags)

    if not isinstance(found, Drawn):
        add_cases(reading, draft, first, found, meaning)
        return
    if all(len(value) == 1 for _, value in found.table):
        table = tuple((numbers, _range(head, value[0])) for numbers, value in found.table)
        add_clause(reading, draft, first, Translate(head.kind, (), None, *flags, found.number, table))
        return
    cursor = reading.cursor
    conditions = drawn_conditions(found.number, [numbers for numbers, _ in found.table])
    if conditions is None:
        raise cursor.unmodelled(
            "a hash without a seed and more than two ways: give it a seed", first, cursor.position - 1
        )
    text, span = cursor.text(first, cursor.position), cursor.span(first, cursor.position - 1)
    draft.choices.append(
        tuple(
            Alternative(
                clause=None if condition is None else Clause(text, span, condition),
                effect=Clause(text, span, meaning(value)),
            )
            for condition, (_, value) in zip(conditions, found.table, strict=True)
        )
    )


def _range(head: _Head, atom: Atom) -> AddressRange:
    assert head.family is not None
    return AddressRange(head.family, *_pair(atom))


def _pair(atom: Atom) -> tuple[int, int]:
    assert not isinstance(atom, str)
    return atom
