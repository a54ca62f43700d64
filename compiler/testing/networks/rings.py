"""Rings of switches: without a spanning tree (IEEE 802.1D) a broadcast goes round in one for ever."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from compiler.testing.networks.model import Cable, NetworkModel

__all__ = ["Ring", "ring_of"]


class Ring(NamedTuple):
    """The cables of a ring and the switches that they join, both in their order."""

    switches: tuple[str, ...]
    cables: tuple[str, ...]

    def __str__(self) -> str:
        which = "switches" if len(self.switches) > 1 else "switch"
        joined = "cables" if len(self.cables) > 1 else "cable"
        return f"the {joined} {', '.join(self.cables)} close a ring of the {which} {', '.join(self.switches)}"


def ring_of(model: NetworkModel, dead: Collection[str] = ()) -> Ring | None:
    """The first ring that living cables close over living switches; None where there is none."""
    gone = frozenset(dead)
    switches = {name for name in model.switches if name not in gone}
    tree: dict[str, list[tuple[str, Cable]]] = {name: [] for name in switches}
    for cable in model.cables:
        left, right = (end.node for end in cable.ends)
        if cable.name in gone or left not in switches or right not in switches:
            continue
        way = _way(tree, left, right)
        if way is not None:
            return Ring((left, *(name for name, _ in way)), (*(one.name for _, one in way), cable.name))
        tree[left].append((right, cable))
        tree[right].append((left, cable))
    return None


def _way(tree: dict[str, list[tuple[str, Cable]]], left: str, right: str) -> tuple[tuple[str, Cable], ...] | None:
    """The switches after the left one and the cables to them, as far as the right one; empty for one and the same."""
    ways: dict[str, tuple[tuple[str, Cable], ...]] = {left: ()}
    waiting = [left]
    for name in waiting:
        for other, cable in tree[name]:
            if other not in ways:
                ways[other] = (*ways[name], (other, cable))
                waiting.append(other)
    return ways.get(right)
