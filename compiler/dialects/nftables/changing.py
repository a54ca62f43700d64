"""Sets that packets change: ``add @set { … }`` in any chain, wherever it stands in the text.

What such a set holds while the firewall runs is not what the text declares, so
its members are unknown to every rule that asks for them.
"""

from __future__ import annotations

from bisect import bisect_left

from compiler.dialects.nftables.blocks import end_of_rule
from compiler.dialects.nftables.state import State, TableState
from compiler.dialects.nftables.tokens import Cursor
from compiler.errors import InputError

__all__ = ["mark_changing_sets"]

_CHANGES = frozenset({"add", "update", "delete", "meter", "flow"})
_WHY = "packets change it (add, update, delete or meter in a rule)"


def mark_changing_sets(cursor: Cursor, state: State) -> None:
    """Give each set that a rule of its table changes the reason why its members are unknown."""
    hits = [index for index, word in enumerate(cursor.words) if word in _CHANGES]
    if not hits:
        return
    for table in state.tables.values():
        if table.sets and not table.is_foreign:
            for chain in table.chains.values():
                for start in chain.rules:
                    _mark(cursor, table, start, hits)


def _mark(cursor: Cursor, table: TableState, start: int, hits: list[int]) -> None:
    cursor.position = start
    try:
        end = end_of_rule(cursor)
    except InputError:
        return  # told when the rule is read
    for hit in hits[bisect_left(hits, start) : bisect_left(hits, end)]:
        changed = table.sets.get(_changed(cursor.words, hit, end))
        if changed is not None:
            changed.unmodelled = changed.unmodelled or _WHY
            changed.filled = table.simulate and not changed.is_map and len(changed.kinds) == 1


def _changed(words: list[str], hit: int, end: int) -> str:
    """The name of the set that the statement at ``hit`` changes; none when it changes none."""
    if words[hit] == "meter":
        return words[hit + 1]
    if words[hit] == "flow":
        return words[hit + 2] if words[hit + 1] == "table" else ""
    # ``add @set { key }``, and of old ``set add key @set``, where a raw key begins with @ too.
    if words[hit - 1] == "set":
        names = [word for word in words[hit + 1 : end] if word[:1] == "@" and word not in ("@nh", "@th", "@ll", "@ih")]
        return names[0][1:] if names else ""
    return words[hit + 1][1:] if words[hit + 1][:1] == "@" else ""
