"""Seeded faults: one small change of a text, of a named kind, at a random place."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Mutation = Callable[[str, random.Random], "str | None"]

_ADDRESS = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_LENGTH = re.compile(r"(?<=\d)/(\d{1,2})\b")


def _replace(text: str, pattern: str, change: Callable[[re.Match[str], random.Random], str], rng: random.Random):
    """The text with one match of the pattern, outside comments, changed."""
    found = [one for one in re.finditer(pattern, text, re.M) if not _in_comment(text, one.start())]
    if not found:
        return None
    one = rng.choice(found)
    return text[: one.start()] + change(one, rng) + text[one.end() :]


def _in_comment(text: str, position: int) -> bool:
    start = text.rfind("\n", 0, position) + 1
    return text[start:position].lstrip()[:1] in ("#", "!") or text[start:].lstrip().startswith("remark")


def address_bit(text: str, rng: random.Random) -> str | None:
    """A bit of an address or a mask."""

    def flip(found: re.Match[str], rng: random.Random) -> str:
        parts = [int(part) for part in found.group().split(".")]
        parts[rng.randrange(4)] ^= 1 << rng.randrange(8)
        return ".".join(map(str, parts))

    return _replace(text, _ADDRESS.pattern, flip, rng)


def prefix_length(text: str, rng: random.Random) -> str | None:
    """The length of a prefix."""
    return _replace(text, _LENGTH.pattern, lambda found, rng: f"/{int(found.group(1)) + rng.choice((-1, 1))}", rng)


def _number(pattern: str, most: int) -> Mutation:
    def change(text: str, rng: random.Random) -> str | None:
        def other(found: re.Match[str], rng: random.Random) -> str:
            number = int(found.group())
            return str(rng.choice((max(number - 1, 0), min(number + 1, most), number ^ 1 << rng.randrange(4))))

        return _replace(text, pattern, other, rng)

    return change


def _words(*pairs: tuple[str, str]) -> Mutation:
    """One word for another."""

    def change(text: str, rng: random.Random) -> str | None:
        usable = [pair for pair in pairs if re.search(pair[0], text, re.M)]
        if not usable:
            return None
        old, new = rng.choice(usable)
        return _replace(text, old, lambda found, rng: found.expand(new), rng)

    return change


def _lines(text: str, keep: str) -> tuple[list[str], list[int]]:
    lines = text.split("\n")
    return lines, [position for position, line in enumerate(lines) if re.match(keep, line)]


def _swap(keep: str) -> Mutation:
    def change(text: str, rng: random.Random) -> str | None:
        lines, places = _lines(text, keep)
        if len(places) < 2:
            return None
        first = rng.randrange(len(places) - 1)
        one, other = places[first], places[min(first + rng.randrange(1, 5), len(places) - 1)]
        lines[one], lines[other] = lines[other], lines[one]
        return "\n".join(lines)

    return change


def _without(keep: str) -> Mutation:
    def change(text: str, rng: random.Random) -> str | None:
        lines, places = _lines(text, keep)
        if not places:
            return None
        del lines[rng.choice(places)]
        return "\n".join(lines)

    return change


def _twice(keep: str) -> Mutation:
    def change(text: str, rng: random.Random) -> str | None:
        lines, places = _lines(text, keep)
        if not places:
            return None
        place = rng.choice(places)
        lines.insert(rng.choice(places) if rng.random() < 0.5 else place, lines[place])
        return "\n".join(lines)

    return change


def _append(keep: str, *tails: str) -> Mutation:
    def change(text: str, rng: random.Random) -> str | None:
        lines, places = _lines(text, keep)
        if not places:
            return None
        lines[rng.choice(places)] += rng.choice(tails)
        return "\n".join(lines)

    return change


def spaces(text: str, rng: random.Random) -> str | None:
    """More white space between words."""
    return _replace(text, r"(?<=[a-z0-9]) (?=[a-z])", lambda found, rng: rng.choice(("  ", "\t", "   ")), rng)


def comment_line(sign: str) -> Mutation:
    """A new line that only comments."""

    def change(text: str, rng: random.Random) -> str | None:
        lines = text.split("\n")
        lines.insert(rng.randrange(len(lines)), f"{sign} accept drop permit ip any any")
        return "\n".join(lines)

    return change


def character(text: str, rng: random.Random) -> str | None:
    """One character lost or another in its place: mostly unreadable."""
    position = rng.randrange(len(text))
    if _in_comment(text, position) or text[position] == "\n":
        return None
    return text[:position] + rng.choice(("", "", "x", "7", "{", '"', " ")) + text[position + 1 :]


_NFT_RULE = r"\t\t(?!type|flags|elements|comment|#)[a-z@].*\b(return|drop|accept|jump|goto)\b"
NFTABLES: dict[str, Mutation] = {
    "address or mask bit": address_bit,
    "prefix length": prefix_length,
    "port": _number(r"(?<=port )\d+|(?<=port \{ )\d+|(?<=\d-)\d+(?= |,)", 65535),
    "protocol": _number(r"(?<=l4proto )\d+", 255),
    "traffic class": _number(r"(?<=dscp )\d+|(?<=ecn )\d+|(?<=@nh,8,8 )\d+", 63),
    "icmp": _number(r"(?<=icmp type )\d+|(?<=icmp code )\d+", 255),
    "flags": _words((r"0x02\b", "0x12"), (r"0x14", "0x10"), (r"flags & (\w+) ==", r"flags & \1 !="), (r"0x10", "0x00")),
    "action": _words(
        (r"\bdrop$", "return"),
        (r"\breturn$", "drop"),
        (r"\breturn$", "accept"),
        (r"\bdrop$", "accept"),
        (r"\bdrop comment", "return comment"),
        (r"\bjump\b", "goto"),
        (r"\bgoto\b", "jump"),
    ),
    "order": _swap(_NFT_RULE),
    "rule lost": _without(_NFT_RULE),
    "rule twice": _twice(_NFT_RULE),
    "direction": _words((r"\biifname", "oifname"), (r"\boifname", "iifname")),
    "interface": _words(
        (r'"eth1"', '"eth2"'), (r'"eth2"', '"eth9"'), (r'"ppp-out"', '"ppp*"'), (r'ifname "', 'ifname != "')
    ),
    "chain": _words(
        (r"jump acl-INSIDE", "jump acl-OUTSIDE"),
        (r"jump acl-OUTSIDE", "jump acl-10"),
        (r"jump acl-10\b", "jump acl-INSIDE"),
    ),
    "hook": _words(
        (r"hook prerouting", "hook input"), (r"hook forward", "hook postrouting"), (r"hook prerouting", "hook forward")
    ),
    "policy": _words((r"policy accept", "policy drop")),
    "priority": _words(
        (r"priority -450", "priority -460"), (r"priority 0", "priority 10"), (r"priority 0", "priority -5")
    ),
    "set entry": _words(
        (r"10\.0\.0\.2, ", ""),
        (r"10\.0\.5\.3-10\.0\.5\.9", "10.0.5.3-10.0.5.8"),
        (r"10\.0\.1\.0/24", "10.0.1.0/25"),
        (r"@SERVERS", "@CLIENTS"),
    ),
    "field": _words((r"\bsaddr\b", "daddr"), (r"\bdport\b", "sport"), (r"\btcp dport", "udp dport")),
    "comment": _words(
        (r'comment "implicit', 'comment "Implicit'),
        (r"^# Compiled", "# accept drop Compiled"),
        (r'prefix "', 'prefix "x'),
    ),
    "comment line": comment_line("#"),
    "white space": spaces,
    "counter": _words((r" (drop|return)$", r" counter packets 3 bytes 7 \1"), (r" (drop|return)$", r" counter \1")),
    "rule commented out": _words((r"^\t\t(?=(ip|meta|tcp|udp|iifname|oifname)\b)", "\t\t# ")),
    "character": character,
}

_ROS_RULE = r"add chain=(?!prerouting action=drop|forward action=drop|input action=drop)"
ROUTEROS: dict[str, Mutation] = {
    "address or mask bit": address_bit,
    "prefix length": prefix_length,
    "port": _number(r"(?<=-port=)\d+|(?<=-port=!)\d+|(?<=\d,)\d+|(?<=port=\d-)\d+", 65535),
    "protocol": _number(r"(?<=protocol=)\d+", 255),
    "traffic class": _number(r"(?<=dscp=)\d+", 63),
    "icmp": _number(r"(?<=icmp-options=)\d+|(?<=:)\d+(?=-| )", 255),
    "flags": _words(
        (r"tcp-flags=ack", "tcp-flags=syn"),
        (r"tcp-flags=syn", "tcp-flags=!syn"),
        (r",!ack", ",ack"),
        (r"tcp-flags=rst", "tcp-flags=rst,fin"),
    ),
    "action": _words(
        (r"action=drop(?! comment=\"hold| in-i| out-i)", "action=return"),
        (r"action=return", "action=drop"),
        (r"action=return", "action=accept"),
        (r"action=return", "action=passthrough"),
        (r"action=drop(?! in-i| out-i)", "action=accept"),
    ),
    "order": _swap(_ROS_RULE),
    "rule lost": _without(_ROS_RULE),
    "rule twice": _twice(_ROS_RULE),
    "direction": _words((r"\bin-interface", "out-interface"), (r"(acl-\w+) out-interface", r"\1 in-interface")),
    "interface": _words(
        (r"interface=eth1 comment=\"gerbang", 'interface=eth2 comment="gerbang'),
        (r"interface=eth2 comment=\"gerbang", 'interface=eth9 comment="gerbang'),
        (r"in-interface=(\w+) comment=\"gerbang", r'in-interface=!\1 comment="gerbang'),
    ),
    "chain": _words(
        (r"jump-target=acl-INSIDE\b", "jump-target=acl-OUTSIDE"),
        (r"jump-target=acl-OUTSIDE\b", "jump-target=acl-10"),
        (r"chain=acl-10\b", "chain=acl-INSIDE"),
    ),
    "hook": _words(
        (r"chain=forward action=jump", "chain=input action=jump"),
        (r"chain=prerouting action=jump", "chain=output action=jump"),
    ),
    "set entry": _words(
        (r"^add list=SERVERS address=10\.0\.0\.2.*\n", ""),
        (r"list=SERVERS address", "list=CLIENTS address"),
        (r"address-list=SERVERS", "address-list=CLIENTS"),
        (r"^add list=wild\S+ .*\n", ""),
        (r"address-list=SERVERS", "address-list=!SERVERS"),
    ),
    "disabled": _append(_ROS_RULE, " disabled=yes", " disabled=no"),
    "disabled entry": _append(r"add list=", " disabled=yes"),
    "hold": _words((r'comment="hold while', 'comment="Hold while'), (r"^remove \[find where comment=\"hold.*\n", "")),
    "field": _words((r"src-address", "dst-address"), (r"dst-port", "src-port"), (r"fragment=yes", "fragment=no")),
    "comment": _words((r"gerbang: implicit", "gerbang: Implicit"), (r"^# Compiled", "# add chain=forward Compiled")),
    "comment line": comment_line("#"),
    "white space": _words((r" action=", "   action="), (r" comment=", "  comment=")),
    "log": _append(_ROS_RULE, " log=no"),
    "rule commented out": _words((r"^(?=add chain=acl)", "# ")),
    "character": character,
}

_IOS_RULE = r" (\d+ )?(permit|deny) "
IOS: dict[str, Mutation] = {
    "address or mask bit": address_bit,
    "port": _number(r"(?<=eq )\d+|(?<=gt )\d+|(?<=lt )\d+|(?<=range )\d+", 65535),
    "port operator": _words((r"\beq\b", "neq"), (r"\bneq\b", "eq"), (r"\bgt\b", "lt"), (r"\blt\b", "gt")),
    "protocol": _words(
        (r"\btcp\b", "udp"), (r"(permit|deny) ip\b", r"\1 tcp"), (r"\bospf\b", "gre"), (r"\bicmp\b", "ip")
    ),
    "traffic class": _number(r"(?<=dscp )\d+|(?<=precedence )\d+|(?<=tos )\d+", 7),
    "icmp": _number(r"(?<=any )\d+(?= |$)", 255),
    "flags": _words((r"\bestablished\b", "syn"), (r"\+syn", "-syn"), (r"-ack", "+ack"), (r" established", "")),
    "action": _words((r"\bpermit\b", "deny"), (r"\bdeny\b", "permit")),
    "order": _swap(_IOS_RULE),
    "sequence": _number(r"(?<=^ )\d+(?= (permit|deny))", 90),
    "rule lost": _without(_IOS_RULE),
    "rule twice": _twice(_IOS_RULE),
    "direction": _words((r" in$", " out"), (r" out$", " in")),
    "interface": _words(
        (r"^interface GigabitEthernet0/1", "interface GigabitEthernet0/3"),
        (r"^interface Serial0/0/0", "interface Serial0/0/1"),
    ),
    "list": _words(
        (r"access-group INSIDE", "access-group OUTSIDE"),
        (r"access-group OUTSIDE", "access-group 10"),
        (r"access-group \w+ in", "access-group NOWHERE in"),
        (r"extended INSIDE", "extended INSIDER"),
    ),
    "binding lost": _without(r" ip access-group"),
    "set entry": _words(
        (r"^ host 10\.0\.0\.2\n", ""),
        (r"range 10\.0\.5\.3", "range 10.0.5.2"),
        (r"object-group SERVERS", "object-group CLIENTS"),
    ),
    "fragments": _words((r" fragments", ""), (r"(permit|deny) ip any any$", r"\1 ip any any fragments")),
    "comment": _words((r"^! Compiled", "! permit Compiled"), (r" log$", "")),
    "comment line": comment_line("!"),
    "white space": spaces,
    "rule removed": _words((r"^ (?=\d+ (permit|deny))", " ! ")),
    "character": character,
}

KINDS = {"nftables": NFTABLES, "routeros": ROUTEROS, "ios": IOS}


def mutations(text: str, dialect: str, rng: random.Random):
    """Endless mutants as (kind, text): each kind in turn, at random places."""
    while True:
        for kind, change in KINDS[dialect].items():
            mutant = change(text, rng)
            if mutant is not None and mutant != text:
                yield kind, mutant
