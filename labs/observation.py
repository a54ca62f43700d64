"""What one run of a lab showed: the same record from the simulator and from the kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from compiler.simulator.applications.outcome import Outcome
from compiler.simulator.tracing import TraceEvent

__all__ = ["CommandRecord", "DropCount", "LinkCount", "Observation", "ProgramRecord", "RuleCount"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRecord:
    """One run of a command. Times are nanoseconds since the lab began.

    ``status`` is its exit code, below zero the signal that ended it, None where
    it was stopped for it took longer than its ``timeout`` or than the lab.
    ``output`` is the end of what it said on both of its outputs, ``path`` where all of it is kept.
    """

    traffic: str
    index: int
    client: str
    started: int
    ended: int | None = None
    status: int | None = None
    output: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRecord:
    """A program that a node ran. ``status`` is None where it ran until it was stopped at the end, as it should."""

    node: str
    program: str
    status: int | None = None
    ended: int | None = None
    may_end: bool = False
    output: str = ""
    path: str = ""

    @property
    def is_fallen(self) -> bool:
        """Whether it ended by itself while the lab ran, and was not meant to."""
        return self.status is not None and not self.may_end


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
    commands: tuple[CommandRecord, ...] = ()
    programs: tuple[ProgramRecord, ...] = ()

    def outcome(self, traffic: str) -> Outcome | None:
        """What became of that traffic, or None."""
        return next((outcome for outcome in self.outcomes if outcome.traffic == traffic), None)

    def fallen(self) -> tuple[ProgramRecord, ...]:
        """The programs that ended before the lab did: whatever was judged, the run was not what the lab says."""
        return tuple(program for program in self.programs if program.is_fallen)

    def outputs(self) -> tuple[str, ...]:
        """Where the outputs of programs and commands are kept."""
        programs, commands = (one.path for one in self.programs), (one.path for one in self.commands)
        return tuple(path for path in (*programs, *commands) if path)
