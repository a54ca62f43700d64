"""Every context in which two devices could differ: a finite list, because names are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.packet import Path
from compiler.semantics.machine import Context, Machine

__all__ = ["OTHER", "contexts", "interface_names", "renamed"]

OTHER = "(any-other-interface)"
"""Stands for every interface that neither side names: both treat all of them alike.

No name and no pattern of a dialect begins with a parenthesis, so nothing takes it for its own.
"""


def interface_names(left: Machine, right: Machine, interfaces: Mapping[str, str]) -> frozenset[str]:
    """Every name that either side could tell apart, as the right side calls it.

    UsageError for a map that is not one to one, that maps patterns, or that
    leaves out a name of the left which the right has for another interface.
    """
    for here, there in interfaces.items():
        if here.endswith("*") or there.endswith("*"):
            raise UsageError(f"--interface {here}={there}: a pattern stands for many interfaces; map each by its name")
        twice = [name for name, other in interfaces.items() if other == there]
        if len(twice) > 1:
            raise UsageError(f"{' and '.join(twice)} cannot both be the interface {there}")
    taken = set(interfaces.values())
    for name in sorted(left.interfaces() - set(interfaces)):
        if name in taken:
            raise UsageError(f"interface {name} of {left.source} is unmapped, and its name is taken on the right")
    mapped = {interfaces.get(name, name) for name in left.interfaces()}
    return right.interfaces() | mapped | taken | set(interfaces)


def contexts(names: Iterable[str], family: Family, noninitial: bool) -> Iterator[Context]:
    """All paths and interfaces of one family and half. A pattern ``ppp*`` stands for itself and its kin."""
    interfaces = sorted(set(names) - {""})
    if any(name[:1] == OTHER[:1] for name in interfaces):
        raise UsageError(f"an interface called {interfaces[0]}: names that begin with {OTHER[0]} cannot be told apart")
    interfaces.insert(0, OTHER)
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
