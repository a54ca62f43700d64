"""What one run of a lab showed: the same record from the simulator and from the kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from compiler.simulator.applications.outcome import Outcome
from compiler.simulator.tracing import TraceEvent

__all__ = ["DropCount", "LinkCount", "Observation", "RuleCount"]


class LinkCount(NamedTuple):
    """One direction of a link: what went through and what was lost. ``up`` is from its first end to its second."""

    link: str
    direction: str
    frames: int
    octets: int
    drops: int


class DropCount(NamedTuple):
    """How many packets a node dropped for a reason; ``place`` is the line that said so."""

    node: str
    reason: str
    packets: int
    place: str = ""


class RuleCount(NamedTuple):
    """How many packets a rule of a configuration matched."""

    node: str
    place: str
    packets: int


@dataclass(frozen=True, slots=True)
class Observation:
    """All that assertions, reports and comparisons look at.

    ``world`` is ``simulator`` or ``kernel``. ``lacks`` are features of the lab
    that this world could not realise, each with the reason: assertions that
    need one are skipped.
    """

    world: str
    seed: int
    duration: int
    outcomes: tuple[Outcome, ...]
    links: tuple[LinkCount, ...] = ()
    drops: tuple[DropCount, ...] = ()
    rules: tuple[RuleCount, ...] = ()
    lacks: tuple[tuple[str, str], ...] = ()
    captures: tuple[tuple[str, str], ...] = field(default=())
    """Link and path of each capture that was written."""
    trace: tuple[TraceEvent, ...] = ()
    """What happened to the packets that were followed (the simulator only)."""

    def outcome(self, traffic: str) -> Outcome | None:
        """What became of that traffic, or None."""
        return next((outcome for outcome in self.outcomes if outcome.traffic == traffic), None)
