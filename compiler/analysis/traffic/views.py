"""A machine as a person thinks of it: what comes in here, what goes out there, each list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from compiler.analysis.equivalence.contexts import OTHER, interface_names, renamed
from compiler.fields import Family
from compiler.policy.packet import Path
from compiler.semantics.machine import Context, Machine, Stage

__all__ = ["View", "views"]

_TO_ROUTER = "to the router, "
_NAMED = 6
"""Places that one view names."""


class View(NamedTuple):
    """One situation of two machines, with a name."""

    where: str
    context: Context
    left: tuple[Stage, ...]
    right: tuple[Stage, ...]


def views(
    left: Machine, right: Machine, interfaces: Mapping[str, str], *, whole_packets_only: bool = False
) -> Iterator[View]:
    """Situations that differ in what either machine does, each named once.

    First every way in and every way out alone. A pair of interfaces follows
    only where it is more than the two alone, so that the union of the views
    shows all that two devices do differently.
    """
    back = {there: here for here, there in interfaces.items()}
    names = sorted(interface_names(left, right, interfaces) - {""})
    for family in Family:
        for noninitial in (False,) if whole_packets_only else (False, True):
            alone: dict[tuple[str, str], tuple[tuple[int, ...], tuple[int, ...]]] = {}
            shown: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[list[str], View]] = {}
            for where, context in _situations(family, names, noninitial=noninitial):
                mine, theirs = left.stages(renamed(context, back)), right.stages(context)
                ids = (tuple(map(id, mine)), tuple(map(id, theirs)))
                if context.path is Path.FORWARD:
                    alone[(context.ingress, context.egress)] = ids
                    inward = alone.get((context.ingress, OTHER), ((), ()))
                    outward = alone.get((OTHER, context.egress), ((), ()))
                    if OTHER not in context[2:4] and ids == (inward[0] + outward[0], inward[1] + outward[1]):
                        continue
                if ids == ((), ()):
                    continue
                places, _ = shown.setdefault(ids, ([], View(where, context, mine, theirs)))
                if where.removeprefix(_TO_ROUTER) not in places:  # a way in that needs no more words
                    places.append(where)
            for places, view in shown.values():
                more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
                yield view._replace(where="; ".join(places[:_NAMED]) + more)


def _situations(family: Family, names: list[str], *, noninitial: bool) -> Iterator[tuple[str, Context]]:
    for name in (OTHER, *names):
        label = f"by {name}" if name is not OTHER else "anywhere"
        yield f"in {label}", Context(family, Path.FORWARD, name, OTHER, noninitial)
        yield f"{_TO_ROUTER}in {label}", Context(family, Path.INPUT, name, "", noninitial)
    for name in names:
        yield f"out by {name}", Context(family, Path.FORWARD, OTHER, name, noninitial)
    for name in (OTHER, *names):
        label = f"by {name}" if name is not OTHER else "anywhere"
        yield f"from the router, out {label}", Context(family, Path.OUTPUT, "", name, noninitial)
    for ingress in names:
        for egress in names:
            yield f"in by {ingress}, out by {egress}", Context(family, Path.FORWARD, ingress, egress, noninitial)
