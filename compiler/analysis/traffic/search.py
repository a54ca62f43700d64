"""Which packets of a described kind pass, or are stopped: all of them, as few rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from compiler.analysis.equivalence.comparison import one_hop
from compiler.analysis.equivalence.contexts import OTHER
from compiler.analysis.shadowing.overlap import OverlapIndex
from compiler.analysis.traffic.views import views
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.match import Match
from compiler.policy.match_text import format_match
from compiler.policy.packet import Packet, Path
from compiler.policy.packet_text import format_packet
from compiler.semantics.decision import Decision, decide
from compiler.semantics.machine import Context, Machine, Stage

__all__ = ["Found", "Question", "SearchReport", "search"]

_RULES = 40
_NAMED = 4
"""Ways through the device that one answer names."""
_INDEX_FROM = 200


class Question(NamedTuple):
    """Packets in ``match`` that pass (or do not), through one list or between interfaces."""

    match: Match
    permitted: bool
    list_name: str | None = None
    ingress: str | None = None
    egress: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One disjoint part of the answer, with a packet of it and who decides that packet."""

    packets: Match
    sample: Packet
    decision: Decision


@dataclass(frozen=True, slots=True)
class SearchReport:
    """The answer in one situation after another."""

    source: str
    permitted: bool
    found: tuple[tuple[str, tuple[Found, ...], bool], ...]
    """(where, parts, whether these are all)."""

    def lines(self) -> list[str]:
        """For a person."""
        word = "permitted" if self.permitted else "denied"
        if not self.found:
            return [f"{self.source}: no such packet is {word}."]
        lines = []
        for where, parts, whole in self.found:
            lines.append(f"{where}: {word}")
            for part in parts:
                lines.append(f"  {format_match(part.packets)}")
                by = part.decision.span if part.decision.span.line else part.decision.why
                lines.append(f"      for example {format_packet(part.sample)}: by {by}")
            if not whole:
                lines.append(f"  … and more (only the first {len(parts)} are shown)")
        return lines

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        return {
            "source": self.source,
            "verdict": "permitted" if self.permitted else "denied",
            "found": [
                {
                    "where": where,
                    "whole": whole,
                    "parts": [
                        {
                            "packets": format_match(part.packets),
                            "sample": format_packet(part.sample),
                            "decided_by": str(part.decision.span) if part.decision.span.line else part.decision.why,
                        }
                        for part in parts
                    ],
                }
                for where, parts, whole in self.found
            ],
        }


def search(machine: Machine, question: Question) -> SearchReport:
    """All packets of the question. UsageError for a list or interface that does not exist."""
    found = []
    for where, context, stages in _situations(machine, question):
        parts, whole = _parts(stages, context, question)
        if parts:
            found.append((where, parts, whole))
    return SearchReport(machine.source, question.permitted, tuple(found))


def _situations(machine: Machine, question: Question) -> Iterator[tuple[str, Context, tuple[Stage, ...]]]:
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
            yield where, context, machine.list_stages(name, noninitial=noninitial)


def _everywhere(
    machine: Machine, families: list[Family], halves: tuple[bool, ...]
) -> Iterator[tuple[str, Context, tuple[Stage, ...]]]:
    """What a firewall does, way by way; and each chain alone where it has no hooks."""
    shown = False
    for view in views(machine, machine, {}):
        if view.context.family in families and view.context.noninitial in halves:
            shown = True
            yield f"{view.where}, {_half(view.context)}", view.context, view.left
    for name in () if shown else machine.lists():
        for noninitial in halves:
            context = Context(name.family, Path.FORWARD, "", "", noninitial)
            if name.family in families:
                yield f"chain {name.name}, {_half(context)}", context, machine.list_stages(name, noninitial=noninitial)


def _half(context: Context) -> str:
    return f"IPv{context.family.value}" + (" (later fragments)" if context.noninitial else "")


def _between(
    machine: Machine, question: Question, families: list[Family], halves: tuple[bool, ...]
) -> Iterator[tuple[str, Context, tuple[Stage, ...]]]:
    known = machine.interfaces()
    for name in (question.ingress, question.egress):
        # A rule of a firewall may hold on every interface; a list of a router never does.
        if name is not None and name not in known and machine.dialect == "ios":
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
                yield f"{_several(names)}, {_half(context)}", context, stages


def _several(names: list[str]) -> str:
    return "; ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _parts(stages: tuple[Stage, ...], context: Context, question: Question) -> tuple[tuple[Found, ...], bool]:
    from compiler.symbolic.describe import describe
    from compiler.symbolic.evaluate import passing
    from compiler.symbolic.space import space
    from compiler.symbolic.witness import shortest_packet

    family_space = space(context.family)
    asked = question.match._replace(family=None, noninitial=None)
    region = packets = family_space.encode(asked) & family_space.possible & one_hop(stages, context.family)
    for stage in stages:
        packets = passing(_near(stage, question.match, context.family), packets, family_space)
    answer = packets if question.permitted else region & ~packets
    matches, whole = describe(family_space.as_it_came(answer), family_space, _RULES)
    parts = []
    for match in matches:
        sample = shortest_packet(family_space.encode(match) & answer, family_space, context)
        shown = match._replace(noninitial=True) if context.noninitial else match
        parts.append(Found(shown, sample, decide(stages, sample)))
    return tuple(parts), whole


def _near(stage: Stage, match: Match, family: Family) -> Stage:
    if len(stage.steps) < _INDEX_FROM:
        return stage
    index = OverlapIndex([step.match for step in stage.steps], family)
    return stage._replace(steps=tuple(stage.steps[position] for position in index.overlapping(match)))
