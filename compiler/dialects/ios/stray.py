"""Lines outside the closed blocks that must not be skipped: they look like parts of a list.

A list whose header has a slip of the pen would otherwise vanish without a word.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache

from compiler.dialects.ios.entries import ACTIONS, read_body
from compiler.dialects.ios.state import State
from compiler.dialects.ios.words import Fault, Words
from compiler.fields import Family
from compiler.integers import is_number
from compiler.policy.access_list import ListKind

__all__ = ["check_removal", "check_stray", "refuse_prompt"]

_HEADS = ("access-list", "object-group", "time-range", "interface")
_SECONDS = ("access-list", "access-group", "traffic-filter")
_FAMILIES = ("ip", "ipv6", "mac", "ipx")
"""What may stand before ``access-list standard`` or ``extended``."""
_OTHER_WORDS = ("object", "time")
"""Words of other systems, which are no short form."""
_OTHER_LISTS = ("access-list", "profile", "prefix-list", "community-list", "policy-list", "filter-list")

_PROMPT = re.compile(r"\S*\(config[^)]*\)#")


@lru_cache(maxsize=4096)
def _meant(word: str, known: tuple[str, ...]) -> str:
    """The known word that a different word is one slip away from, or the empty string."""
    if word in known or len(word) < 6:
        return ""
    near = get_close_matches(word, known, 1, 0.85)
    return near[0] if near else ""


def _shortened(word: str, known: tuple[str, ...], least: int = 4) -> str:
    """The known word that is typed in part, as the router's command line takes it, or the empty string."""
    if len(word) < least:
        return ""
    return next((whole for whole in known if whole != word and whole.startswith(word)), "")


def _shortened_head(words: list[str]) -> str:
    """The same for the first word of a line, which the words behind it make sure."""
    first, second, third = (*(word.lower() for word in words[:3]), "", "")[:3]
    meant = _shortened(first, _HEADS, 3)
    sure = {
        "access-list": is_number(second) and third in (*ACTIONS, "remark"),
        "object-group": len(second) > 2 and ("network".startswith(second) or "service".startswith(second)),
        "time-range": len(words) == 2,
    }
    return meant if sure.get(meant) and first not in _OTHER_WORDS else ""


def refuse_prompt(word: str) -> None:
    """A fault when the first word of a line is ``R1(config)#``."""
    if _PROMPT.match(word):
        raise Fault("a prompt stands before the command: give the commands alone, or a running configuration", 0)


def check_stray(state: State, words: list[str]) -> None:
    """A fault when the line is nearly the header of a list, or an entry without a list."""
    first = words[0].lower()
    refuse_prompt(words[0])
    if not state.text[0].isspace():
        state.header = words
        meant = _meant(first, _HEADS) or _shortened_head(words)
        if meant:
            raise Fault(f"'{words[0]}' is not known here; did you mean '{meant}'?", 0)
        if words[1:2] == ["access-list"] and words[2:3] in (["standard"], ["extended"]) and first not in _FAMILIES:
            raise Fault(f"'{words[0]}' is not known here; expected 'ip access-list {words[2]}'", 0)
    if first in ("ip", "ipv6") and len(words) > 2:
        second = words[1].lower()
        meant = _meant(second, _SECONDS) or _shortened(second, _SECONDS[1:] if state.interface else _SECONDS)
        if meant:
            raise Fault(f"'{words[1]}' is not known here; did you mean '{meant}'?", 1)
    at = 2 if first == "sequence" else 0 if first[0].isalpha() else 1
    if at < len(words) and words[at].lower() in ACTIONS and _is_entry(words, at) and not _in_other_list(state):
        raise Fault("an entry outside of any list: expected 'ip access-list' with its name above it", 0, len(words))


def check_removal(state: State, words: list[str]) -> None:
    """The same for what stands behind ``no`` or ``default``: a slip there leaves alone what was to go."""
    header = state.header
    try:
        check_stray(state, words[1:])
        first = words[1].lower()
        if len(words) > 2 and is_number(words[2]) and _shortened(first, ("access-list",), 3):
            raise Fault(f"'{words[1]}' is not known here; did you mean 'access-list'?", 0)
    except Fault as fault:
        raise Fault(fault.message, fault.index + 1, fault.count) from None
    finally:
        state.header = header


def _in_other_list(state: State) -> bool:
    """Whether the last header begins a list that is not one of ours (MAC, ARP, role-based)."""
    return any(word in _OTHER_LISTS for word in state.header)


def _is_entry(words: list[str], at: int) -> bool:
    return any(
        _reads(words, at, family, kind)
        for family, kind in (
            (Family.IPV4, ListKind.EXTENDED),
            (Family.IPV6, ListKind.EXTENDED),
            (Family.IPV4, ListKind.STANDARD),
        )
    )


def _reads(words: list[str], at: int, family: Family, kind: ListKind) -> bool:
    try:
        read_body(Words(words, at, bound=True), family, kind)
    except Fault:
        return False
    return True
