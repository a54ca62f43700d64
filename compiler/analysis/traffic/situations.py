"""In which situations a question about traffic is asked: lists alone, or ways between interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from compiler.analysis.equivalence.contexts import OTHER
from compiler.analysis.traffic.views import views
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.match import Match
from compiler.policy.packet import Path
from compiler.semantics.machine import Context, Machine, Stage

__all__ = ["Question", "Situation", "forwarded", "situations"]

_NAMED = 4
"""Ways through the device that one answer names."""


class Question(NamedTuple):
    """Packets in ``match`` that pass (or do not), through one list or between interfaces."""

    match: Match
    permitted: bool
    list_name: str | None = None
    ingress: str | None = None
    egress: str | None = None


class Situation(NamedTuple):
    """A context, in words too, and what a packet of it goes through."""

    where: str
    context: Context
    stages: tuple[Stage, ...]


def situations(machine: Machine, question: Question) -> Iterator[Situation]:
    """Every situation that the question is about. UsageError for a list or interface that does not exist."""
    families = [question.match.family] if question.match.family else list(Family)
    halves = (False,) if question.match.looks_at_layer4 or question.match.noninitial is False else (False, True)
    if question.ingress is not None or question.egress is not None:
        yield from _between(machine, question, families, halves)
        return
    if question.list_name is None and machine.dialect != "ios":
        yield from _everywhere(machine, families, halves)
        return
    names = [name for name in machine.lists() if question.list_name in (None, name.name)]
    if question.list_name is not None and not names:
        have = ", ".join(sorted({name.name for name in machine.lists()})) or "none"
        raise UsageError(f"{machine.source} has no list {question.list_name}; it has {have}")
    for name in names:
        if name.family not in families:
            continue
        for noninitial in halves:
            where = f"list {name.name}" + (" (later fragments)" if noninitial else "")
            context = Context(name.family, Path.FORWARD, "", "", noninitial)
            yield Situation(where, context, machine.list_stages(name, noninitial=noninitial))


def forwarded(machine: Machine, question: Question) -> Iterator[Situation]:
    """Every way from an interface to an interface, those too on which nothing looks at packets."""
    families = [question.match.family] if question.match.family else list(Family)
    halves = (False,) if question.match.looks_at_layer4 or question.match.noninitial is False else (False, True)
    return _between(machine, question, families, halves)


def _everywhere(machine: Machine, families: list[Family], halves: tuple[bool, ...]) -> Iterator[Situation]:
    """What a firewall does, way by way; and each chain alone where it has no hooks."""
    shown = False
    for view in views(machine, machine, {}):
        if view.context.family in families and view.context.noninitial in halves:
            shown = True
            yield Situation(f"{view.where}, {_half(view.context)}", view.context, view.left)
    for name in () if shown else machine.lists():
        for noninitial in halves:
            context = Context(name.family, Path.FORWARD, "", "", noninitial)
            if name.family in families:
                stages = machine.list_stages(name, noninitial=noninitial)
                yield Situation(f"chain {name.name}, {_half(context)}", context, stages)


def _half(context: Context) -> str:
    return f"IPv{context.family.value}" + (" (later fragments)" if context.noninitial else "")


def _between(
    machine: Machine, question: Question, families: list[Family], halves: tuple[bool, ...]
) -> Iterator[Situation]:
    known = machine.interfaces()
    for name in (question.ingress, question.egress):
        # A rule of a firewall may hold on every interface; a list of a router never does.
        if name not in (None, OTHER, *known) and machine.dialect == "ios":
            raise UsageError(f"{machine.source} has no list on {name}; it has lists on {', '.join(sorted(known))}")
    anywhere = (OTHER, *sorted(known - {""}))
    ways_in = anywhere if question.ingress is None else (question.ingress,)
    ways_out = anywhere if question.egress is None else (question.egress,)
    for family in families:
        for noninitial in halves:
            seen: dict[tuple[int, ...], list[str]] = {}
            found: list[tuple[list[str], Context, tuple[Stage, ...]]] = []
            for ingress in ways_in:
                for egress in ways_out:
                    context = Context(family, Path.FORWARD, ingress, egress, noninitial)
                    stages = machine.stages(context)
                    ids = tuple(map(id, stages))
                    if ids not in seen:
                        seen[ids] = []
                        found.append((seen[ids], context, stages))
                    seen[ids].append(f"{ingress} to {egress}")
            for names, context, stages in found:
                yield Situation(f"{_several(names)}, {_half(context)}", context, stages)


def _several(names: list[str]) -> str:
    return "; ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
