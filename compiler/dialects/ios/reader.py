"""Cisco IOS text -> the tree: running configurations and ``show access-lists``.

Inside lists, object groups and time ranges every word is known or an error with
its place. Elsewhere lines are skipped and counted; those that bind a list, name
one, or change packets in another way are kept. Numbered lists of other
protocols (200-299, 600-1299 …) never look at an IP packet: they are skipped.
An entry that a list has already is skipped and counted too, as IOS ignores it.

Sources: Cisco IOS Security Command Reference; "IP Access List Entry Sequence
Numbering"; "Object Groups for ACLs"; "permit (IPv6)"; "time-range".
"""

from __future__ import annotations

from typing import Literal

from compiler.dialects.ios.finish import finish_groups, finish_lists, finish_time_ranges
from compiler.dialects.ios.foreign import ForeignSystem, comment_system, refuse_system
from compiler.dialects.ios.globals import read_global
from compiler.dialects.ios.state import State
from compiler.dialects.ios.words import Fault
from compiler.errors import InputErrors
from compiler.policy.access_list import Device

__all__ = ["read"]


def read(text: str, source: str, *, unmodelled: Literal["refuse", "bound", "simulate"] = "refuse") -> Device:
    """The device that a running configuration, or the output of ``show access-lists``, describes.

    ``source`` names the text in messages. With ``unmodelled="bound"``, entries
    with clauses outside the model are kept, with the clauses in
    ``Entry.unmodelled``; with ``"simulate"`` only ``reflect`` and ``evaluate``,
    each with its meaning. Raises InputErrors with all that is wrong.
    """
    state = State(text, source, bound=unmodelled == "bound", simulate=unmodelled == "simulate")
    try:
        _read_lines(state)
    except ForeignSystem as fault:  # another system: nothing else is worth saying
        raise InputErrors((fault.as_error(source, state.number, state.text),)) from None
    network, service = finish_groups(state)
    ranges = finish_time_ranges(state)
    lists = finish_lists(state, network, service)
    if state.errors:
        raise InputErrors(tuple(sorted(state.errors, key=lambda error: (error.span.line, error.span.column))))
    return Device(
        source,
        lists,
        tuple(state.bindings.values()),
        tuple(state.uses),
        tuple(network.values()),
        tuple(service.values()),
        tuple(ranges.values()),
        tuple(state.interfaces),
        tuple(state.features),
        state.skipped,
        state.hostname,
        tuple(state.lines),
    )


def _read_lines(state: State) -> None:
    lines = state.lines
    while state.number < len(lines):
        state.text = text = lines[state.number]
        state.number += 1
        words = text.split()
        if not words:
            continue
        try:
            if words[0][0] == "!":
                system = comment_system(text)
                if system:
                    raise refuse_system(system, "its header says so", 0, len(words))
            elif state.block is None or not state.block(words):
                if state.block is not None:
                    state.leave()
                read_global(state, words)
        except ForeignSystem:
            raise
        except Fault as fault:
            state.errors.append(fault.as_error(state.source, state.number, text))
