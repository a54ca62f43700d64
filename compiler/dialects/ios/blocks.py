"""The blocks whose every word is known: lists, object groups, time ranges."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from compiler.dialects.ios.clock import TimeRangeDraft, read_time_line
from compiler.dialects.ios.entries import read_body
from compiler.dialects.ios.facts import PROTOCOLS
from compiler.dialects.ios.foreign import foreign_system
from compiler.dialects.ios.groups import GroupDraft, network_member, service_member
from compiler.dialects.ios.lists import ListDraft
from compiler.dialects.ios.state import State
from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.fields import Family
from compiler.integers import is_number
from compiler.source import Span

__all__ = ["add_line", "group_block", "list_block", "time_range_block"]

Block = Callable[[list[str]], bool]

_ENTRY_WORDS = frozenset(("permit", "deny", "remark", "evaluate", "dynamic"))
_MAXIMUM_SEQUENCE = 0xFFFFFFFE
_GROUP_WORDS = ("host", "range", "any", "group-object", "description", "tcp-udp")


def add_line(
    state: State, draft: ListDraft, words: list[str], at: int, sequence: int | None, hits: int | None = None
) -> None:
    """The entry or remark that begins at word ``at`` goes into the list."""
    first = words[at] if at < len(words) else ""
    if first == "remark" or first.lower() == "remark":
        text = state.text
        draft.remark(sequence, text[text.lower().index("remark") + 6 :].strip(), state.span(at))
        return
    line = Words(words, at, bound=state.bound)
    body = read_body(line, draft.family, draft.kind)
    if body.sequence is not None:
        sequence, body = body.sequence, body._replace(sequence=None)
    text = state.text
    span = Span(state.source, state.number, len(text) - len(text.lstrip()) + 1, len(text.rstrip()) + 1)
    try:
        if not draft.add(sequence, body, span, hits):
            state.skipped += 1
    except Fault as fault:
        raise Fault(fault.message, 0 if at else len(words) - 1) from None


def list_block(state: State, draft: ListDraft) -> Block:
    """The lines of ``ip access-list`` and ``ipv6 access-list``."""

    def block(words: list[str]) -> bool:
        first = words[0]
        if first in _ENTRY_WORDS:
            add_line(state, draft, words, 0, None)
            return True
        if is_number(first):
            sequence = number(first, 1, _MAXIMUM_SEQUENCE)
            if sequence is None:
                raise Fault(f"'{first}' is not a sequence number: expected 1 to {_MAXIMUM_SEQUENCE}", 0)
            add_line(state, draft, words, 1, sequence)
            return True
        return _rare_line(state, draft, words)

    return block


def _rare_line(state: State, draft: ListDraft, words: list[str]) -> bool:
    first = words[0].lower()
    if first == "sequence" and draft.family is Family.IPV6:
        sequence = number(words[1], 1, _MAXIMUM_SEQUENCE) if len(words) > 1 else None
        if sequence is None:
            raise Fault(f"expected a sequence number from 1 to {_MAXIMUM_SEQUENCE}", 1)
        add_line(state, draft, words, 2, sequence)
        return True
    if first in _ENTRY_WORDS:
        add_line(state, draft, words, 0, None)
        return True
    if first == "no" and len(words) > 1 and (is_number(words[1]) or words[1] in _ENTRY_WORDS or words[1] == "sequence"):
        _remove(state, draft, words)
        return True
    if first == "exit":
        state.skipped += 1
        state.enter(None)
        return True
    inside = state.inside()
    near = not state.indented and len(words) > 1 and get_close_matches(first, list(_ENTRY_WORDS), 1, 0.75)
    if inside or near:
        foreign = foreign_system(words)
        if foreign is not None:
            raise foreign
        raise expected(words[0], 0, "permit, deny, remark or a sequence number", _ENTRY_WORDS)
    return False


def _remove(state: State, draft: ListDraft, words: list[str]) -> None:
    """``no 10``, ``no permit …``, ``no remark …``."""
    at = 2 if words[1] == "sequence" else 1
    if at < len(words) and is_number(words[at]):
        if len(words) > at + 1 and words[at + 1].lower() not in _ENTRY_WORDS:
            raise expected(words[at + 1], at + 1, "the end of the line", _ENTRY_WORDS)
        if not draft.remove(int(words[at])):
            raise Fault(f"the list {draft.name} has no line {words[at]}", at)
        return
    if words[1] == "remark":
        text = " ".join(words[2:])
        draft.pending = [remark for remark in draft.pending if " ".join(remark.text.split()) != text]
        return
    body = read_body(Words(words, 1, bound=state.bound), draft.family, draft.kind)
    if not draft.remove_body(body._replace(sequence=None)):
        raise Fault(f"the list {draft.name} has no such entry", 1, len(words) - 1)


def group_block(state: State, draft: GroupDraft, *, service: bool) -> Block:
    """The lines of ``object-group network`` and ``object-group service``."""

    def block(words: list[str]) -> bool:
        first = words[0].lower()
        if first == "exit":
            state.skipped += 1
            state.enter(None)
            return True
        if not state.inside() and (state.indented or not _looks_like_member(words, draft.family, service=service)):
            return False
        foreign = foreign_system(words)
        if foreign is not None and first != "ip":
            raise foreign
        if first == "description":
            draft.description = state.text.strip()[len("description") :].strip()
            return True
        line = Words(words)
        member = service_member(line, draft.family) if service else network_member(line, draft.family)
        if member in draft.members:
            state.skipped += 1  # as IOS ignores it
        else:
            draft.members[member] = state.span(0, len(words))
        return True

    return block


def _looks_like_member(words: list[str], family: Family, *, service: bool) -> bool:
    """Whether a line that is not indented still belongs to the group."""
    first = words[0].lower()
    if first in _GROUP_WORDS:
        return True
    if not service:
        return is_number(first[0]) or ":" in first[1:]
    return is_number(first) or (first in PROTOCOLS[family] and (len(words) == 1 or first not in ("ip", "ipv6")))


def time_range_block(state: State, draft: TimeRangeDraft) -> Block:
    """The lines of ``time-range``."""

    def block(words: list[str]) -> bool:
        first = words[0].lower()
        if first == "exit":
            state.skipped += 1
            state.enter(None)
            return True
        inside = state.inside()
        if not inside and (state.indented or not get_close_matches(first, ("absolute", "periodic"), 1, 0.75)):
            return False
        read_time_line(Words(words), draft)
        return True

    return block
