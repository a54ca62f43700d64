"""What RouterOS does with a packet after a script was loaded into an empty router.

Written from MikroTik's manual and ``iptables-extensions``; understands the
scripts that our writer emits, row by row: add, remove by comment, set.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from tests.verification.chains import ChainRule, Firewall, RuleChain, interface_is
from tests.verification.ios_meaning import FLAGS, NotUnderstood, address
from tests.verification.packets import PORTED, between, conj, disj, masked, neg, one_of, same

_PAIR = re.compile(r'\s*([a-z0-9-]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_FIND = re.compile(r'remove \[\s*find (?:where )?comment([=~])"([^"]*)"\s*\]$')
_HOOKS = {"raw": {"prerouting": -300, "output": -300}, "filter": {"input": 0, "forward": 0, "output": 0}}
_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "gre": 47, "ospf": 89}
_SILENT = ("chain", "action", "jump-target", "comment", "log", "log-prefix", "disabled", "reject-with")
_ACTIONS = ("accept", "drop", "reject", "jump", "return", "passthrough", "log")


def read(text: str) -> Firewall:
    """The firewall of a script; NotUnderstood for anything outside the subset."""
    menus: dict[str, list[dict[str, str]]] = {}
    menu = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("/"):
            menu = line
        elif line.startswith("remove "):
            _remove(menus.get(menu, []), line)
        elif line.startswith("add "):
            menus.setdefault(menu, []).append(_row(line[4:]))
        elif not (line.startswith("set ") and menu == "/ip firewall connection tracking"):
            raise NotUnderstood(line)
    return _firewall(menus)


def _remove(rows: list[dict[str, str]], line: str) -> None:
    found = _FIND.match(line)
    if found is None:
        raise NotUnderstood(line)
    how, text = found.groups()
    if how == "=":
        rows[:] = [row for row in rows if row.get("comment", "") != text]
    else:
        rows[:] = [row for row in rows if not re.search(text, row.get("comment", ""))]


def _row(text: str) -> dict[str, str]:
    row: dict[str, str] = {}
    position = 0
    while position < len(text.rstrip()):
        found = _PAIR.match(text, position)
        if found is None or found.group(1) in row:
            raise NotUnderstood(text)
        value = found.group(2)
        row[found.group(1)] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        position = found.end()
    return row


def _firewall(menus: dict[str, list[dict[str, str]]]) -> Firewall:
    result = Firewall()
    lists: dict[tuple[int, str], list[Any]] = {}
    for menu, rows in menus.items():
        words = menu[1:].split()
        if words[0] not in ("ip", "ipv6") or words[1] != "firewall":
            raise NotUnderstood(menu)
        family = 4 if words[0] == "ip" else 6
        if words[2] == "address-list":
            for row in rows:
                if set(row) - {"list", "address", "comment", "disabled"} or row.get("disabled", "no") not in (
                    "yes",
                    "no",
                ):
                    raise NotUnderstood(str(row))
                members = lists.setdefault((family, row["list"]), [])
                if row.get("disabled", "no") == "no":
                    members.append(_address(row["address"], family))
    for menu, rows in menus.items():
        words = menu[1:].split()
        if words[2] not in _HOOKS:
            if words[2] != "address-list":
                raise NotUnderstood(menu)
            continue
        family, table = (4 if words[0] == "ip" else 6), f"{words[0]} {words[2]}"
        for name, priority in _HOOKS[words[2]].items():
            result.chains[(table, name)] = RuleChain(family, hook=name, priority=priority)
        for row in rows:
            chain = result.chains.setdefault((table, row["chain"]), RuleChain(family))
            chain.rules.append(_rule(row, family, lists, result))
        for row in rows:  # a jump to a chain without rules comes back at once
            if row.get("action") == "jump":
                result.chains.setdefault((table, row["jump-target"]), RuleChain(family))
    return result


def _rule(row: dict[str, str], family: int, lists: dict[tuple[int, str], list[Any]], result: Firewall) -> ChainRule:
    if row.get("disabled", "no") not in ("yes", "no"):
        raise NotUnderstood(str(row))
    action = row.get("action", "accept")
    if action not in _ACTIONS or (action == "jump") != ("jump-target" in row):
        raise NotUnderstood(str(row))
    verdict = {"reject": "drop", "passthrough": "continue", "log": "continue"}.get(action, action)
    tests = [_matcher(name, value, family, lists, result, row) for name, value in row.items() if name not in _SILENT]
    if row.get("disabled") == "yes":
        return ChainRule(lambda packet: False, verdict, row.get("jump-target", ""))
    return ChainRule(lambda packet: conj(*(test(packet) for test in tests)), verdict, row.get("jump-target", ""))


def _matcher(
    name: str,
    value: str,
    family: int,
    lists: dict[tuple[int, str], list[Any]],
    result: Firewall,
    row: dict[str, str],
) -> Any:
    if value.startswith("!") and name != "tcp-flags":
        inner = _matcher(name, value[1:], family, lists, result, row)
        if name in ("src-port", "dst-port", "icmp-options"):
            # Negated, it still asks for the header that it looks at.
            plain = _layer4(name, value[1:])
            protocols = PORTED if name != "icmp-options" else (1, 58)
            return lambda packet: conj(one_of(packet.protocol, protocols), neg(packet.noninitial), neg(plain(packet)))
        return lambda packet: neg(inner(packet))
    if name in ("in-interface", "out-interface"):
        result.interfaces.add(value)
        side = "ingress" if name == "in-interface" else "egress"
        return lambda packet: interface_is(getattr(packet, side), value)
    if name in ("src-address", "dst-address"):
        member, side = _address(value, family), "source" if name == "src-address" else "destination"
        return lambda packet: member(getattr(packet, side))
    if name in ("src-address-list", "dst-address-list"):
        # A list without entries holds nothing.
        members, side = lists.get((family, value), []), "source" if name == "src-address-list" else "destination"
        return lambda packet: disj(*(one(getattr(packet, side)) for one in members))
    if name == "protocol":
        number = _PROTOCOLS[value] if value in _PROTOCOLS else int(value)
        if number > 255:
            raise NotUnderstood(value)
        return lambda packet: same(packet.protocol, number)
    if name in ("src-port", "dst-port", "icmp-options", "tcp-flags"):
        test = _layer4(name, value)
        protocols = {"tcp-flags": (6,), "icmp-options": (1, 58)}.get(name, PORTED)
        if "protocol" not in row:
            raise NotUnderstood(f"{name} without a protocol")
        return lambda packet: conj(one_of(packet.protocol, protocols), neg(packet.noninitial), test(packet))
    if name == "dscp":
        if int(value) > 63:
            raise NotUnderstood(value)
        return lambda packet: masked(packet.traffic_class, int(value) << 2, 0xFC)
    if name == "ttl" or name == "hop-limit":
        return _ttl(value)
    if name == "fragment" and value in ("yes", "no"):
        return lambda packet: packet.noninitial if value == "yes" else neg(packet.noninitial)
    raise NotUnderstood(f"{name}={value}")


def _layer4(name: str, value: str) -> Any:
    if name in ("src-port", "dst-port"):
        field = "source_port" if name == "src-port" else "destination_port"
        ranges = [_range(part, 65535) for part in value.split(",")]
        return lambda packet: disj(*(between(getattr(packet, field), low, high) for low, high in ranges))
    if name == "icmp-options":
        kind, _, codes = value.partition(":")
        low, high = _range(codes, 255)
        number = int(kind)
        if number > 255:
            raise NotUnderstood(value)
        return lambda packet: conj(same(packet.icmp_type, number), between(packet.icmp_code, low, high))
    wanted = clear = 0
    for flag in value.split(","):
        if flag.lstrip("!") not in FLAGS:
            raise NotUnderstood(value)
        if flag.startswith("!"):
            clear |= FLAGS[flag[1:]]
        else:
            wanted |= FLAGS[flag]
    return lambda packet: masked(packet.flags, wanted, wanted | clear) if not wanted & clear else False


def _range(text: str, most: int) -> tuple[int, int]:
    low, _, high = text.partition("-")
    first, last = int(low), int(high or low)
    if last > most or first > last:
        raise NotUnderstood(text)
    return first, last


def _ttl(value: str) -> Any:
    operator, _, number = value.partition(":")
    wanted = int(number)
    if wanted > 255 or operator not in ("equal", "not-equal", "less-than", "greater-than"):
        raise NotUnderstood(value)
    return {
        "equal": lambda packet: same(packet.ttl, wanted),
        "not-equal": lambda packet: neg(same(packet.ttl, wanted)),
        "less-than": lambda packet: between(packet.ttl, 0, wanted - 1),
        "greater-than": lambda packet: between(packet.ttl, wanted + 1, 255),
    }[operator]


def _address(text: str, family: int) -> Any:
    def number(word: str) -> int:
        return address(word) if family == 4 else int(ipaddress.IPv6Address(word))

    low, dash, high = text.partition("-")
    if dash:
        first, last = number(low), number(high)
        if first > last:
            raise NotUnderstood(text)
        return lambda value: between(value, first, last)
    base, slash, length = text.partition("/")
    width = 32 if family == 4 else 128
    bits = int(length) if slash else width
    if bits > width:
        raise NotUnderstood(text)
    compared = ((1 << bits) - 1) << (width - bits)
    wanted = number(base) & compared
    return lambda value: masked(value, wanted, compared)
