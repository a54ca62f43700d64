"""Systems whose configurations look like IOS and are not: recognised, and refused by name."""

from __future__ import annotations

import re

from compiler.dialects.ios.words import Fault
from compiler.integers import is_number

__all__ = ["ForeignSystem", "comment_system", "foreign_system", "refuse_system"]

ASA, NX_OS, IOS_XR = "Cisco ASA", "Cisco NX-OS", "Cisco IOS XR"

_COMMENTS = (
    (re.compile(r"!! IOS XR"), IOS_XR),
    (re.compile(r"!\s*Command: show (?:running|startup)-config"), NX_OS + " (or Arista EOS)"),
    (re.compile(r"!\s*device: .*\bEOS-"), "Arista EOS"),
)

_ASA_AFTER_NAME = frozenset(
    ("extended", "standard", "webtype", "ethertype", "line", "advanced", "remark", "permit", "deny")
)
_IP_ACCESS_LIST_WORDS = frozenset(
    [
        "standard",
        "extended",
        "resequence",
        "log-update",
        "logging",
        "persistent",
        "match-local-traffic",
        "helper",
        "role-based",
        "fqdn",
    ]
)


class ForeignSystem(Fault):
    """The text is of another system: this fault ends the reading."""


def refuse_system(system: str, why: str, index: int = 0, count: int = 1) -> ForeignSystem:
    """The fault that ends the reading."""
    return ForeignSystem(f"this is a configuration of {system}, not of Cisco IOS: {why}", index, count)


def comment_system(text: str) -> str:
    """The system that a comment line names, or the empty string."""
    for pattern, system in _COMMENTS:
        if pattern.match(text):
            return system
    return ""


def foreign_system(words: list[str]) -> Fault | None:
    """The fault of a line that only another system writes, or None. ``words`` is not empty."""
    first = words[0]
    check = _CHECKS.get(first)
    return check(words) if check is not None else None


def _access_list(words: list[str]) -> Fault | None:
    if len(words) > 2 and words[2] in _ASA_AFTER_NAME and (not is_number(words[1]) or words[2] in ("extended", "line")):
        return refuse_system(ASA, f"'access-list {words[1]} {words[2]}' is its way to name lists", 0, 3)
    return None


def _access_group(words: list[str]) -> Fault | None:
    if (len(words) > 3 and words[3] in ("interface", "control-plane")) or words[2:] == ["global"]:
        return refuse_system(ASA, "it binds lists with a global 'access-group'", 0, len(words))
    return None


def _ip(words: list[str]) -> Fault | None:
    if len(words) == 3 and words[1] == "access-list" and words[2].lower() not in _IP_ACCESS_LIST_WORDS:
        return refuse_system(NX_OS + " (or Arista EOS)", "IOS says 'ip access-list standard' or 'extended'", 0, 3)
    return None


def _ipv4(words: list[str]) -> Fault | None:
    if len(words) > 1 and words[1] in ("access-list", "access-group"):
        return refuse_system(IOS_XR, f"'ipv4 {words[1]}' is its way to write lists", 0, 2)
    return None


def _object_group(words: list[str]) -> Fault | None:
    if words[1:3] in (["ip", "address"], ["ip", "port"], ["ipv6", "address"]):
        return refuse_system(NX_OS, "IOS says 'object-group network'", 0, 3)
    if words[1:3] in (["network", "ipv4"], ["network", "ipv6"]) and len(words) > 3:
        return refuse_system(IOS_XR, "IOS says 'object-group network NAME'", 0, 3)
    if words[1:2] in (["protocol"], ["icmp-type"]) or (words[1:2] == ["service"] and len(words) > 3):
        return refuse_system(ASA, "IOS says 'object-group service NAME'", 0, len(words))
    return None


def _asa_word(words: list[str]) -> Fault | None:
    return refuse_system(ASA, f"'{words[0]}' is a word of its own", 0)


def _asa_version(words: list[str]) -> Fault | None:
    return refuse_system(ASA, "it says so", 0, 2) if words[1:2] == ["Version"] else None


def _saved(words: list[str]) -> Fault | None:
    return refuse_system(ASA, "its files begin with ': Saved'", 0, 2) if words[1:2] == ["Saved"] else None


def _object(words: list[str]) -> Fault | None:
    if words[1:2] in (["network"], ["service"]) and len(words) == 3:
        return refuse_system(ASA, "IOS has object groups, no objects", 0, 2)
    return None


def _feature(words: list[str]) -> Fault | None:
    return refuse_system(NX_OS, "'feature' is a word of its own", 0) if len(words) > 1 else None


_CHECKS = {
    "access-list": _access_list,
    "access-group": _access_group,
    "ip": _ip,
    "ipv4": _ipv4,
    "object-group": _object_group,
    "object": _object,
    "network-object": _asa_word,
    "port-object": _asa_word,
    "nameif": _asa_word,
    "security-level": _asa_word,
    "ASA": _asa_version,
    "PIX": _asa_version,
    "FWSM": _asa_version,
    ":": _saved,
    "feature": _feature,
}
