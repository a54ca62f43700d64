"""Realistic rules in the manner of ClassBench's access lists (Taylor and Turner, 2007): seeded, in three forms.

Prefixes of mixed length, ports as single values and ranges, mostly TCP; a share
of the masks is discontiguous.
"""

from __future__ import annotations

import random
from typing import NamedTuple

__all__ = ["BenchmarkRule", "as_aerleon", "as_ios", "make_rules"]

_LENGTHS = (32,) * 10 + (30, 29, 28, 28, 27, 26, 26, 25) + (24,) * 6 + (23, 22, 21, 20, 16, 16)
_BASES = (0x0A000000, 0xAC100000, 0xC0A80000, 0xC6336400)
_ODD = (0x0000F800, 0x00FF0000, 0x00F000F8, 0x0000FE00)
_SERVICES = (21, 22, 25, 53, 80, 123, 443, 1521, 3306, 8080, 5060, 1433)


class BenchmarkRule(NamedTuple):
    """One rule; ``source`` and ``destination`` are (value, wildcard mask) or None, ports (low, high) or None."""

    permits: bool
    protocol: str
    source: tuple[int, int] | None
    source_ports: tuple[int, int] | None
    destination: tuple[int, int] | None
    destination_ports: tuple[int, int] | None


def make_rules(count: int, *, seed: int = 2024, odd: float = 0.05) -> list[BenchmarkRule]:
    """``count`` different rules; ``odd`` is the share of discontiguous masks."""
    number = random.Random(seed)
    found: dict[BenchmarkRule, None] = {}
    while len(found) < count:
        protocol = number.choices(("tcp", "udp", "icmp", "ip"), (66, 17, 7, 10))[0]
        ported = protocol in ("tcp", "udp")
        rule = BenchmarkRule(
            number.random() < 0.7,
            protocol,
            _address(number, (*_LENGTHS, 0, 0), odd),
            _ports(number) if ported and number.random() < 0.1 else None,
            _address(number, _LENGTHS, odd),
            _ports(number) if ported else None,
        )
        found[rule] = None
    return list(found)


def _address(number: random.Random, lengths: tuple[int, ...], odd: float) -> tuple[int, int] | None:
    length = number.choice(lengths)
    if length == 0:
        return None
    mask = (1 << (32 - length)) - 1
    if number.random() < odd:
        mask |= number.choice(_ODD)
    value = number.choice(_BASES) | number.getrandbits(20)
    return value & ~mask, mask


def _ports(number: random.Random) -> tuple[int, int] | None:
    kind = number.random()
    if kind < 0.25:
        return None
    if kind < 0.7:
        port = number.choice(_SERVICES)
        return port, port
    if kind < 0.8:
        return 1024, 65535
    low = number.randrange(1, 60000)
    return low, low + number.randrange(1, 5000)


def as_ios(rules: list[BenchmarkRule], *, name: str = "BENCH", interface: str = "GigabitEthernet0/1") -> str:
    """A running configuration with the rules as one named list, bound inward."""
    lines = [f"interface {interface}", f" ip access-group {name} in", "!", f"ip access-list extended {name}"]
    for rule in rules:
        action = "permit" if rule.permits else "deny"
        source = _ios_address(rule.source) + _ios_ports(rule.source_ports)
        destination = _ios_address(rule.destination) + _ios_ports(rule.destination_ports)
        lines.append(f" {action} {rule.protocol} {source} {destination}")
    return "\n".join([*lines, "end", ""])


def _dotted(value: int) -> str:
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def _ios_address(address: tuple[int, int] | None) -> str:
    if address is None:
        return "any"
    value, mask = address
    return f"host {_dotted(value)}" if mask == 0 else f"{_dotted(value)} {_dotted(mask)}"


def _ios_ports(ports: tuple[int, int] | None) -> str:
    if ports is None:
        return ""
    low, high = ports
    return f" eq {low}" if low == high else f" range {low} {high}"


def as_aerleon(rules: list[BenchmarkRule]) -> tuple[str, dict[str, object]]:
    """The rules as a policy file, and its definitions as plain data.

    Aerleon has no discontiguous masks: such a mask is one prefix here, which
    is less work for it, never more.
    """
    networks: dict[str, dict[str, object]] = {}
    services: dict[str, list[dict[str, str]]] = {}
    lines = ["header {", '  comment:: "benchmark"', "  target:: cisco bench extended", "}"]
    for position, rule in enumerate(rules):
        lines.append(f"term rule-{position} {{")
        for word, address in (("source-address", rule.source), ("destination-address", rule.destination)):
            if address is not None:
                value, mask = address
                length = 32 - mask.bit_length()
                name = f"N{value:08X}_{length}"
                networks[name] = {"values": [{"address": f"{_dotted(value)}/{length}"}]}
                lines.append(f"  {word}:: {name}")
        if rule.protocol != "ip":
            lines.append(f"  protocol:: {rule.protocol}")
        for word, ports in (("source-port", rule.source_ports), ("destination-port", rule.destination_ports)):
            if ports is not None:
                low, high = ports
                name = f"P{rule.protocol.upper()}_{low}_{high}"
                text = str(low) if low == high else f"{low}-{high}"
                services[name] = [{"protocol": rule.protocol, "port": text}]
                lines.append(f"  {word}:: {name}")
        lines += [f"  action:: {'accept' if rule.permits else 'deny'}", "}"]
    return "\n".join(lines) + "\n", {"networks": networks, "services": services}
