"""Lines outside the lists that name a list, and lines that change packets in other ways.

A list that filters telnet sessions, NAT or routes is not unused: each line
that names one is kept with its purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

__all__ = ["feature", "uses"]

Use = tuple[str, str]
"""The name of the list, and the purpose."""

_NAME = r"(?P<list>\S+)"


_LINES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "access-class": (("access-class", r"access-class LIST (?:in|out)\b"),),
    "acl": (("crypto isakmp client configuration", r"acl LIST$"),),
    "distance": (("distance", r"distance \d+ [\d.]+ [\d.]+ LIST$"),),
    "distribute-list": (
        ("distribute-list", r"distribute-list (?!prefix\b|gateway\b|route-map\b|prefix-list\b)LIST (?:in|out)\b"),
    ),
    "dialer-list": (("dialer-list", r"dialer-list \d+ protocol \S+ list LIST"),),
    "filter": (("monitor session", r"filter (?:ip |ipv6 )?access-group LIST"),),
    "ip": (
        ("ip access-group", r"ip access-group LIST(?: (?:in|out))?$"),
        ("ip nat", r"ip nat .*?(?<=\s)list LIST"),
        ("ip nat", r"ip nat inside destination list LIST"),
        ("ip http access-class", r"ip http access-class (?:ipv4 |ipv6 )?LIST"),
        ("ip igmp access-group", r"ip igmp access-group LIST"),
        ("ip igmp", r"ip igmp ssm-map static LIST"),
        ("ip igmp", r"ip igmp limit \d+ except LIST"),
        ("ip multicast boundary", r"ip multicast boundary (?!filter\b|block\b)LIST"),
        ("ip multicast", r"ip multicast .*?(?<=\s)group-list LIST"),
        (
            "ip pim",
            r"ip pim (?:vrf \S+ )?(?:rp-address|accept-rp|bidir-neighbor-filter) [\d.]+ (?!override\b|bidir\b)LIST",
        ),
        ("ip pim", r"ip pim (?:vrf \S+ )?(?:ssm range|neighbor-filter|bidir-neighbor-filter) LIST"),
        ("ip pim", r"ip pim .*?(?<=\s)(?:group-list|rp-list|accept-register list) LIST"),
        ("ip msdp", r"ip msdp .*?(?<=\s)list LIST"),
        ("ip tcp intercept", r"ip tcp intercept list LIST"),
        ("ip inspect", r"ip inspect .*?(?<=\s)(?:java-)?list LIST"),
        ("ip port-map", r"ip port-map .*?(?<=\s)list LIST"),
        ("ip admission", r"ip (?:admission|auth-proxy) name .*?(?<=\s)list LIST"),
        ("ip ips", r"ip (?:ips|audit) name \S+ list LIST"),
        ("ip wccp", r"ip wccp .*?(?<=\s)(?:redirect-list|group-list) LIST"),
        ("ip verify unicast", r"ip verify unicast .*?\b(?P<list>\d+)$"),
        ("ip directed-broadcast", r"ip directed-broadcast LIST$"),
        ("ip ssh", r"ip ssh .*?(?<=\s)access-class LIST"),
        ("ip dns", r"ip dns .*?(?<=\s)access-group LIST"),
    ),
    "ipv6": (
        ("ipv6 access-class", r"ipv6 access-class LIST (?:in|out)\b"),
        ("ipv6 traffic-filter", r"ipv6 traffic-filter LIST (?:in|out)$"),
        ("ipv6 nat", r"ipv6 nat .*?(?<=\s)list LIST"),
        ("ipv6 pim", r"ipv6 pim .*?(?<=\s)(?:group-list|list) LIST"),
        ("ipv6 mld access-group", r"ipv6 mld access-group LIST"),
        ("ipv6 inspect", r"ipv6 inspect .*?(?<=\s)list LIST"),
    ),
    "match": (
        ("class-map", r"match (?:not )?access-group (?:name )?LIST"),
        ("route-map", r"match ip (?:address|next-hop|route-source) (?!prefix-list\b)(?P<lists>.+)$"),
        ("route-map", r"match ipv6 (?:address|next-hop|route-source) (?!prefix-list\b)(?P<lists>.+)$"),
        ("crypto map", r"match address (?!local\b)(?:ipv6 )?LIST"),
        ("policy", r"match protocol .*?(?<=\s)access-group LIST"),
    ),
    "mpls": (("mpls ldp", r"mpls ldp (?:advertise-labels for|neighbor \S+ labels accept) LIST"),),
    "neighbor": (("neighbor distribute-list", r"neighbor \S+ distribute-list LIST (?:in|out)"),),
    "ntp": (("ntp access-group", r"ntp access-group (?:ipv[46] )?(?:peer|serve|serve-only|query-only) LIST"),),
    "offset-list": (("offset-list", r"offset-list LIST (?:in|out)"),),
    "priority-list": (("priority-list", r"priority-list \d+ protocol \S+ \S+ list LIST"),),
    "queue-list": (("queue-list", r"queue-list \d+ protocol \S+ \d+ list LIST"),),
    "rate-limit": (("rate-limit", r"rate-limit (?:input|output) access-group (?!rate-limit\b)LIST"),),
    "snmp-server": (
        (
            "snmp-server community",
            r"snmp-server community \S+(?: view \S+)?(?: (?:ro|rw|RO|RW))? ipv6 (?P<lists>\S+ \S+)$",
        ),
        ("snmp-server community", r"snmp-server community \S+(?: view \S+)?(?: (?:ro|rw|RO|RW))? ipv6 LIST"),
        ("snmp-server community", r"snmp-server community \S+(?: view \S+)?(?: (?:ro|rw|RO|RW))? LIST$"),
        ("snmp-server", r"snmp-server (?:group|user) .*?(?<=\s)access (?:ipv6 )?LIST"),
        ("snmp-server", r"snmp-server tftp-server-list LIST"),
        ("snmp-server", r"snmp-server file-transfer access-group LIST"),
    ),
    "tag-switching": (("tag-switching", r"tag-switching advertise-tags for LIST"),),
    "tftp-server": (("tftp-server", r"tftp-server .* (?P<list>\d+)$"),),
    "traffic-shape": (("traffic-shape", r"traffic-shape group LIST"),),
    "username": (("username access-class", r"username \S+ .*?(?<=\s)access-class LIST"),),
}


@cache
def _compiled(first: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The patterns of lines with this first word; compiled when the first such line comes."""
    return tuple((purpose, re.compile(pattern.replace("LIST", _NAME))) for purpose, pattern in _LINES[first])


_GENERAL = re.compile(r"(?P<purpose>\b(?:access-group|access-class|access-list))\s+(?:name )?(?P<list>[A-Za-z0-9]\S*)")

_NEVER = frozenset(("access-list", "description", "mac", "remark", "no"))
"""First words of lines that name no IP list."""

_NOT_NAMES = frozenset(("in", "out", "ro", "rw", "RO", "RW", "view", "ipv6", "prefix", "name", "rate-limit"))

_FEATURES = re.compile(
    r"ip nat |ipv6 nat |ip inspect \S+ (?:in|out)$|zone-member security |ip verify |ip policy route-map "
    r"|ip admission |ip auth-proxy |crypto map \S+$|service-policy |rate-limit |ip tcp intercept |vlan filter "
    r"|mac access-group |ip access-list match-local-traffic|ip local policy |ip ips \S+ (?:in|out)$"
    r"|switchport port-security|ipv6 inspect |ipv6 verify |bridge-group \d+ (?:input|output)-"
)


def uses(words: list[str]) -> Iterator[Use]:
    """The lists that a line names; nothing for lines that name none."""
    text = ""
    if words[0] in _LINES:
        patterns = _compiled(words[0])
        text = " ".join(words)
        found = False
        for purpose, pattern in patterns:
            match = pattern.match(text)
            if match is None:
                continue
            groups = match.groupdict()
            names = groups["lists"].split() if "lists" in groups else [groups["list"]]
            for name in names:
                if name not in _NOT_NAMES:
                    found = True
                    yield name, purpose
            if found:
                return
    if words[0] in _NEVER or words[1:2] in (["access-list"], ["as-path"]):
        return
    if len(words) > 1 and not {"access-group", "access-class", "access-list"}.isdisjoint(words[:-1]):
        general = _GENERAL.search(text or " ".join(words))
        if general is not None and general["list"] not in _NOT_NAMES:
            yield general["list"], " ".join(dict.fromkeys((words[0], general["purpose"])))


def feature(words: list[str]) -> bool:
    """Whether the line changes or decides packets apart from access lists (NAT, zones, policing)."""
    return words[0] in _FEATURE_WORDS and _FEATURES.match(" ".join(words)) is not None


_FEATURE_WORDS = frozenset(
    ("ip", "ipv6", "zone-member", "crypto", "service-policy", "rate-limit", "vlan", "mac", "switchport", "bridge-group")
)
