"""Colours of one line of a configuration: its words by what they are. Works line by line, with no state between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from appliance.workbench.kinds import Kind

__all__ = ["NAMES", "Coloured", "coloured"]

NAMES = ("comment", "keyword", "permit", "deny", "number", "address", "string", "name", "operator")
"""What a word can be; the editor has a colour for each."""

MOST = 2_000
"""Characters of a line that are looked at."""


class Coloured(NamedTuple):
    """A part of a line, by offsets from 0."""

    start: int
    end: int
    name: str


_ADDRESS = (
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2}(?!\d))?"
    r"|(?=[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:|::)[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:/\d{1,3})?)(?![\w.:])"
)
_NUMBER = r"(?<![\w.-])\d+(?![\w.])"
_STRING = r'"(?:[^"\\]|\\.)*"?'


def _words(*words: str) -> str:
    return r"(?<![\w/-])(?:" + "|".join(words) + r")(?![\w-])"


_IOS = re.compile(
    r"(?P<comment>^\s*!.*|(?<=\sremark\s).*|(?<=\sdescription\s).*|(?<=^description\s).*)"
    rf"|(?P<address>{_ADDRESS})"
    rf"|(?P<permit>{_words('permit', 'accept')})|(?P<deny>{_words('deny', 'drop', 'shutdown', 'no')})"
    rf"|(?P<operator>{_words('eq', 'neq', 'gt', 'lt', 'range', 'established', 'fragments', 'log', 'log-input')})"
    r"|(?P<keyword>"
    + _words(
        r"access-list",
        r"access-group",
        r"ip(?:v6)?",
        r"interface",
        r"hostname",
        r"object-group",
        r"time-range",
        r"remark",
        r"description",
        r"address",
        r"standard",
        r"extended",
        r"route",
        r"nat",
        r"inside",
        r"outside",
        r"host",
        r"any",
        r"tcp",
        r"udp",
        r"icmp",
        r"in",
        r"out",
        r"end",
        r"exit",
        r"traffic-filter",
        r"route-map",
        r"vlan",
        r"line",
    )
    + r")"
    r"|(?P<name>(?<![\w/])(?:Gi|Fa|Te|Et|Lo|Vl|Tu|Se)[A-Za-z]*\d[\d/.]*)"
    rf"|(?P<number>{_NUMBER})"
)
_ROUTEROS = re.compile(
    r"(?P<comment>^\s*\#.*)"
    rf"|(?P<string>{_STRING})"
    rf"|(?P<address>{_ADDRESS})"
    rf"|(?P<permit>(?<=action=)(?:accept|passthrough|return)\b)|(?P<deny>(?<=action=)(?:drop|reject|tarpit)\b)"
    r"|(?P<keyword>^\s*/[a-z0-9 -]+?(?=\s+(?:add|set|remove|print|find)\b|\s*$)"
    r"|(?<![\w-])(?:add|set|remove|find)(?![\w-]))"
    r"|(?P<name>(?<![\w-])[a-z][a-z0-9.-]*(?==))"
    r"|(?P<operator>[=!\\\[\]])"
    rf"|(?P<number>{_NUMBER})"
)
_NFTABLES = re.compile(
    r"(?P<comment>\#.*)"
    rf"|(?P<string>{_STRING})"
    rf"|(?P<address>{_ADDRESS})"
    rf"|(?P<permit>{_words('accept')})|(?P<deny>{_words('drop', 'reject')})"
    r"|(?P<name>[@$][\w-]+)"
    r"|(?P<keyword>"
    + _words(
        "table",
        "chain",
        "set",
        "map",
        "type",
        "hook",
        "priority",
        "policy",
        "flush",
        "ruleset",
        "inet",
        "ip6?",
        "tcp",
        "udp",
        "icmp(?:v6)?",
        "meta",
        "ct",
        "saddr",
        "daddr",
        "sport",
        "dport",
        "iifname",
        "oifname",
        "iif",
        "oif",
        "jump",
        "goto",
        "return",
        "continue",
        "elements",
        "flags",
        "counter",
        "comment",
        "vmap",
        "define",
        "add",
        "delete",
        "filter",
        "exthdr",
        "l4proto",
        "nfproto",
        "mark",
        "state",
        "log",
        "limit",
        "masquerade",
        "snat",
        "dnat",
    )
    + r")"
    r"|(?P<operator>[!=<>]=?|[{}&|^;])"
    rf"|(?P<number>{_NUMBER}|0x[0-9a-fA-F]+)"
)

_OF_KIND = {Kind.IOS: _IOS, Kind.ROUTEROS: _ROUTEROS, Kind.NFTABLES: _NFTABLES}


def coloured(line: str, kind: Kind) -> Iterator[Coloured]:
    """The parts of a line that have a colour, from left to right; none for kinds that tree-sitter reads."""
    pattern = _OF_KIND.get(kind)
    if pattern is None:
        return
    for found in pattern.finditer(line[:MOST]):
        if found.lastgroup is not None and found.end() > found.start():
            yield Coloured(found.start(), found.end(), found.lastgroup)
