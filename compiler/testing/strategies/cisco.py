"""Plain rules as a Cisco router's configuration: one extended list, bound inward to one interface."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.addresses import Wildcard, format_address
from compiler.fields import Family
from compiler.testing.strategies.rules import PlainRule, Ports

__all__ = ["INTERFACE", "LIST", "configuration", "entry"]

INTERFACE = "GigabitEthernet0/1"
LIST = "101"
_LIST_6 = "SIX"


def configuration(rules: Sequence[PlainRule], family: Family = Family.IPV4) -> str:
    """The list and its binding. IOS refuses an entry that stands already, so a second one is left out."""
    bodies = {_body(rule, family): rule for rule in reversed(rules)}
    lines = [f" {'permit' if rule.permits else 'deny'} {body}" for body, rule in reversed(bodies.items())]
    four = family is Family.IPV4
    head = f"ip access-list extended {LIST}" if four else f"ipv6 access-list {_LIST_6}"
    bound = f" ip access-group {LIST} in" if four else f" ipv6 traffic-filter {_LIST_6} in"
    return "\n".join((head, *lines, f"interface {INTERFACE}", bound, ""))


def entry(rule: PlainRule, family: Family = Family.IPV4) -> str:
    """One line of the list."""
    return f"{'permit' if rule.permits else 'deny'} {_body(rule, family)}"


def _body(rule: PlainRule, family: Family) -> str:
    everything = "ip" if family is Family.IPV4 else "ipv6"
    words = [everything if rule.protocol == "any" else rule.protocol, _place(rule.source)]
    if rule.has_ports and not rule.fragments:
        words += _ports(rule.source_ports)
    words.append(_place(rule.destination))
    if rule.fragments:
        words.append("fragments")
    elif rule.has_ports:
        words += _ports(rule.ports)
        words += ["established"] if rule.established and rule.protocol == "tcp" else []
    elif rule.protocol == "icmp" and rule.message is not None:
        words += [str(number) for number in rule.message if number is not None]
    return " ".join(words)


def _place(wildcard: Wildcard) -> str:
    value, mask, width = wildcard
    if mask == (1 << width) - 1:
        return "any"
    if mask == 0:
        return f"host {format_address(value, width)}"
    if width == 32:
        return f"{format_address(value, width)} {format_address(mask, width)}"
    return f"{format_address(value, width)}/{wildcard.prefix_length}"


def _ports(ports: Ports | None) -> list[str]:
    if ports is None:
        return []
    low, high = ports
    return ["eq", str(low)] if low == high else ["range", str(low), str(high)]
