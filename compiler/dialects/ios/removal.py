"""What global ``no`` and ``default`` take back: lists, groups, time ranges, bindings, interfaces.

All else behind them is skipped, as the line without them would be; a slip of
the pen is not, since what it was to take back would stay without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from compiler.dialects.ios.bindings import remove_interface, reset_interface, unbind
from compiler.dialects.ios.state import State
from compiler.dialects.ios.stray import check_removal
from compiler.dialects.ios.words import Fault, expected, number
from compiler.fields import Family
from compiler.integers import is_number
from compiler.policy.access_list import ListKind

__all__ = ["LIST_KINDS", "OTHER_LIST_WORDS", "read_default", "read_no"]

LIST_KINDS: Mapping[str, ListKind] = MappingProxyType({"standard": ListKind.STANDARD, "extended": ListKind.EXTENDED})

OTHER_LIST_WORDS = ("log-update", "logging", "persistent", "match-local-traffic", "helper", "role-based", "fqdn")
"""What may follow ``ip access-list`` and names no list of ours."""

_OTHER_GROUPS = ("security", "fqdn", "geo", "user", "reputation")


def read_no(state: State, words: list[str]) -> bool:
    """A line ``no …``; always read here."""
    state.skipped += 1
    remove = _find(_REMOVALS, words)
    if remove is not None:
        remove(state, words)
    elif len(words) > 1:
        check_removal(state, words)
        _reset_timeout(state, words)
    return True


def read_default(state: State, words: list[str]) -> bool:
    """A line ``default …``: interfaces and bindings are reset; False for what is none of ours."""
    remove = _find(_REMOVALS, words)
    if remove is None:
        if len(words) > 1:
            check_removal(state, words)
            _reset_timeout(state, words)
        return False
    state.skipped += 1
    if remove is remove_interface:
        reset_interface(state, words)
    elif remove in (_unbind_ipv4, _unbind_ipv6):
        remove(state, words)
    else:
        raise Fault("'default' is not modelled here: say 'no'", 0, unmodelled=True)
    return True


def _reset_timeout(state: State, words: list[str]) -> None:
    """``no ip reflexive-list timeout``."""
    if [word.lower() for word in words[1:3]] == ["ip", "reflexive-list"]:
        state.reflexive_timeout = None


Removal = Callable[[State, list[str]], None]


def _find(table: Mapping[tuple[str, ...], Removal], words: list[str]) -> Removal | None:
    lower = tuple(word.lower() for word in words[1:3])
    return table.get(lower) or table.get(lower[:1])


def _only_name(words: list[str], at: int, what: str) -> str:
    """The last word of the line, at ``at``."""
    if len(words) <= at:
        raise expected("", at, f"the name of the {what}")
    if len(words) > at + 1:
        raise Fault(f"'{words[at + 1]}' is too much: expected the end of the line", at + 1)
    return words[at]


def _numbered(state: State, words: list[str]) -> None:
    """The router drops the whole list, even when an entry is named behind the number."""
    word = words[2] if len(words) > 2 else ""
    if word in ("rate-limit", "compiled", "dynamic-extended"):
        return
    value = number(word, 1, 99999)
    if value is None:
        raise expected(word, 2, "the number of a list: 1-199 or 1300-2699")
    state.lists.pop((Family.IPV4, str(value)), None)


def _ipv4_list(state: State, words: list[str]) -> None:
    word = words[3].lower() if len(words) > 3 else ""
    kind = LIST_KINDS.get(word)
    if kind is None:
        if word in OTHER_LIST_WORDS:
            return
        raise expected(words[3] if word else "", 3, "standard or extended", LIST_KINDS)
    name = _only_name(words, 4, "list")
    if is_number(name):
        name = str(int(name))
    draft = state.lists.get((Family.IPV4, name))
    if draft is not None and draft.kind is not kind:
        raise Fault(f"the list {name} is {draft.kind.value} on line {draft.span.line}, not {kind.value}", 4)
    state.lists.pop((Family.IPV4, name), None)


def _ipv6_list(state: State, words: list[str]) -> None:
    if words[3:4] and words[3] in OTHER_LIST_WORDS:
        return
    state.lists.pop((Family.IPV6, _only_name(words, 3, "list")), None)


def _object_group(state: State, words: list[str]) -> None:
    kind = words[2].lower() if len(words) > 2 else ""
    if kind in _OTHER_GROUPS:
        return
    if kind not in ("network", "service", "v6-network", "v6-service"):
        raise expected(words[2] if kind else "", 2, "network or service", ("network", "service"))
    name = _only_name(words, 3, "group")
    mine, others = state.network_groups, state.service_groups
    if kind.endswith("service"):
        mine, others = others, mine
    if name in others:
        raise Fault(f"the group {name} is of another type", 3)
    mine.pop(name, None)


def _time_range(state: State, words: list[str]) -> None:
    state.time_ranges.pop(_only_name(words, 2, "time-range"), None)


def _unbind_ipv4(state: State, words: list[str]) -> None:
    unbind(state, words, Family.IPV4)


def _unbind_ipv6(state: State, words: list[str]) -> None:
    unbind(state, words, Family.IPV6)


_REMOVALS: Mapping[tuple[str, ...], Removal] = MappingProxyType(
    {
        ("access-list",): _numbered,
        ("ip", "access-list"): _ipv4_list,
        ("ipv6", "access-list"): _ipv6_list,
        ("object-group",): _object_group,
        ("time-range",): _time_range,
        ("ip", "access-group"): _unbind_ipv4,
        ("ipv6", "traffic-filter"): _unbind_ipv6,
        **{("interface"[:length],): remove_interface for length in range(3, 10)},
    }
)
"""First words behind ``no`` -> what they take back."""
