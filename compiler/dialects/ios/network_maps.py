"""Route maps: read when it is known whether they route packets or choose what to translate.

Maps of routing protocols hold much that has nothing to do with packets, so the
lines are kept, and only those of maps in use are understood.

Source: Cisco IOS IP Routing: Protocol-Independent Command Reference,
"route-map", "match ip address", "set ip next-hop", "set interface",
"set ip default next-hop", "set default interface".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from compiler.dialects.ios.network_state import EntryDraft, MapDraft, MapLine, NetworkState
from compiler.dialects.ios.network_words import host, interface, outside
from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.integers import is_number
from compiler.policy.network import RouteMap, RouteMapEntry

__all__ = ["finish_maps", "map_block", "read_route_map"]

Block = Callable[[list[str]], bool]


def read_route_map(state: NetworkState, words: list[str], no: bool) -> None:
    """``[no] route-map NAME [permit|deny] [SEQUENCE]``; without sequence it is 10, or the whole map behind ``no``."""
    line = Words(words, 2 if no else 1)
    at = line.at
    name = line.take("the name of a route map")
    permits = True
    if line.peek() and not is_number(line.peek()):
        word = line.take("permit or deny")
        if word.lower() not in ("permit", "deny"):
            raise expected(word, line.at - 1, "permit, deny or a sequence number", ("permit", "deny"))
        permits = word.lower() == "permit"
    sequence = None
    if line.peek():
        sequence = number(line.take("a sequence number"), 0, 65535)
        if sequence is None:
            raise Fault(f"'{words[line.at - 1]}' is not a sequence number: expected 0 to 65535", line.at - 1)
    line.end()
    if no:
        _remove_map(state, name, sequence, at)
        return
    draft = state.maps.setdefault(name, MapDraft(name, state.span(at), {}))
    key = 10 if sequence is None else sequence
    fresh = EntryDraft(permits=permits, span=state.line_span())
    if key in draft.entries:
        fresh.lines = draft.entries[key].lines
    draft.entries[key] = fresh
    state.enter(map_block(state, fresh))


def _remove_map(state: NetworkState, name: str, sequence: int | None, at: int) -> None:
    draft = state.maps.get(name)
    if draft is None:
        raise Fault(f"there is no route map {name}", at)
    if sequence is None:
        del state.maps[name]
        return
    if draft.entries.pop(sequence, None) is None:
        raise Fault(f"the route map {name} has no sequence {sequence}", at)
    if not draft.entries:
        del state.maps[name]


def map_block(state: NetworkState, entry: EntryDraft) -> Block:
    """The lines of one sequence."""

    def block(words: list[str]) -> bool:
        inside = state.inside()
        first = words[0].lower()
        if first == "exit":
            state.skipped += 1
            state.enter(None)
            return True
        if not inside and (state.indented or not _belongs(words)):
            return False
        if first == "no":
            _remove_line(entry, words)
        elif first == "description":
            state.skipped += 1
        else:
            entry.lines.append(MapLine(state.number, state.text, words))
        return True

    return block


def _belongs(words: list[str]) -> bool:
    """Whether a line that is not indented is still one of the map."""
    first = words[1].lower() if words[0].lower() == "no" and len(words) > 1 else words[0].lower()
    return first in ("match", "set", "continue", "description")


def _remove_line(entry: EntryDraft, words: list[str]) -> None:
    own = words[1:]
    if own[:1] == ["description"]:
        return
    kept = [line for line in entry.lines if line.words[: len(own)] != own]
    if len(kept) == len(entry.lines):
        head = "a line of the route map, whole or from its beginning"
        raise Fault(f"the route map has no such line here; expected {head}", 1, len(words) - 1)
    entry.lines[:] = kept


# -- what the lines say -----------------------------------------------------------------


class _Entry:
    """One sequence while its lines are understood, for one or both of two purposes."""

    def __init__(self, *, policy: bool, translation: bool) -> None:
        self.policy = policy
        self.translation = translation
        self.lists: list[str] = []
        self.egress: list[str] = []
        self.next_hops: list[int] = []
        self.interfaces: list[str] = []
        self.default_next_hops: list[int] = []
        self.default_interfaces: list[str] = []


def _match_address(line: Words, entry: _Entry) -> None:
    if line.peek() == "prefix-list":
        raise outside(line.words, 0, len(line.words), "it does not look at packets")
    entry.lists.append(_list_name(line.take("the name of a list")))
    while line.peek():
        entry.lists.append(_list_name(line.take("the name of a list")))
    entry.lists[:] = dict.fromkeys(entry.lists)


def _list_name(word: str) -> str:
    return str(int(word)) if is_number(word) else word


def _match_interface(line: Words, entry: _Entry) -> None:
    if entry.policy:
        raise outside(line.words, 0, len(line.words), "policy routing chooses the interface, and cannot look at it")
    entry.egress += _interfaces(line)


def _interfaces(line: Words) -> Iterator[str]:
    yield interface(line)
    while line.peek():
        yield interface(line)


def _hops(line: Words, found: list[int]) -> None:
    word = line.peek().lower()
    if word == "verify-availability":
        if line.at + 1 < len(line.words):
            raise outside(line.words, line.at, 5, "the state of tracked objects is not in the text")
        return
    if word in ("recursive", "peer-address", "dynamic", "self", "unchanged", "encapsulate"):
        raise outside(line.words, line.at, 2, "the next hop is not in the text, or not a neighbour")
    found.append(host(line, what="the address of a next hop"))
    while line.peek():
        found.append(host(line, what="the address of a next hop"))


def _set_next_hop(line: Words, entry: _Entry) -> None:
    _hops(line, entry.next_hops)


def _set_default_next_hop(line: Words, entry: _Entry) -> None:
    _hops(line, entry.default_next_hops)


def _set_interface(line: Words, entry: _Entry) -> None:
    entry.interfaces += _interfaces(line)


def _set_default_interface(line: Words, entry: _Entry) -> None:
    entry.default_interfaces += _interfaces(line)


_LINES: Mapping[tuple[str, ...], Callable[[Words, _Entry], None]] = MappingProxyType(
    {
        ("match", "ip", "address"): _match_address,
        ("match", "interface"): _match_interface,
        ("set", "ip", "next-hop"): _set_next_hop,
        ("set", "ip", "default", "next-hop"): _set_default_next_hop,
        ("set", "interface"): _set_interface,
        ("set", "default", "interface"): _set_default_interface,
    }
)


def _understand(words: list[str], entry: _Entry) -> None:
    lower = tuple(word.lower() for word in words)
    if lower[0] == "set" and not entry.policy and entry.translation:
        return  # NAT asks only what the map matches
    for head, reader in _LINES.items():
        if lower[: len(head)] == head:
            reader(Words(words, len(head)), entry)
            return
    if lower[0] not in ("match", "set", "continue"):
        raise expected(words[0], 0, "match, set or description", ("match", "set", "description", "continue"))
    if len(words) == 1:
        raise expected("", 1, "what to match or to set")
    known = ", ".join(" ".join(head) for head in _LINES if head[0] == lower[0])
    raise outside(words, 0, len(words), f"a map for packets takes {known or 'match and set'}")


def finish_maps(state: NetworkState, policies: set[str], translations: set[str]) -> tuple[RouteMap, ...]:
    """The maps in use, and those among the others whose every line is known; faults of maps in use are kept."""
    found = []
    for draft in state.maps.values():
        policy, translation = draft.name in policies, draft.name in translations
        used = policy or translation
        entries, faults = [], []
        for sequence, entry in sorted(draft.entries.items()):
            made, wrong = _finish_entry(sequence, entry, policy=policy, translation=translation)
            entries.append(made)
            faults += wrong
        if used:
            state.errors += [fault.as_error(state.source, line.number, line.text) for fault, line in faults]
        if used or not faults:
            found.append(RouteMap(draft.name, tuple(entries), draft.span))
        else:
            state.skipped += sum(1 + len(entry.lines) for entry in draft.entries.values())
    return tuple(found)


def _finish_entry(
    sequence: int, draft: EntryDraft, *, policy: bool, translation: bool
) -> tuple[RouteMapEntry, list[tuple[Fault, MapLine]]]:
    entry = _Entry(policy=policy, translation=translation)
    faults = []
    for line in draft.lines:
        try:
            _understand(line.words, entry)
        except Fault as fault:
            faults.append((fault, line))
    return (
        RouteMapEntry(
            sequence,
            draft.permits,
            tuple(entry.lists),
            tuple(entry.next_hops),
            tuple(entry.interfaces),
            tuple(entry.default_next_hops),
            tuple(entry.default_interfaces),
            draft.span,
            tuple(entry.egress),
        ),
        faults,
    )
