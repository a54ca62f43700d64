"""Lines outside the closed blocks: headers, bindings, uses; the rest is skipped and counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from compiler.dialects.ios.bindings import RANGE, bind
from compiler.dialects.ios.blocks import add_line, group_block, list_block, time_range_block
from compiler.dialects.ios.clock import TimeRangeDraft
from compiler.dialects.ios.facts import NON_IP_LISTS, list_kind
from compiler.dialects.ios.foreign import foreign_system
from compiler.dialects.ios.groups import GroupDraft
from compiler.dialects.ios.interfaces import read_interface
from compiler.dialects.ios.reflexive import reflexive_timeout
from compiler.dialects.ios.removal import LIST_KINDS, OTHER_LIST_WORDS, read_default, read_no
from compiler.dialects.ios.show import begin_shown_list
from compiler.dialects.ios.state import State
from compiler.dialects.ios.stray import check_stray
from compiler.dialects.ios.uses import feature, uses
from compiler.dialects.ios.words import Fault, expected, number
from compiler.fields import Family
from compiler.policy.access_list import Clause, ListKind, ListUse

__all__ = ["read_global", "skip_text"]

_BANNER = re.compile(
    r"\s*(?:banner\s+(?:motd|login|exec|incoming|slip-ppp|prompt-timeout|config-save)"
    r"|aaa\s+authentication\s+(?:banner|fail-message)|vacant-message|refuse-message"
    r"|menu\s+\S+\s+(?:title|prompt))\s+(\^.|\S)(.*)$"
)

_BANNERS = ("banner", "aaa", "vacant-message", "refuse-message", "menu")

_MODE_WORDS = frozenset(
    [
        "router",
        "line",
        "route-map",
        "class-map",
        "policy-map",
        "control-plane",
        "vrf",
        "template",
        "access-list",
        "object-group",
        "time-range",
        "crypto",
        "end",
        "snmp-server",
        "logging",
        "ntp",
        "hostname",
        "dial-peer",
        "voice-port",
        "key",
        "archive",
        "vlan",
        "banner",
        "tacacs-server",
        "radius-server",
        "aaa",
    ]
)
"""Words that leave the interface mode in texts without indentation."""


def read_global(state: State, words: list[str]) -> None:
    """One line that no block took."""
    if state.interface:
        _follow_interface(state, words)
    first = words[0]
    if not state.text[0].isspace():
        foreign = foreign_system(words)
        if foreign is not None:
            raise foreign
    reader = _READERS.get(first) or _READERS.get(first.lower())
    if reader is None or not reader(state, words):
        check_stray(state, words)
        _other(state, words)


def _follow_interface(state: State, words: list[str]) -> None:
    """Whether the line still belongs to the interface."""
    if not state.inside() and (state.indented or words[0] in _MODE_WORDS or words[:2] == ["ip", "route"]):
        state.interface = ""


def _other(state: State, words: list[str]) -> None:
    kept = False
    for name, purpose in uses(words):
        kept = True
        state.uses.append(ListUse(name, purpose, state.span(_index(words, name))))
    if feature(words):
        kept = True
        state.features.append(Clause(" ".join(words), state.span(0, len(words))))
    if not kept:
        state.skipped += 1


def _index(words: list[str], name: str) -> int:
    """The last word that is the name: names stand behind keywords."""
    return len(words) - 1 - words[::-1].index(name)


def _numbered(state: State, words: list[str]) -> bool:
    """``access-list 101 permit …``."""
    word = words[1] if len(words) > 1 else ""
    if word in ("rate-limit", "compiled", "dynamic-extended"):
        return False
    value = number(word, 1, 99999)
    if value is None:
        raise expected(word, 1, "the number of a list: 1-199 or 1300-2699", ())
    kind = list_kind(value)
    if kind is None:
        if any(low <= value <= high for low, high, _ in NON_IP_LISTS):
            return False
        raise Fault(f"'{word}' is not the number of a list: expected 1-199 or 1300-2699", 1)
    # The header of the list is no block: such lines carry their list's number.
    if len(words) == 2:
        raise expected("", 2, "permit, deny or remark")
    add_line(state, state.list_draft(str(value), Family.IPV4, kind, 1), words, 2, None)
    return True


def _ip(state: State, words: list[str]) -> bool:
    second = words[1].lower() if len(words) > 1 else ""
    if second == "access-group":
        return bind(state, words, Family.IPV4)
    if second == "access-list":
        return _ip_access_list(state, words)
    if second == "reflexive-list" and state.simulate:
        state.reflexive_timeout = reflexive_timeout(words)
    return False


def _ip_access_list(state: State, words: list[str]) -> bool:
    word = words[2].lower() if len(words) > 2 else ""
    kind = LIST_KINDS.get(word)
    if kind is None:
        if word == "resequence":
            _resequence(state, words)
            return True
        if word in OTHER_LIST_WORDS:
            state.interface = ""
            return False
        raise expected(words[2] if word else "", 2, "standard or extended", ("standard", "extended", "resequence"))
    if len(words) != 4:
        raise expected("", 3, "the name of the list") if len(words) < 4 else Fault(f"'{words[4]}' is too much", 4)
    state.enter(list_block(state, state.list_draft(words[3], Family.IPV4, kind, 3)))
    return True


def _resequence(state: State, words: list[str]) -> None:
    """``ip access-list resequence NAME [START [STEP]]``."""
    if len(words) < 4:
        raise expected("", 3, "the name of a list")
    values = [10, 10]
    for index, word in enumerate(words[4:6]):
        value = number(word, 1, 0x7FFFFFFF)
        if value is None:
            raise Fault(f"'{word}' is not a number; expected the {('start', 'step')[index]}", 4 + index)
        values[index] = value
    if len(words) > 6:
        raise Fault(f"'{words[6]}' is too much: expected the end of the line", 6)
    state.known_list(words[3], Family.IPV4, 3).resequence(*values)


def _ipv6(state: State, words: list[str]) -> bool:
    second = words[1].lower() if len(words) > 1 else ""
    if second == "traffic-filter":
        return bind(state, words, Family.IPV6)
    if second != "access-list":
        return False
    if words[2:3] and words[2] in ("log-update", "match-local-traffic", "role-based"):
        return False
    if len(words) != 3:
        raise expected("", 2, "the name of the list") if len(words) < 3 else Fault(f"'{words[3]}' is too much", 3)
    state.enter(list_block(state, state.list_draft(words[2], Family.IPV6, ListKind.EXTENDED, 2)))
    return True


def _interface(state: State, words: list[str]) -> bool:
    state.enter(None)
    if len(words) > 1 and words[1].lower() == "range":
        state.interface = RANGE
        return False
    state.interface = read_interface(words, 1)
    state.interfaces[state.interface] = None
    return True


def _object_group(state: State, words: list[str]) -> bool:
    kind = words[1].lower() if len(words) > 1 else ""
    if kind not in ("network", "service", "v6-network", "v6-service"):
        if kind in ("security", "fqdn", "geo", "user", "reputation"):
            return False
        raise expected(words[1] if kind else "", 1, "network or service", ("network", "service"))
    if len(words) != 3:
        raise expected("", 2, "the name of the group") if len(words) < 3 else Fault(f"'{words[3]}' is too much", 3)
    name = words[2]
    family = Family.IPV6 if kind.startswith("v6") else Family.IPV4
    service = kind.endswith("service")
    mine, others = state.network_groups, state.service_groups
    if service:
        mine, others = others, mine
    if name in others or (name in mine and mine[name].family is not family):
        raise Fault(f"the group {name} is of another type already", 2)
    draft = mine.setdefault(name, GroupDraft(name, state.span(2), family))
    state.enter(group_block(state, draft, service=service))
    return True


def _time_range(state: State, words: list[str]) -> bool:
    if len(words) != 2:
        raise expected("", 1, "the name of the time-range") if len(words) < 2 else Fault(f"'{words[2]}' is too much", 2)
    draft = state.time_ranges.setdefault(words[1], TimeRangeDraft(words[1], state.span(1)))
    state.enter(time_range_block(state, draft))
    return True


def _banner(state: State, words: list[str]) -> bool:
    """A text between two delimiters; nothing in it is configuration."""
    found = _BANNER.match(state.text)
    if found is None:
        return False
    delimiter, rest = found[1], found[2]
    state.skipped += 1
    if delimiter in rest:
        return True
    for number_of_line in range(state.number, len(state.lines)):
        if delimiter in state.lines[number_of_line]:
            state.skipped += number_of_line + 1 - state.number
            state.number = number_of_line + 1
            return True
    at = next(index for index, word in enumerate(words) if word.startswith(delimiter))
    raise Fault(f"this text never ends: expected a line with '{delimiter}'", at)


def _macro(state: State, words: list[str]) -> bool:
    """``macro name X`` … ``@``."""
    if words[1:2] != ["name"]:
        return False
    for number_of_line in range(state.number, len(state.lines)):
        if state.lines[number_of_line].strip() == "@":
            state.skipped += number_of_line + 2 - state.number
            state.number = number_of_line + 1
            return True
    raise Fault("this macro never ends: expected a line '@'", 0, len(words))


def skip_text(state: State, words: list[str]) -> bool:
    """Whether a banner or a macro begins here; its text, which is no configuration, is skipped."""
    first = words[0].lower()
    if first == "macro":
        return _macro(state, words)
    return first in _BANNERS and _banner(state, words)


def _hostname(state: State, words: list[str]) -> bool:
    if len(words) == 2 and not state.text[0].isspace():
        state.hostname = words[1].strip('"')
    return False


def _shown(state: State, words: list[str]) -> bool:
    if begin_shown_list(state):
        return True
    if "access list" in state.text:
        raise Fault("not a head of a list as 'show access-lists' prints it", 0, len(words))
    return False


_READERS: Mapping[str, Callable[[State, list[str]], bool]] = {
    "access-list": _numbered,
    "ip": _ip,
    "ipv6": _ipv6,
    **{"interface"[:length]: _interface for length in range(3, 10)},
    "object-group": _object_group,
    "time-range": _time_range,
    "no": read_no,
    "default": read_default,
    **dict.fromkeys(_BANNERS, _banner),
    "macro": _macro,
    "hostname": _hostname,
    **dict.fromkeys(("Standard", "Extended", "IPv6", "Reflexive", "Role-based", "Dynamic", "MAC"), _shown),
}
