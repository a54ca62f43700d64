"""Where a piece of a configuration stands: every node of a tree keeps its place."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """A place on one line of a source. Lines and columns count from 1.

    ``end`` is the column after the last character; 0 when it is not known.
    """

    source: str
    line: int
    column: int = 1
    end: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


NOWHERE = Span("", 0, 0)
"""The place of what no text says: implicit entries, generated rules."""
