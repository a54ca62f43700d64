"""The blocks whose every word is known: lists, object groups, time ranges."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from compiler.dialects.ios.clock import TimeRangeDraft, read_time_line
from compiler.dialects.ios.entries import read_body
from compiler.dialects.ios.facts import PROTOCOLS
from compiler.dialects.ios.foreign import foreign_system
from compiler.dialects.ios.groups import GroupDraft, network_member, service_member
from compiler.dialects.ios.line_removal import ENTRY_WORDS, MAXIMUM_SEQUENCE, remove_line, removes_line
from compiler.dialects.ios.lists import ListDraft
from compiler.dialects.ios.state import State
from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.fields import Family
from compiler.integers import is_number
from compiler.source import Span

__all__ = ["add_line", "group_block", "list_block", "time_range_block"]

Block = Callable[[list[str]], bool]

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
    line = Words(words, at, bound=state.bound, simulate=state.simulate)
    body = read_body(line, draft.family, draft.kind)
    if body.sequence is not None:
        if sequence is not None:
            index = next(index for index, word in enumerate(words) if index > at and word.lower() == "sequence")
            raise Fault("the sequence number is given twice", index, 2)
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
        if first in ENTRY_WORDS:
            add_line(state, draft, words, 0, None)
            return True
        if first.isdigit():  # a wider class than that of sequence numbers: the others are faults
            sequence = number(first, 1, MAXIMUM_SEQUENCE)
            if sequence is None:
                raise Fault(f"'{first}' is not a sequence number: expected 1 to {MAXIMUM_SEQUENCE}", 0)
            add_line(state, draft, words, 1, sequence)
            return True
        return _rare_line(state, draft, words)

    return block


def _rare_line(state: State, draft: ListDraft, words: list[str]) -> bool:
    first = words[0].lower()
    if first == "sequence" and draft.family is Family.IPV6:
        sequence = number(words[1], 1, MAXIMUM_SEQUENCE) if len(words) > 1 else None
        if sequence is None:
            raise Fault(f"expected a sequence number from 1 to {MAXIMUM_SEQUENCE}", 1)
        add_line(state, draft, words, 2, sequence)
        return True
    if first in ENTRY_WORDS:
        add_line(state, draft, words, 0, None)
        return True
    if first == "no" and len(words) > 1 and removes_line(draft, words[1].lower()):
        remove_line(state, draft, words)
        return True
    if first == "exit":
        state.skipped += 1
        state.enter(None)
        return True
    inside = state.inside()
    at = 1 if first in ("no", "default") and len(words) > 1 else 0
    near = not state.indented and len(words) > 1 and get_close_matches(words[at].lower(), list(ENTRY_WORDS), 1, 0.75)
    if inside or near:
        foreign = foreign_system(words)
        if foreign is not None:
            raise foreign
        if first == "default":
            raise Fault("'default' is not modelled in a list: say 'no'", 0, unmodelled=True)
        raise expected(words[at], at, "permit, deny, remark or a sequence number", ENTRY_WORDS)
    return False


def group_block(state: State, draft: GroupDraft, *, service: bool) -> Block:
    """The lines of ``object-group network`` and ``object-group service``."""

    def block(words: list[str]) -> bool:
        first = words[0].lower()
        if first == "exit":
            state.skipped += 1
            state.enter(None)
            return True
        taken_back = first == "no" and len(words) > 1
        own = words[1:] if taken_back else words
        if not state.inside() and (state.indented or not _looks_like_member(own, draft.family, service=service)):
            return False
        if taken_back:
            _remove_member(draft, words, service=service)
            return True
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


def _remove_member(draft: GroupDraft, words: list[str], *, service: bool) -> None:
    """``no host 10.0.0.1``, ``no description``."""
    if words[1].lower() == "description":
        draft.description = ""
        return
    line = Words(words, 1)
    member = service_member(line, draft.family) if service else network_member(line, draft.family)
    if draft.members.pop(member, None) is None:
        raise Fault(f"the group {draft.name} has no such member", 1, len(words) - 1)


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
        taken_back = first == "no" and len(words) > 1
        own = words[1].lower() if taken_back else first
        if not inside and (state.indented or not get_close_matches(own, ("absolute", "periodic"), 1, 0.75)):
            return False
        if taken_back:
            why = "a time-range is given whole; take it back with 'no time-range'"
            raise Fault(f"'{' '.join(words[:2])}' is not modelled: {why}", 0, len(words), unmodelled=True)
        read_time_line(Words(words), draft)
        return True

    return block
