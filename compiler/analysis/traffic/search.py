"""Which packets of a described kind pass, or are stopped: all of them, as few rules."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.analysis.equivalence.comparison import one_hop
from compiler.analysis.shadowing.overlap import OverlapIndex
from compiler.analysis.traffic.situations import Question, situations
from compiler.fields import Family
from compiler.policy.match import Match
from compiler.policy.match_text import format_match
from compiler.policy.packet import Packet
from compiler.policy.packet_text import format_packet
from compiler.semantics.decision import Decision, decide
from compiler.semantics.machine import Context, Machine, Stage

__all__ = ["Found", "SearchReport", "search"]

_RULES = 40
_INDEX_FROM = 200


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
    for where, context, stages in situations(machine, question):
        parts, whole = _parts(stages, context, question)
        if parts:
            found.append((where, parts, whole))
    return SearchReport(machine.source, question.permitted, tuple(found))


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
