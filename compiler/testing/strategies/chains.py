"""Plain rules as chains: an nftables ruleset, or a RouterOS script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from compiler.addresses import Wildcard, format_address
from compiler.fields import Family
from compiler.testing.strategies.rules import PlainRule, Ports

__all__ = ["INNER", "Writer", "routeros", "ruleset"]

INNER = "inner"
"""The chain that the base chain may jump to."""


class Writer(Protocol):
    """Rules of the base chain, and of the chain that it asks first, as a text."""

    def __call__(
        self, rules: Sequence[PlainRule], inner: Sequence[PlainRule], *, drops: bool, family: Family = ...
    ) -> str: ...


_ICMP = {Family.IPV4: "icmp", Family.IPV6: "icmpv6"}


def ruleset(
    rules: Sequence[PlainRule], inner: Sequence[PlainRule], *, drops: bool, family: Family = Family.IPV4
) -> str:
    """nftables: a base chain at the forward hook; with ``inner`` it asks that chain first. ``drops``: its policy."""
    ip = "ip" if family is Family.IPV4 else "ip6"
    lines = [f"table {ip} filter {{"]
    if inner:
        lines += [f"\tchain {INNER} {{", *(f"\t\t{_nft(rule, ip)}" for rule in inner), "\t}"]
    policy = "drop" if drops else "accept"
    lines += ["\tchain forward {", f"\t\ttype filter hook forward priority filter; policy {policy};"]
    lines += [f"\t\tjump {INNER}"] if inner else []
    lines += [*(f"\t\t{_nft(rule, ip)}" for rule in rules), "\t}", "}", ""]
    return "\n".join(lines)


def _nft(rule: PlainRule, ip: str) -> str:
    words = []
    for name, wildcard in (("saddr", rule.source), ("daddr", rule.destination)):
        words += _nft_place(f"{ip} {name}", wildcard)
    if rule.fragments and ip == "ip":
        words.append("ip frag-off & 0x1fff != 0")
    if rule.protocol != "any":
        words += [
            f"meta l4proto {rule.protocol}" if rule.protocol != "icmp" or ip == "ip" else "meta l4proto ipv6-icmp"
        ]
    if not rule.fragments:
        words += _nft_layer4(rule, "icmp" if ip == "ip" else "icmpv6")
    return " ".join((*words, "accept" if rule.permits else "drop"))


def _nft_place(key: str, wildcard: Wildcard) -> list[str]:
    value, mask, width = wildcard
    if mask == (1 << width) - 1:
        return []
    if wildcard.is_contiguous:
        return [f"{key} {format_address(value, width)}/{wildcard.prefix_length}"]
    return [f"{key} & {format_address(~mask & ((1 << width) - 1), width)} == {format_address(value, width)}"]


def _nft_layer4(rule: PlainRule, icmp: str) -> list[str]:
    words = []
    if rule.has_ports:
        for name, ports in (("sport", rule.source_ports), ("dport", rule.ports)):
            words += [f"{rule.protocol} {name} {_span(ports)}"] if ports is not None else []
        words += ["tcp flags & (rst | ack) != 0"] if rule.established and rule.protocol == "tcp" else []
    elif rule.protocol == "icmp" and rule.message is not None:
        kind, code = rule.message
        words += [f"{icmp} type {kind}"] + ([f"{icmp} code {code}"] if code is not None else [])
    return words


def routeros(
    rules: Sequence[PlainRule], inner: Sequence[PlainRule], *, drops: bool, family: Family = Family.IPV4
) -> str:
    """A RouterOS script of the filter table; its chains let pass what no rule decides, so ``drops`` adds a rule."""
    menu = "/ip firewall filter" if family is Family.IPV4 else "/ipv6 firewall filter"
    lines = [menu]
    lines += [f"add chain=forward action=jump jump-target={INNER}"] if inner else []
    lines += [_routeros(rule, "forward", family) for rule in rules]
    lines += ["add chain=forward action=drop"] if drops else []
    lines += [_routeros(rule, INNER, family) for rule in inner]
    return "\n".join((*lines, ""))


def _routeros(rule: PlainRule, chain: str, family: Family) -> str:
    words = [f"add chain={chain} action={'accept' if rule.permits else 'drop'}"]
    if rule.protocol != "any":
        words.append(f"protocol={_ICMP[family] if rule.protocol == 'icmp' else rule.protocol}")
    for name, wildcard in (("src-address", rule.source), ("dst-address", rule.destination)):
        value, mask, width = wildcard
        if mask != (1 << width) - 1:
            words.append(f"{name}={format_address(value, width)}/{wildcard.prefix_length}")
    if rule.fragments:
        return " ".join((*words, "fragment=yes"))
    if rule.has_ports:
        for name, ports in (("src-port", rule.source_ports), ("dst-port", rule.ports)):
            words += [f"{name}={_span(ports)}"] if ports is not None else []
    elif rule.protocol == "icmp" and rule.message is not None:
        kind, code = rule.message
        words.append(f"icmp-options={kind}:{'0-255' if code is None else code}")
    return " ".join(words)


def _span(ports: Ports) -> str:
    low, high = ports
    return str(low) if low == high else f"{low}-{high}"
