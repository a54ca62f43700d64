"""One packet through stages, step by step: which one decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from compiler.policy.access_list import Entry
from compiler.policy.packet import Packet, matches
from compiler.policy.ruleset import Rule
from compiler.semantics.machine import Context, Outcome, Stage, Step
from compiler.source import NOWHERE, Span

__all__ = ["Decision", "context_of", "decide", "decide_stage"]


class Decision(NamedTuple):
    """Whether the packet passes, and by which stage and step it was decided last."""

    passes: bool
    stage: str
    step: Step | None
    why: str
    """For what no line says: the implicit rule, the default, the absence of any list."""

    @property
    def span(self) -> Span:
        """The place of the line that decided, or NOWHERE."""
        origin: Entry | Rule | None = self.step.origin if self.step else None
        return origin.span if origin is not None else NOWHERE


def context_of(packet: Packet) -> Context:
    """What of the packet is decided before its fields are looked at."""
    return Context(packet.family, packet.path, packet.ingress, packet.egress, packet.noninitial)


def decide(stages: Iterable[Stage], packet: Packet) -> Decision:
    """The first stage that stops the packet decides; else the last that let it pass."""
    last = Decision(True, "", None, "no list looks at it")
    for stage in stages:
        last = decide_stage(stage, packet)
        if not last.passes:
            return last
    return last


def decide_stage(stage: Stage, packet: Packet) -> Decision:
    """What one stage does with the packet."""
    seen = packet._replace(ttl=max(packet.ttl - 1, 0)) if stage.ttl_decremented else packet
    step = _first(stage.steps, seen)
    if step is None or step.outcome is Outcome.RETURN:
        return Decision(stage.default, stage.name, None, stage.default_why)
    return Decision(step.outcome is Outcome.PERMIT, stage.name, step, step.why)


def _first(steps: tuple[Step, ...], packet: Packet) -> Step | None:
    """The step that permits, denies or returns; None when all let it fall through."""
    for step in steps:
        if not matches(step.match, packet):
            continue
        if step.outcome is not Outcome.CALL:
            return step
        inner = _first(step.body, packet)
        if inner is not None and inner.outcome is not Outcome.RETURN:
            return inner
    return None
