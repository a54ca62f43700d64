"""``show access-lists``, ``show ip access-lists``, ``show ipv6 access-list``: lists with hit counts."""

from __future__ import annotations

import re
from collections.abc import Callable

from compiler.dialects.ios.blocks import add_line
from compiler.dialects.ios.facts import NON_IP_LISTS
from compiler.dialects.ios.lists import ListDraft
from compiler.dialects.ios.state import State
from compiler.dialects.ios.words import expected, number
from compiler.fields import Family
from compiler.integers import is_number
from compiler.policy.access_list import ListKind

__all__ = ["begin_shown_list"]

_HEADER = re.compile(
    r"\s*(?:(?P<kind>Standard|Extended) IP access list|(?P<ipv6>IPv6) access list"
    r"|(?P<other>(?:Reflexive|Role-based|Dynamic) IP access list|(?:Extended |Standard )?MAC access list))"
    r" (?P<name>\S+)(?:\s+(?:in|out))?(?:\s+\([^)]*\))*\s*$"
)

_COUNT = re.compile(r"\(([0-9]{1,20}) match(?:es)?\)")
_CHECK = re.compile(r"check=[0-9]+")


def begin_shown_list(state: State) -> bool:
    """Whether the current line heads a shown list; then its block is entered."""
    found = _HEADER.match(state.text)
    if found is None:
        return False
    if found["other"]:
        state.enter(_skip_lines(state))
        state.skipped += 1
        return True
    name = found["name"]
    family = Family.IPV6 if found["ipv6"] else Family.IPV4
    kind = ListKind.STANDARD if found["kind"] == "Standard" else ListKind.EXTENDED
    index = state.text.split().index(name)
    if family is Family.IPV4 and is_number(name) and any(low <= int(name) <= high for low, high, _ in NON_IP_LISTS):
        state.enter(_skip_lines(state))
        return True
    state.enter(_shown_lines(state, state.list_draft(name, family, kind, index)))
    return True


def _skip_lines(state: State) -> Callable[[list[str]], bool]:
    """The lines of a list that is not one of ours."""

    def block(_words: list[str]) -> bool:
        if not state.inside():
            return False
        state.skipped += 1
        return True

    return block


def _shown_lines(state: State, draft: ListDraft) -> Callable[[list[str]], bool]:
    def block(words: list[str]) -> bool:
        sequence = number(words[0], 1, 0xFFFFFFFE)
        at = 0 if sequence is None else 1
        if draft.family is Family.IPV6 and words[0] == "sequence" and len(words) > 1:
            sequence, at = number(words[1], 1, 0xFFFFFFFE), 2
        action = words[at] if at < len(words) else ""
        if action not in ("permit", "deny", "evaluate", "dynamic", "Dynamic", "remark"):
            if not state.inside():
                return False
            raise expected(action, at, "permit or deny", ("permit", "deny"))
        text, hits = _without_counts(state.text)
        if draft.family is Family.IPV6 and action != "remark":
            text, hits = _counts_before_sequence(text, hits)
        add_line(state, draft, text.split(), at, sequence, hits)
        return True

    return block


def _without_counts(text: str) -> tuple[str, int | None]:
    """The line without ``(3 matches)``, ``(active)`` and ``check=7`` at its end, and the count."""
    hits: int | None = None
    stripped = text.rstrip()
    while stripped:
        opening = stripped.rfind("(") if stripped.endswith(")") else -1
        if opening > 0:
            count = _COUNT.fullmatch(stripped, opening)
            if count is not None:
                hits = int(count[1])
        else:
            opening = stripped.rfind(" check=")
            if opening < 0 or _CHECK.fullmatch(stripped, opening + 1) is None:
                break
        stripped = stripped[:opening].rstrip()
    return stripped, hits


def _counts_before_sequence(text: str, hits: int | None) -> tuple[str, int | None]:
    """``permit … (3 matches) sequence 10``: the counts stand in front of the number."""
    head, word, tail = text.rpartition(" sequence ")
    if not word:
        return text, hits
    head, counted = _without_counts(head)
    return f"{head} sequence {tail}", hits if counted is None else counted
