"""``ip access-group`` and ``ipv6 traffic-filter``: the lists at interfaces, given and taken back.

Sources: Cisco IOS Interface and Hardware Component Command Reference,
"default (interface)", "interface"; Cisco IOS Security Command Reference, "ip access-group".
"""

from __future__ import annotations

from compiler.dialects.ios.interfaces import PHYSICAL, read_interface
from compiler.dialects.ios.state import State
from compiler.dialects.ios.words import Fault, expected
from compiler.fields import Family
from compiler.integers import is_number
from compiler.policy.access_list import Binding, Direction

__all__ = ["RANGE", "bind", "remove_interface", "reset_interface", "unbind"]

RANGE = "interface range"
"""Stands for the interfaces of a range while its lines are read."""


def bind(state: State, words: list[str], family: Family) -> bool:
    """``ip access-group NAME in|out`` of an interface; False elsewhere, where it is a use."""
    if not state.interface:
        return False
    name, direction = _read(state, words, 2, family)
    binding = Binding(state.interface, direction, family, name, state.span(0, 4))
    state.bindings[state.interface, direction, family] = binding
    return True


def unbind(state: State, words: list[str], family: Family) -> None:
    """``no ip access-group NAME in|out`` of an interface. Fault when another list is bound there."""
    if not state.interface:
        return
    name, direction = _read(state, words, 3, family)
    key = state.interface, direction, family
    bound = state.bindings.get(key)
    if bound is None:
        return
    if bound.access_list != name:
        raise Fault(f"the list {bound.access_list} is bound here (line {bound.span.line}), not {name}", 3)
    del state.bindings[key]


def _read(state: State, words: list[str], at: int, family: Family) -> tuple[str, Direction]:
    """The name at ``at`` and the direction behind it."""
    if len(words) > at + 2 and words[at] == "common":
        raise Fault(f"'{words[at - 1]} common' is not modelled: two lists in one binding", at, 2, unmodelled=True)
    if state.interface == RANGE:
        why = "a list bound to an interface range; 'show running-config' binds it to each interface"
        raise Fault(f"'{' '.join(words)}' is not modelled: {why}", 0, len(words), unmodelled=True)
    if len(words) <= at:
        raise expected("", at, "the name of a list")
    name = words[at]
    word = words[at + 1] if len(words) > at + 1 else ""
    if word.lower() not in ("in", "out"):
        raise expected(word, at + 1, "in or out", ("in", "out"))
    if len(words) > at + 2:
        raise Fault(f"'{words[at + 2]}' is too much: expected the end of the line", at + 2)
    if family is Family.IPV4 and is_number(name):
        name = str(int(name))
    return name, Direction(word.lower())


def remove_interface(state: State, words: list[str]) -> None:
    """``no interface NAME``: it goes, with its subinterfaces and all their bindings."""
    name = _named(state, words)
    if not name:
        return
    gone = {one for one in state.interfaces if one == name or one.startswith(f"{name}.")}
    if "." not in name and name.rstrip("0123456789/:") in PHYSICAL and _bound(state, gone):
        why = "a router does not remove a physical interface; 'default interface' resets one"
        raise Fault(f"'no interface {name}' is not modelled: {why}", 0, len(words), unmodelled=True)
    _drop(state, gone)
    for one in gone:
        del state.interfaces[one]


def reset_interface(state: State, words: list[str]) -> None:
    """``default interface NAME``: it stays, without bindings."""
    name = _named(state, words)
    if not name:
        return
    below = {one for one in state.interfaces if one.startswith(f"{name}.")}
    if _bound(state, below):
        why = "whether its subinterfaces keep their lists is not documented"
        raise Fault(f"'default interface {name}' is not modelled: {why}", 0, len(words), unmodelled=True)
    _drop(state, {name})


def _named(state: State, words: list[str]) -> str:
    """The interface at word 2; the empty string for a range that holds nothing of ours. The mode is global again."""
    state.interface = ""
    if len(words) > 2 and words[2].lower() == "range":
        if state.bindings:
            why = "lists are bound, and the interfaces of a range are not known one by one"
            raise Fault(f"'{' '.join(words)}' is not modelled: {why}", 0, len(words), unmodelled=True)
        return ""
    return read_interface(words, 2)


def _bound(state: State, names: set[str]) -> bool:
    return any(interface in names for interface, _, _ in state.bindings)


def _drop(state: State, names: set[str]) -> None:
    state.bindings = {key: binding for key, binding in state.bindings.items() if key[0] not in names}
