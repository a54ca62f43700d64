"""One rule of the tree -> the words of one RouterOS rule.

Numbers stand wherever RouterOS takes them: protocols, ports, DSCP, ICMP.
"""

from __future__ import annotations

from functools import lru_cache

from compiler.addresses import AddressSet, format_address
from compiler.dialects.routeros.clock import format_week
from compiler.dialects.routeros.cubes import flag_cubes
from compiler.dialects.routeros.matchers import PORT_SLOTS
from compiler.dialects.routeros.pieces import inline_addresses, port_slots
from compiler.dialects.routeros.quoting import quote
from compiler.fields import PORT_PROTOCOLS, TCP_FLAGS, Family
from compiler.integers import IntegerSet
from compiler.policy.match import InterfaceSet, Match
from compiler.policy.ruleset import Rule, Verdict

__all__ = ["NotOneRule", "address_entry", "interface_words", "rule_words"]

_ACTIONS = {
    Verdict.ACCEPT: "accept",
    Verdict.DROP: "drop",
    Verdict.REJECT: "reject",
    Verdict.JUMP: "jump",
    Verdict.RETURN: "return",
}


class NotOneRule(ValueError):
    """A rule that has not been through ``adapt``: one RouterOS rule cannot say it."""


def rule_words(rule: Rule, family: Family) -> str:
    """What follows ``add chain=NAME``, but for the comment. Raises :class:`NotOneRule`."""
    if rule.unmodelled:
        raise NotOneRule(f"{rule.unmodelled[0].text} is not modelled")
    match = rule.match
    words = _action(rule)
    if match.source is not None or rule.source_set:
        words += _address("src", match.source, rule.source_set)
    if match.destination is not None or rule.destination_set:
        words += _address("dst", match.destination, rule.destination_set)
    words += _rest(match[3:], family)
    if rule.log is not None and rule.verdict is not Verdict.CONTINUE:
        words += " log=yes"
    if rule.log:
        words += f" log-prefix={quote(rule.log)}"
    return words + " disabled=yes" if rule.disabled else words


def _action(rule: Rule) -> str:
    if rule.verdict is Verdict.CONTINUE:
        return " action=passthrough" if rule.log is None else " action=log"
    if rule.verdict not in _ACTIONS:
        raise NotOneRule(f"RouterOS has no {rule.verdict.value}")
    words = f" action={_ACTIONS[rule.verdict]}"
    if rule.verdict is Verdict.JUMP:
        words += f" jump-target={quote(rule.target)}"
    if rule.verdict is Verdict.REJECT and rule.answer:
        words += f" reject-with={quote(rule.answer)}"
    return words


def _address(which: str, addresses: AddressSet | None, named: str) -> str:
    if named:
        return f" {which}-address-list={quote(named)}"
    assert addresses is not None  # the caller saw it, or a name
    text = _inline(addresses)
    if text is None:
        raise NotOneRule("the addresses need an address list")
    return f" {which}-address={text}"


@lru_cache(maxsize=65536)
def _inline(addresses: AddressSet) -> str | None:
    found = inline_addresses(addresses)
    if found is None:
        return None
    negated, low, high = found
    return ("!" if negated else "") + address_entry(low, high, addresses.width)


def address_entry(low: int, high: int, width: int) -> str:
    """A host, a prefix, or else a range."""
    span = low ^ high
    first = format_address(low, width)
    if not span:
        return first
    if span & (span + 1) or low & span:
        return f"{first}-{format_address(high, width)}"
    return f"{first}/{width - span.bit_length()}"


@lru_cache(maxsize=16384)
def _rest(rest: tuple[object, ...], family: Family) -> str:
    match = Match(None, None, None, *rest)  # type: ignore[arg-type]  # the tail of a Match
    words = interface_words(match)
    if match.protocol is not None:
        words += f" protocol={_single(match.protocol, 8, 'protocols')}"
    if match.source_port is not None:
        words += f" src-port={_ports(match.source_port)}"
    if match.destination_port is not None:
        words += f" dst-port={_ports(match.destination_port)}"
    if match.tcp_flags is not None:
        words += f" tcp-flags={_flags(match.tcp_flags)}"
    if match.icmp_type is not None or match.icmp_code is not None:
        words += f" icmp-options={_icmp(match)}"
    if match.traffic_class is not None:
        words += f" dscp={_dscp(match.traffic_class)}"
    if match.ttl is not None:
        words += f" {'ttl' if family is Family.IPV4 else 'hop-limit'}={_ttl(match.ttl)}"
    if match.week_minute is not None:
        parts = format_week(match.week_minute)
        if len(parts) != 1:
            raise NotOneRule("the times of the week differ by day")
        words += f" time={parts[0][0]}"
    if match.date_minute is not None:
        raise NotOneRule("RouterOS has no dates")
    if match.noninitial is not None and not (match.looks_at_layer4 and match.noninitial is False):
        words += _fragment(match, family)
    return words


def interface_words(match: Match) -> str:
    """`` in-interface=… out-interface=…`` of a match."""
    return _interface("in", match.ingress) + _interface("out", match.egress)


def _interface(way: str, interfaces: InterfaceSet | None) -> str:
    if interfaces is None:
        return ""
    if len(interfaces.names) != 1:
        raise NotOneRule("one rule names one interface")
    (name,) = interfaces.names
    return f" {way}-interface={quote(('!' if interfaces.negated else '') + name)}"


def _single(values: IntegerSet, width: int, what: str) -> str:
    number = values.single()
    if number is not None:
        return str(number)
    number = values.complement(width).single()
    if number is None:
        raise NotOneRule(f"one rule tests one of the {what}")
    return f"!{number}"


def _ports(ports: IntegerSet) -> str:
    if port_slots(ports) <= PORT_SLOTS and ports.intervals:
        return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ports.intervals)
    others = ports.complement(16)
    if port_slots(others) > PORT_SLOTS or not others.intervals:
        raise NotOneRule(f"the ports take more than {PORT_SLOTS} slots")
    return "!" + _ports(others)


def _flags(flags: IntegerSet) -> str:
    cubes = flag_cubes(flags)
    if len(cubes) != 1:
        raise NotOneRule("the flags are no single cube")
    required, forbidden = cubes[0]
    names = [name for name, bit in TCP_FLAGS.items() if required & bit]
    return ",".join([*names, *(f"!{name}" for name, bit in TCP_FLAGS.items() if forbidden & bit)])


def _icmp(match: Match) -> str:
    types, codes = match.icmp_type, match.icmp_code
    if types is None:
        raise NotOneRule("an ICMP code goes with one type")
    text = _single(types, 8, "ICMP types")
    if codes is None:
        return f"{text}:0-255"
    if len(codes.intervals) != 1 or text.startswith("!"):
        raise NotOneRule("one rule tests one interval of ICMP codes")
    low, high = codes.intervals[0]
    return f"{text}:{low}" if low == high else f"{text}:{low}-{high}"


def _dscp(classes: IntegerSet) -> str:
    for values, sign in ((classes, ""), (classes.complement(8), "!")):
        if len(values.intervals) == 1:
            low, high = values.intervals[0]
            if high - low == 3 and not low & 3:
                return f"{sign}{low >> 2}"
    raise NotOneRule("one rule tests one DSCP value")


def _ttl(hops: IntegerSet) -> str:
    other = hops.complement(8).single()
    if other is not None and 0 < other < 255:
        return f"not-equal:{other}"
    if len(hops.intervals) == 1:
        low, high = hops.intervals[0]
        if low == high:
            return f"equal:{low}"
        if low == 0:
            return f"less-than:{high + 1}"
        if high == 255:
            return f"greater-than:{low - 1}"
    raise NotOneRule("one rule tests the TTL on one side")


def _fragment(match: Match, family: Family) -> str:
    if family is Family.IPV4:
        return " fragment=yes" if match.noninitial else " fragment=no"
    if match.noninitial or match.protocol is None or not match.protocol.issubset(PORT_PROTOCOLS):
        raise NotOneRule("RouterOS has no matcher for fragments of IPv6")
    # A port list, even the full one, matches no later fragment.
    return " dst-port=0-65535"
