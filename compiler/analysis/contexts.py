"""Every context in which two devices could differ: a finite list, because names are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.packet import Path
from compiler.semantics.machine import Context

__all__ = ["OTHER", "contexts", "renamed"]

OTHER = "(any-other-interface)"
"""Stands for every interface that neither side names: both treat all of them alike.

No name and no pattern of a dialect begins with a parenthesis, so nothing takes it for its own.
"""


def contexts(names: Iterable[str], *, whole_packets_only: bool = False) -> Iterator[Context]:
    """All families, paths, interfaces and halves. A pattern ``ppp*`` stands for itself and its kin."""
    interfaces = sorted(set(names) - {""})
    if any(name[:1] == OTHER[:1] for name in interfaces):
        raise UsageError(f"an interface called {interfaces[0]}: names that begin with {OTHER[0]} cannot be told apart")
    interfaces.insert(0, OTHER)
    halves = (False,) if whole_packets_only else (False, True)
    for family, noninitial in product(Family, halves):
        for ingress, egress in product(interfaces, interfaces):
            yield Context(family, Path.FORWARD, ingress, egress, noninitial)
        for name in interfaces:
            yield Context(family, Path.INPUT, name, "", noninitial)
            yield Context(family, Path.OUTPUT, "", name, noninitial)


def renamed(context: Context, back: Mapping[str, str]) -> Context:
    """The context in the names of the other device.

    A name that the other device uses for an interface which is called otherwise
    here is no interface that it names.
    """
    if not back:
        return context
    return context._replace(ingress=_renamed(context.ingress, back), egress=_renamed(context.egress, back))


def _renamed(name: str, back: Mapping[str, str]) -> str:
    found = back.get(name)
    if found is None:
        return OTHER if name in back.values() else name
    return found
