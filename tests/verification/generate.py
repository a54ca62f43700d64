"""Configurations of Cisco routers over tiny alphabets, where entries meet and cover each other.

``choose`` picks one of a sequence: ``random.Random(seed).choice``, or Hypothesis's
``draw(sampled_from(…))``, whose simplest choice stands first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Chosen = TypeVar("Chosen")
Choose = Callable[[Sequence], object]

ADDRESSES = (
    "any",
    "host 10.0.0.2",
    "10.0.0.0 0.0.0.255",
    "172.16.6.0 0.0.8.255",
    "10.0.0.0 0.0.0.254",
    "host 10.0.0.3",
    "10.0.0.0 0.255.255.255",
    "172.16.0.0 0.0.255.255",
    "10.0.0.1 0.0.8.2",
    "172.16.6.0 0.0.9.255",
    "10.0.0.4 0.0.255.3",
    "128.0.0.0 127.255.255.255",
)
ADDRESSES_6 = ("any", "host 2001:DB8::2", "2001:DB8::/32", "2001:DB8::/127", "2001:DB8:0:1::/64", "8000::/1")
GROUPS = """\
object-group network SERVERS
 host 10.0.0.2
 10.0.1.0 255.255.255.0
 range 10.0.5.3 10.0.5.9
object-group network CLIENTS
 172.16.0.0 255.255.0.0
 host 10.0.0.3
"""
PORT_TESTS = (
    "",
    " eq 80",
    " eq 21 80",
    " neq 22",
    " gt 1023",
    " lt 1024",
    " range 20 21",
    " neq 20 21 23",
    " eq 0",
    " range 0 65535",
    " gt 65534",
)
ICMP_TESTS = ("", " echo", " 3 1", " packet-too-big", " unreachable", " 11 0", " 8")
ICMP_TESTS_6 = ("", " 128", " 1 4", " 135", " 136 0")
FLAG_TESTS = ("", " established", " syn", " match-all +syn -ack", " match-any +rst -ack", " ack rst", " match-all -fin")
CLASSES = ("", "", "", " dscp 46", " precedence 5", " dscp 0")
ECN_CLASSES = (*CLASSES, " tos 4", " precedence 3 tos 8", " tos 1")
TIME_TO_LIVE = ("", "", "", " ttl eq 1", " ttl gt 200", " ttl range 5 9", " ttl neq 64")
INTERFACES = ("GigabitEthernet0/1", "GigabitEthernet0/2", "Serial0/0/0")
NAMES = {"GigabitEthernet0/1": "eth1", "GigabitEthernet0/2": "eth2", "Serial0/0/0": "ppp-out"}


def entry(choose: Choose, *, ecn: bool = True, ttl: bool = False, groups: bool = True) -> str:
    """One entry of a named extended list."""
    places = (*ADDRESSES, "object-group SERVERS", "object-group CLIENTS") if groups else ADDRESSES
    action = choose(("permit", "deny"))
    protocol = choose(("ip", "tcp", "udp", "icmp", "ip", "tcp", "89", "gre"))
    source, destination = choose(places), choose(places)
    if choose((False, False, False, False, False, True)):
        return f"{action} {protocol} {source} {destination} fragments"
    tail = choose(ECN_CLASSES if ecn else CLASSES) + (choose(TIME_TO_LIVE) if ttl else "") + choose(("", "", " log"))
    if protocol in ("tcp", "udp"):
        flags = choose(FLAG_TESTS) if protocol == "tcp" else ""
        source += choose(("", "", *PORT_TESTS))
        return f"{action} {protocol} {source} {destination}{choose(PORT_TESTS)}{flags}{tail}"
    if protocol == "icmp":
        return f"{action} icmp {source} {destination}{choose(ICMP_TESTS)}{tail}"
    return f"{action} {protocol} {source} {destination}{tail}"


def entry_6(choose: Choose) -> str:
    """One entry of an IPv6 list."""
    action = choose(("permit", "deny"))
    protocol = choose(("ipv6", "tcp", "udp", "icmp", "89"))
    source, destination = choose(ADDRESSES_6), choose(ADDRESSES_6)
    if protocol in ("tcp", "udp"):
        flags = choose(("", " established", " syn")) if protocol == "tcp" else ""
        source += choose(("", "", *PORT_TESTS[:7]))
        return f"{action} {protocol} {source} {destination}{choose(PORT_TESTS[:7])}{flags}"
    if protocol == "icmp":
        return f"{action} icmp {source} {destination}{choose(ICMP_TESTS_6)}"
    return f"{action} {protocol} {source} {destination}{choose(('', '', ' dscp 46'))}"


def standard_entry(choose: Choose) -> str:
    """One entry of a standard list."""
    return f"{choose(('permit', 'deny'))} {choose(ADDRESSES)}"


def configuration(
    choose: Choose, *, entries: int = 6, ecn: bool = True, ttl: bool = False, six: bool = False, outward: bool = True
) -> str:
    """A router with two or three lists, bound to some of its interfaces."""
    lines = [GROUPS.rstrip()]
    bindings: dict[str, list[str]] = {}
    lists = ["INSIDE", "OUTSIDE", "10"]
    for name in lists:
        standard = name == "10"
        lines.append(f"ip access-list {'standard' if standard else 'extended'} {name}")
        seen = set()
        for _ in range(choose(range(1, entries + 1))):
            one = standard_entry(choose) if standard else entry(choose, ecn=ecn, ttl=ttl)
            body = one.replace(" log", "")
            key = body.split(" ", 1)[1]
            if key not in seen:  # IOS ignores a second equal body, and refuses a host that stands already
                seen.add(key)
                lines.append(f" {one}")
        if choose((True, True, False)) and name == "INSIDE":
            lines.append(" permit ip any any")
    for interface in INTERFACES[: choose((2, 3))]:
        bindings[interface] = [f" ip access-group {choose(lists)} in"]
        if outward and choose((False, True)):
            bindings[interface].append(f" ip access-group {choose(lists)} out")
    if six:
        lines.append("ipv6 access-list SIX")
        lines += [f" {one}" for one in dict.fromkeys(entry_6(choose) for _ in range(choose(range(1, entries + 1))))]
        bindings[INTERFACES[0]].append(" ipv6 traffic-filter SIX in")
    for interface, words in bindings.items():
        lines += [f"interface {interface}", *words]
    return "\n".join(lines) + "\n"
