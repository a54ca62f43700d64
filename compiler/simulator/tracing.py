"""What happened to packets, told step by step: node after node, rule after rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from compiler.source import NOWHERE, Span

__all__ = ["Tracer", "TraceEvent"]


class TraceEvent(NamedTuple):
    """One step of one datagram. ``number`` is the datagram's; ``time`` nanoseconds."""

    time: int
    node: str
    number: int
    station: str
    text: str
    span: Span = NOWHERE


Tracer = Callable[[TraceEvent], None]
