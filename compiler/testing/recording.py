"""Whoever wants to know what is asked: coverage, and the sums at the end of a test run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.analysis.traffic.situations import Situation
    from compiler.policy.access_list import Device
    from compiler.policy.packet import Packet
    from compiler.policy.ruleset import Ruleset
    from compiler.semantics.decision import Decision
    from compiler.semantics.machine import Stage
    from compiler.source import Span
    from compiler.testing.answer import Answer

__all__ = ["Recorder", "recorder", "recording"]


class Recorder(Protocol):
    """Is told of every answer, and of what each answer looked at."""

    def answered(self, answer: Answer) -> None:
        """A word was decided."""

    def asked(self, tree: Device | Ruleset, situation: Situation, region: BDDFunction) -> None:
        """All packets of a set went through the stages of a situation."""

    def proved(self, tree: Device | Ruleset) -> None:
        """All packets that there are went through all of it."""

    def decided(self, tree: Device | Ruleset, stages: tuple[Stage, ...], packet: Packet, decision: Decision) -> None:
        """One packet did."""

    @property
    def follows_packets(self) -> bool:
        """Whether it wants to be told of what simulated packets meet: to follow each takes time."""

    def met(self, policy: Device | Ruleset, span: Span) -> None:
        """One packet met a rule in the simulator, whatever became of it then."""


_RECORDER: ContextVar[Recorder | None] = ContextVar("gerbang recorder", default=None)


def recorder() -> Recorder | None:
    """Who records now, if anybody."""
    return _RECORDER.get()


@contextmanager
def recording(into: Recorder) -> Iterator[None]:
    """Record in this thread as long as the block lasts."""
    token = _RECORDER.set(into)
    try:
        yield
    finally:
        _RECORDER.reset(token)
