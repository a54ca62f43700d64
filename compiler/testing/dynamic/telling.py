"""A simulated network's tracer that tells the coverage of rules which rule each packet meets, as it happens."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.policy.access_list import Device
from compiler.policy.ruleset import Ruleset
from compiler.simulator.engine import Engine
from compiler.simulator.tracing import Tracer
from compiler.source import NOWHERE, Span
from compiler.testing.recording import Recorder

__all__ = ["MATCHES", "TellingTracer"]

MATCHES = "matches: "
"""What a chain's rule that matches is told with."""


class TellingTracer(Tracer):
    """Tells of all packets; it keeps their events only where somebody wants to show them."""

    def __init__(
        self, engine: Engine, policies: Mapping[str, Device | Ruleset], told: Recorder, *, keeps: bool
    ) -> None:
        super().__init__(engine)
        self._policies = policies
        self._told = told
        self._keeps = keeps
        self._last: tuple[str, int, Span] | None = None

    def note(self, node: str, number: int, station: str, text: str, span: Span = NOWHERE) -> None:
        """Tell of a rule that matches; a list tells its denial, then the drop: once is enough."""
        if self._keeps:
            super().note(node, number, station, text, span)
        here = (node, number, span)
        if span.line and node in self._policies and here != self._last and self._matches(station, text):
            self._told.met(self._policies[node], span)
        self._last = here

    @staticmethod
    def _matches(station: str, text: str) -> bool:
        return not station.startswith("chain ") or text.startswith(MATCHES)
