"""A set of packets as few rules: disjoint products of field sets.

Field by field in the order of the variables, values that lead to the same rest
are put together, so ten thousand ports with one fate are one range.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from compiler.addresses import AddressSet, Wildcard
from compiler.fields import WEEK_MINUTES
from compiler.integers import IntegerSet
from compiler.policy.match import ANY, Match
from compiler.symbolic.space import FIELDS, PacketSpace

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["describe"]

_ALL_WEEK = ("week_minute", IntegerSet.range(0, WEEK_MINUTES - 1))


def describe(packets: BDDFunction, space: PacketSpace, limit: int) -> tuple[tuple[Match, ...], bool]:
    """At most ``limit`` disjoint matches, and whether they are the whole set."""
    found = tuple(islice(_products(packets, space, 0, ANY), limit + 1))
    return found[:limit], len(found) <= limit


def _products(packets: BDDFunction, space: PacketSpace, field: int, partial: Match) -> Iterator[Match]:
    if not packets.satisfiable():
        return
    variable = packets.node_var()
    if variable is None:
        yield partial
        return
    name = FIELDS[field]
    first, width = space.layout[name]
    if variable >= first + width:  # the field is free here
        yield from _products(packets, space, field + 1, partial)
        return
    rests: dict[BDDFunction, list[tuple[int, int]]] = {}
    for value, mask, rest in _values(packets, first, width):
        rests.setdefault(rest, []).append((value, mask))
    for rest, cubes in rests.items():
        yield from _products(rest, space, field + 1, _with(partial, name, cubes, width))


def _values(packets: BDDFunction, first: int, width: int) -> Iterator[tuple[int, int, BDDFunction]]:
    """Each way through one field's variables: (bits, ignored bits, what remains)."""
    waiting = [(packets, 0, (1 << width) - 1)]
    while waiting:
        node, value, free = waiting.pop()
        variable = node.node_var()
        if variable is None or variable >= first + width:
            if node.satisfiable():
                yield value, free, node
            continue
        children = node.cofactors()
        assert children is not None
        bit = 1 << (first + width - 1 - variable)
        waiting.append((children[0], value | bit, free & ~bit))
        waiting.append((children[1], value, free & ~bit))


def _with(partial: Match, name: str, cubes: list[tuple[int, int]], width: int) -> Match:
    values: list[object] = list(partial)
    if name in ("source", "destination"):
        position = Match._fields.index(name)
        values[position] = AddressSet.of(width, (), [Wildcard(value, mask, width) for value, mask in cubes])
    else:
        position = Match._fields.index("ttl" if name == "ttl_out" else name)
        numbers = IntegerSet.of(run for value, mask in cubes for run in Wildcard(value, mask, width).runs())
        values[position] = None if (name, numbers) == _ALL_WEEK else numbers
    return Match._make(values)
