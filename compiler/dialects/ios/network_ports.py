"""Blocks of a configuration as the network sees them: interfaces, and modes that are none of its business."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from compiler.dialects.ios.network_commands import command, is_global, leaves_interface
from compiler.dialects.ios.network_interfaces import INTERFACE_LINES
from compiler.dialects.ios.network_state import InterfaceDraft, NetworkState
from compiler.dialects.ios.network_words import outside
from compiler.dialects.ios.words import Fault, Words

__all__ = ["check_slip", "interface_block", "other_block"]

Block = Callable[[list[str]], bool]

_NEIGHBOURS = frozenset(("router", "routing", "redirects", "routes"))
"""Words of IOS that look like a slip of one that is read."""


def interface_block(state: NetworkState, draft: InterfaceDraft | None) -> Block:
    """The lines of one interface; of a range of them when ``draft`` is None."""

    def block(words: list[str]) -> bool:
        inside = state.inside()
        if not inside and state.indented:
            return False
        if words[0].lower() == "exit":
            state.skipped += 1
            state.enter(None)
            return True
        if is_global(words) or (not inside and leaves_interface(words)):
            return False
        prefix = words[0].lower()
        at = 1 if prefix in ("no", "default") and len(words) > 1 else 0
        head = command(words, at, INTERFACE_LINES)
        if head is None:
            check_slip(words, at, INTERFACE_LINES)
            state.skipped += 1
            return True
        if prefix == "default":
            raise Fault("'default' is not modelled here: say 'no'", 0, unmodelled=True)
        if draft is None:
            why = "lines for an interface range; 'show running-config' gives them to each interface"
            raise outside(words, 0, len(words), why)
        INTERFACE_LINES[head](state, draft, Words(words, at + len(head)), at == 1)
        return True

    return block


def other_block(state: NetworkState) -> Block:
    """The deeper lines under a header that is not read: skipped, but for commands of the network."""

    def block(words: list[str]) -> bool:
        if not state.inside() or is_global(words):
            return False
        state.skipped += 1
        return True

    return block


def check_slip(words: list[str], at: int, heads: Iterable[tuple[str, ...]]) -> None:
    """A fault when the line is nearly one of the known commands: it would vanish without a word."""
    lower = [word.lower() for word in words[at : at + 2]]
    singles = [head[0] for head in heads]
    if len(lower) > 1 and lower[0] in singles:
        seconds = [head[1] for head in heads if len(head) > 1 and head[0] == lower[0]]
        _slip(words, at + 1, lower[1], seconds)
    elif lower:
        _slip(words, at, lower[0], singles)


def _slip(words: list[str], at: int, word: str, known: list[str]) -> None:
    if len(word) < 5 or word in known or word in _NEIGHBOURS:
        return
    near = get_close_matches(word, [one for one in known if len(one) > 4], 1, 0.8)
    if near:
        raise Fault(f"'{words[at]}' is not known here; did you mean '{near[0]}'?", at)
