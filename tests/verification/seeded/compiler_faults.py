"""Ten faults that a compiler of access lists might have, each put into one stage of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

from compiler.addresses import format_address
from compiler.dialects.nftables import phrases
from compiler.dialects.nftables import writer as nft_writer
from compiler.dialects.routeros import wording
from compiler.lowering import lists
from compiler.policy.match import ANY, without_layer4
from compiler.policy.ruleset import Verdict

__all__ = ["FAULTS", "Fault", "seeded"]

_CACHES = (nft_writer._rest, phrases.addresses, phrases.numbers, phrases.flags, wording._rest, wording._inline)


class Fault(NamedTuple):
    """One fault: which function of which module is wrong, and what must be left of a counterexample."""

    name: str
    target: str
    module: Any
    function: str
    wrong: Callable[..., Any]
    minimal: dict[tuple[str, ...], str]
    """What may be left: lists of which nothing can go, each with its packet. Alternatives are of one length."""


@contextmanager
def seeded(fault: Fault) -> Iterator[None]:
    """Our compiler with the fault in it. What it has cached is forgotten before and after."""
    for cache in _CACHES:
        cache.cache_clear()
    try:
        with patch.object(fault.module, fault.function, fault.wrong):
            yield
    finally:
        for cache in _CACHES:
            cache.cache_clear()


_numbers, _addresses, _flags = phrases.numbers.__wrapped__, phrases.addresses.__wrapped__, phrases.flags.__wrapped__
_rules, _entry_matches, _conditions = lists._rules, lists.entry_matches, nft_writer._conditions
_layer4, _icmp, _entry = nft_writer._layer4, wording._icmp, wording.address_entry


def _short_range(value):
    """A range that ends one early."""
    return phrases._listed([str(low) if low >= high - 1 else f"{low}-{high - 1}" for low, high in value.intervals])


def _inverted(value):
    """Compares the bits that the wildcard leaves free."""
    wildcard = value.as_wildcard()
    if wildcard is None or wildcard.is_contiguous:
        return _addresses(value)
    return f"& {format_address(wildcard.mask, 32)} == {format_address(wildcard.value, 32)}"


def _permits_first(access_list, times, deny):
    """Sorts by verdict: the first match no longer decides."""
    *found, last = _rules(access_list, times, deny)
    yield from sorted(found, key=lambda rule: rule.verdict is not Verdict.RETURN)
    yield last


def _denies_fragments(entry, times, *, noninitial):
    """A deny with ports stops later fragments too."""
    if noninitial and not entry.fragments:
        return (without_layer4(match) for match in entry.matches)
    return _entry_matches(entry, times, noninitial=noninitial)


def _ack_only(value):
    """Established, without the resets."""
    said = _flags(value)
    return "& ack == ack" if said.replace(" ", "").startswith(("&(rst|ack)", "&(ack|rst)", "&20", "&0x14")) else said


def _no_implicit_deny(access_list, times, deny):
    """The end of the list lets everything pass."""
    found = list(_rules(access_list, times, deny))
    return iter(found[:-1] if found[-1].match == ANY else found)


def _swapped(match, family, source_set, destination_set):
    """Source for destination."""
    turned = match._replace(source=match.destination, destination=match.source)
    return _conditions(turned, family, destination_set, source_set)


def _without_code(match):
    """Any code of an ICMP type."""
    return _icmp(match._replace(icmp_code=None))


def _always_tcp(match):
    """Ports are TCP's."""
    return [part.replace("udp ", "tcp ") for part in _layer4(match)]


def _long_prefix(low, high, width):
    """A prefix that is one bit too long."""
    said = _entry(low, high, width)
    base, slash, length = said.partition("/")
    return f"{base}/{int(length) + 1}" if slash else said


_TO = "> 198.51.100.1"
_SYN = "flags=syn in=GigabitEthernet0/1"
_IN = "in=GigabitEthernet0/1"

FAULTS = (
    Fault(
        "range ends one early",
        "nftables",
        phrases,
        "numbers",
        _short_range,
        {
            ("permit tcp any any range 20 21",): f"tcp 192.0.2.1:1025 {_TO}:21 {_SYN}",
            ("permit udp any any range 1024 65535",): f"udp 192.0.2.1:1025 {_TO}:65535 {_IN}",
        },
    ),
    Fault(
        "wildcard inverted",
        "nftables",
        phrases,
        "addresses",
        _inverted,
        {("permit ip 10.0.0.0 0.0.0.254 any",): f"tcp 10.0.0.0:1025 {_TO}:80 {_SYN}"},
    ),
    Fault(
        "first match lost",
        "nftables",
        lists,
        "_rules",
        _permits_first,
        {
            ("deny tcp any any", "permit ip any any"): f"tcp 192.0.2.1:1025 {_TO}:80 {_SYN}",
            ("deny ip any any", "permit tcp any any"): f"tcp 192.0.2.1:1025 {_TO}:80 {_SYN}",
        },
    ),
    Fault(
        "deny stops later fragments",
        "routeros",
        lists,
        "entry_matches",
        _denies_fragments,
        {
            ("deny tcp any any eq 80", "permit ip any any"): f"tcp 192.0.2.1 {_TO} fragment {_IN}",
            ("deny udp any any eq 80", "permit ip any any"): f"udp 192.0.2.1 {_TO} fragment {_IN}",
            ("deny icmp any any 8", "permit ip any any"): f"icmp 192.0.2.1 {_TO} fragment {_IN}",
        },
    ),
    Fault(
        "established without resets",
        "nftables",
        phrases,
        "flags",
        _ack_only,
        {("permit tcp any any established",): f"tcp 192.0.2.1:1025 {_TO}:80 flags=rst {_IN}"},
    ),
    Fault(
        "implicit deny forgotten",
        "routeros",
        lists,
        "_rules",
        _no_implicit_deny,
        {
            ("permit ip any any fragments",): f"tcp 192.0.2.1:1025 {_TO}:80 {_SYN}",
            ("permit ip host 10.0.0.2 any",): f"tcp 10.0.0.1:1025 {_TO}:80 {_SYN}",
            ("permit ip any host 10.0.0.2",): f"tcp 192.0.2.1:1025 {_TO}:80 {_SYN}",
            ("permit tcp any any",): f"udp 192.0.2.1:1025 {_TO}:80 {_IN}",
            ("permit tcp any any eq 80",): f"tcp 192.0.2.1:1025 {_TO}:79 {_SYN}",
        },
    ),
    Fault(
        "source and destination swapped",
        "nftables",
        nft_writer,
        "_conditions",
        _swapped,
        {("permit ip host 10.0.0.2 any",): f"tcp 10.0.0.2:1025 {_TO}:80 {_SYN}"},
    ),
    Fault(
        "ICMP code lost",
        "routeros",
        wording,
        "_icmp",
        _without_code,
        {("permit icmp any any 3 4",): f"icmp 192.0.2.1 {_TO} type=3 code=3 {_IN}"},
    ),
    Fault(
        "ports of UDP given to TCP",
        "nftables",
        nft_writer,
        "_layer4",
        _always_tcp,
        {("permit udp any any eq 80",): f"udp 192.0.2.1:1025 {_TO}:80 {_IN}"},
    ),
    Fault(
        "prefix one bit too long",
        "routeros",
        wording,
        "address_entry",
        _long_prefix,
        {("permit ip 10.0.0.0 0.0.0.255 any",): f"tcp 10.0.0.255:1025 {_TO}:80 {_SYN}"},
    ),
)
