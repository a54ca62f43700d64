"""Which cables and nodes may die: every set of up to k, the small ones first."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import combinations

from compiler.errors import UsageError
from compiler.testing.networks.model import NetworkModel

__all__ = ["failures", "mortal"]


def mortal(model: NetworkModel, among: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The parts that ``under`` lets die: those whose names match, or all but hosts and the cables of hosts.

    A host whose own cable is cut is cut off, whatever the network: that says
    nothing, unless it is asked for by name. UsageError for a pattern that matches nothing.
    """
    hosts = {host.name for host in model.hosts}
    every = [*(router.name for router in model.routers), *model.switches]
    cables = [cable.name for cable in model.cables]
    if not among:
        own = {cable.name for cable in model.cables if any(end.node in hosts for end in cable.ends)}
        return tuple(every + [name for name in cables if name not in own])
    found: dict[str, None] = {}
    for pattern in among:
        matched = [name for name in (*every, *hosts, *cables) if fnmatchcase(name, pattern)]
        if not matched:
            raise UsageError(f"no node or cable is called {pattern}")
        found |= dict.fromkeys(matched)
    return tuple(found)


def failures(parts: tuple[str, ...], most: int) -> Iterator[frozenset[str]]:
    """All sets of up to ``most`` of them, beginning with none: there is always that one. UsageError for fewer."""
    if most < 0:
        raise UsageError(f"{most} parts cannot be dead at once")
    for count in range(min(most, len(parts)) + 1):
        for dead in combinations(parts, count):
            yield frozenset(dead)
