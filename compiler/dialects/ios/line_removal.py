"""``no`` inside a list: what takes an entry or a remark out of it."""

from __future__ import annotations

from compiler.dialects.ios.entries import read_body
from compiler.dialects.ios.lists import ListDraft
from compiler.dialects.ios.state import State
from compiler.dialects.ios.words import Fault, Words, number
from compiler.fields import Family

__all__ = ["ENTRY_WORDS", "MAXIMUM_SEQUENCE", "remove_line", "removes_line"]

ENTRY_WORDS = frozenset(("permit", "deny", "remark", "evaluate", "dynamic"))
"""First words of the lines of a list."""

MAXIMUM_SEQUENCE = 0xFFFFFFFE


def removes_line(draft: ListDraft, word: str) -> bool:
    """Whether ``no`` before this word takes back a line of the list."""
    return word[0].isdigit() or word in ENTRY_WORDS or (word == "sequence" and draft.family is Family.IPV6)


def remove_line(state: State, draft: ListDraft, words: list[str]) -> None:
    """``no 10``, ``no permit …``, ``no 10 permit …``, ``no remark …``. Fault when the list has no such line."""
    at, sequence = 1, None
    first = words[1].lower()
    if first == "sequence" or first[0].isdigit():
        at = 2 if first == "sequence" else 1
        sequence = _sequence(words, at)
        at += 1
        if at == len(words):
            if not draft.remove(sequence):
                raise Fault(f"the list {draft.name} has no line {sequence}", at - 1)
            return
    if words[at].lower() == "remark":
        if not draft.remove_remark(" ".join(words[at + 1 :]), sequence):
            raise Fault(f"the list {draft.name} has no such remark", 1, len(words) - 1)
        return
    line = Words(words, at, bound=state.bound, simulate=state.simulate)
    body = read_body(line, draft.family, draft.kind)
    if body.sequence is not None and sequence is not None:
        raise Fault("the sequence number is given twice", 1, at - 1)
    if not draft.remove_body(body._replace(sequence=None), sequence if body.sequence is None else body.sequence):
        raise Fault(f"the list {draft.name} has no such entry", 1, len(words) - 1)


def _sequence(words: list[str], at: int) -> int:
    word = words[at] if at < len(words) else ""
    sequence = number(word, 1, MAXIMUM_SEQUENCE)
    if sequence is None:
        raise Fault(f"'{word}' is not a sequence number: expected 1 to {MAXIMUM_SEQUENCE}", at)
    return sequence
