"""What a proof found wrong: the claim, a packet that shows it, and the line of the written text."""

from __future__ import annotations

from typing import NamedTuple

from compiler.source import NOWHERE, Span

__all__ = ["Finding"]


class Finding(NamedTuple):
    """One claim that does not hold."""

    claim: str
    witness: str = ""
    """A packet in the words of ``gerbang trace``, or nothing where no packet is needed."""
    span: Span = NOWHERE

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span.line else ""
        return f"{place}{self.claim}" + (f"\n    witness: {self.witness}" if self.witness else "")
