"""Who acts when: what is required comes first, and what is gone stops after all that needed it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["cycles", "dependents", "in_order"]


def in_order(
    acting: Iterable[str], requires: Mapping[str, Sequence[str]], required: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """The names in the order in which they act.

    ``requires`` is of the new components, ``required`` of the old ones; a name
    that only the old ones have is of a component that stops. It stops as early
    as it may (a new one may want its port), but after those that needed it.
    """
    names = set(acting)
    waits: dict[str, set[str]] = {name: set() for name in names}
    for name in names & requires.keys():
        waits[name] |= names & requires.keys() & _reached(name, requires)
    for name in names & required.keys():
        gone = {other for other in _reached(name, required) if other in names and other not in requires}
        for other in gone:
            waits[other].add(name)
    ready = [(name in requires, name) for name in names if not waits[name]]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        _, done = heapq.heappop(ready)
        order.append(done)
        for name in names:
            if done in waits[name]:
                waits[name].discard(done)
                if not waits[name]:
                    heapq.heappush(ready, (name in requires, name))
    if len(order) != len(names):
        raise ValueError(f"a circle among {', '.join(sorted(names - set(order)))}")
    return tuple(order)


def dependents(names: Iterable[str], requires: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """All that require one of these, directly or through others; without these themselves unless they do."""
    wanted = set(names)
    return frozenset(name for name in requires if _reached(name, requires) & wanted)


def cycles(requires: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Each circle once, as its names in the order in which they require one another, smallest first."""
    found: list[tuple[str, ...]] = []
    within: set[str] = set()
    for start in sorted(requires):
        if start in within or start not in _reached(start, requires):
            continue
        circle = _circle(start, requires)
        within |= {name for name in _reached(start, requires) if start in _reached(name, requires)}
        found.append(circle)
    return tuple(found)


def _reached(start: str, requires: Mapping[str, Sequence[str]]) -> set[str]:
    """What it requires, directly or through others."""
    seen: set[str] = set()
    todo = list(requires.get(start, ()))
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(requires.get(name, ()))
    return seen


def _circle(start: str, requires: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """A shortest way from a name back to itself."""
    came: dict[str, str] = {}
    todo = [start]
    for name in todo:
        for other in requires.get(name, ()):
            if other == start:
                way = [name]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return tuple(reversed(way))
            if other not in came:
                came[other] = name
                todo.append(other)
    raise ValueError(f"{start} is in no circle")
