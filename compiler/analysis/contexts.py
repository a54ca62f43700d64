"""Every context in which two devices could differ: a finite list, because names are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from compiler.fields import Family
from compiler.policy.packet import Path
from compiler.semantics.machine import Context

__all__ = ["OTHER", "contexts", "renamed"]

OTHER = "any-other-interface"
"""Stands for every interface that neither side names: both treat all of them alike."""


def contexts(names: Iterable[str], *, whole_packets_only: bool = False) -> Iterator[Context]:
    """All families, paths, interfaces and halves. A pattern ``ppp*`` stands for itself and its kin."""
    interfaces = sorted({name[:-1] + "*" if name.endswith("*") else name for name in names} - {""})
    interfaces.append(OTHER)
    halves = (False,) if whole_packets_only else (False, True)
    for family, noninitial in product(Family, halves):
        for ingress, egress in product(interfaces, interfaces):
            yield Context(family, Path.FORWARD, ingress, egress, noninitial)
        for name in interfaces:
            yield Context(family, Path.INPUT, name, "", noninitial)
            yield Context(family, Path.OUTPUT, "", name, noninitial)


def renamed(context: Context, back: Mapping[str, str]) -> Context:
    """The context in the names of the other device."""
    if not back:
        return context
    return context._replace(
        ingress=back.get(context.ingress, context.ingress), egress=back.get(context.egress, context.egress)
    )
