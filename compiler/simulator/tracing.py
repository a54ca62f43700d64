"""What happened to packets, told step by step: node after node, rule after rule."""

from __future__ import annotations

from typing import NamedTuple

from compiler.simulator.engine import SECOND, Engine
from compiler.source import NOWHERE, Span

__all__ = ["TraceEvent", "Tracer"]

_MOST_EVENTS = 100_000


class TraceEvent(NamedTuple):
    """One step of one datagram. ``number`` is the datagram's, ``time`` in nanoseconds."""

    time: int
    node: str
    number: int
    station: str
    text: str
    span: Span = NOWHERE

    def line(self) -> str:
        """``1.000250 router  #12  list 101 in: deny (office.cfg:14:1)``."""
        where = f"  ({self.span})" if self.span.line else ""
        return f"{self.time / SECOND:12.6f}  {self.node:<12} #{self.number:<6} {self.station}: {self.text}{where}"


class Tracer:
    """Follows some datagrams through all nodes. Nodes ask :meth:`follows` before they make words."""

    def __init__(self, engine: Engine, most: int = _MOST_EVENTS) -> None:
        self._engine = engine
        self._numbers: set[int] = set()
        self._most = most
        self.events: list[TraceEvent] = []
        self.omitted = 0
        """Events that were not kept because there were too many."""

    def follow(self, number: int) -> None:
        """Tell about the datagram of that number from now on."""
        self._numbers.add(number)

    def follows(self, number: int) -> bool:
        """Whether anybody wants to know about it."""
        return number in self._numbers

    def note(self, node: str, number: int, station: str, text: str, span: Span = NOWHERE) -> None:
        """Keep a step."""
        if len(self.events) >= self._most:
            self.omitted += 1
        else:
            self.events.append(TraceEvent(self._engine.now, node, number, station, text, span))
