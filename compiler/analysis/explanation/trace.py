"""One packet through a device: which line decided, and why each earlier one did not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from compiler.analysis.explanation.bystanders import Bystander, Bystanders
from compiler.analysis.explanation.mismatch import mismatch
from compiler.analysis.findings.lints.quoting import quoted
from compiler.errors import UsageError
from compiler.policy.access_list import Device
from compiler.policy.packet import Packet
from compiler.policy.packet_text import format_packet
from compiler.policy.ruleset import Ruleset
from compiler.semantics.decision import context_of
from compiler.semantics.machine import ListName, Machine, Outcome, Stage, Step
from compiler.source import NOWHERE, Span

__all__ = ["Look", "StageTrace", "Trace", "trace"]

_SHOWN = 5
_WORDS = {True: "permitted", False: "denied"}


class Look(NamedTuple):
    """One step that looked at the packet. ``reason`` says why it did not match, or is empty when it did.

    ``depth`` counts the calls around it; ``why`` names what an implicit step stands for.
    """

    span: Span
    text: str
    outcome: Outcome
    reason: str
    depth: int = 0
    why: str = ""

    @property
    def matched(self) -> bool:
        """Whether the packet lies in the step's match."""
        return not self.reason

    def line(self) -> str:
        """``r1.cfg:12: permit …: source … is not in …``."""
        where = f"{self.span.source}:{self.span.line}: " if self.span.line else ""
        text = self.text or self.why or self.outcome.value
        return f"{'  ' * self.depth}{where}{text}: {self.reason or _DID[self.outcome]}"


_DID = {
    Outcome.PERMIT: "matches: permit",
    Outcome.DENY: "matches: deny",
    Outcome.RETURN: "matches: return",
    Outcome.CALL: "matches: call",
}


class StageTrace(NamedTuple):
    """What one stage did: each look in order, and the end."""

    name: str
    looks: tuple[Look, ...]
    passes: bool
    default_why: str
    """Why the stage's default decided; empty when a step did."""

    def lines(self, *, verbose: bool = False) -> Iterator[str]:
        """The last looks before the decision, and how many came before; all of them with ``verbose``."""
        yield f"{self.name}: {_WORDS[self.passes]}"
        shown = self.looks if verbose else self.looks[-_SHOWN - 1 :]
        hidden = len(self.looks) - len(shown)
        if hidden:
            yield f"  … {hidden:,} earlier lines do not match (--verbose shows them)"
        for look in shown:
            yield f"  {look.line()}"
        if self.default_why:
            yield f"  {self.default_why}: {_WORDS[self.passes]}"


class Trace(NamedTuple):
    """The way of one packet; ``passes`` is the verdict of the device or of the list."""

    packet: Packet
    passes: bool
    stages: tuple[StageTrace, ...]
    about: str
    """What was asked: the device, or one list."""

    def lines(self, *, verbose: bool = False) -> Iterator[str]:
        """The verdict first, then the stages."""
        yield f"{format_packet(self.packet)}"
        yield f"{self.about}: {_WORDS[self.passes]}"
        if not self.stages:
            yield "no list looks at it"
        for stage in self.stages:
            yield from stage.lines(verbose=verbose)

    def as_json(self) -> dict[str, object]:
        """Plain data, with every look."""
        return {
            "packet": format_packet(self.packet),
            "about": self.about,
            "verdict": _WORDS[self.passes],
            "stages": [
                {
                    "name": stage.name,
                    "verdict": _WORDS[stage.passes],
                    "default": stage.default_why,
                    "looks": [
                        {
                            "file": look.span.source,
                            "line": look.span.line,
                            "text": look.text or look.why,
                            "outcome": look.outcome.value,
                            "matched": look.matched,
                            "reason": look.reason,
                            "depth": look.depth,
                        }
                        for look in stage.looks
                    ],
                }
                for stage in self.stages
            ],
        }


def trace(
    machine: Machine,
    packet: Packet,
    list_name: str | None = None,
    *,
    tree: Device | Ruleset | None = None,
    lines: Sequence[str] = (),
) -> Trace:
    """Follow the packet through the device, or through one list alone.

    With the ``tree`` of the machine, lines are quoted, and those are named too
    that the context alone rules out (other interfaces, fragments, disabled).
    ``lines`` are the source's, to quote without a tree.

    UsageError when there is no list of that name for the packet's family.
    """
    if list_name is None:
        stages = machine.stages(context_of(packet))
        about = machine.source
    else:
        name = ListName(list_name, packet.family)
        if name not in machine.lists():
            known = ", ".join(sorted({one.name for one in machine.lists() if one.family is packet.family}))
            raise UsageError(
                f"{machine.source}: no list {list_name!r} for IPv{packet.family.value}; there is {known or 'none'}"
            )
        stages = machine.list_stages(name, noninitial=packet.noninitial)
        about = f"list {list_name}"
    walk = _Walk(packet, tree, lines or (tree.lines if tree is not None else ()))
    traced: list[StageTrace] = []
    for stage in stages:
        traced.append(walk.stage(stage))
        if not traced[-1].passes:
            break
    return Trace(packet, all(stage.passes for stage in traced), tuple(traced), about)


class _Walk:
    """One packet on its way, with the lines of the source."""

    def __init__(self, packet: Packet, tree: Device | Ruleset | None, lines: Sequence[str]) -> None:
        self._packet = packet
        self._tree = tree
        self._lines = lines
        self._looks: list[Look] = []
        self._bystanders = Bystanders(tree, packet)

    def stage(self, stage: Stage) -> StageTrace:
        """What the stage does with the packet."""
        decremented = self._packet._replace(ttl=max(self._packet.ttl - 1, 0))
        seen = decremented if stage.ttl_decremented else self._packet
        self._looks = []
        self._bystanders = Bystanders(self._tree, seen)
        outcome = self._steps(stage.steps, seen, 0)
        decided = outcome in (Outcome.PERMIT, Outcome.DENY)
        if decided:
            return StageTrace(stage.name, tuple(self._looks), outcome is Outcome.PERMIT, "")
        return StageTrace(stage.name, tuple(self._looks), stage.default, stage.default_why or "nothing decided")

    def _steps(self, steps: tuple[Step, ...], packet: Packet, depth: int) -> Outcome | None:
        """The outcome that ends these steps, or None when all let the packet fall through."""
        for step in steps:
            if step.origin is not None:
                self._pass_by(self._bystanders.before(step.origin), depth)
            elif depth == 0:
                self._pass_by(self._bystanders.remaining(), depth)
            span = step.origin.span if step.origin is not None else NOWHERE
            reason = mismatch(step.match, packet)
            self._looks.append(Look(span, quoted(self._lines, span), step.outcome, reason, depth, step.why))
            if reason:
                continue
            if step.outcome is not Outcome.CALL:
                return step.outcome
            inner = self._steps(step.body, packet, depth + 1)
            if inner in (Outcome.PERMIT, Outcome.DENY):
                return inner
        if depth == 0:
            self._pass_by(self._bystanders.remaining(), depth)
        return None

    def _pass_by(self, found: Iterator[Bystander], depth: int) -> None:
        for line, reason in found:
            self._looks.append(Look(line.span, quoted(self._lines, line.span), Outcome.RETURN, reason, depth))
