"""The words of a line, for messages that quote it."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.source import Span

__all__ = ["place", "quoted", "words_at"]

_LONGEST = 100


def quoted(lines: Sequence[str], span: Span) -> str:
    """The text at a span without the blanks around it; empty when the source is not at hand."""
    if not 0 < span.line <= len(lines):
        return ""
    line = lines[span.line - 1]
    return line[span.column - 1 : span.end - 1 if span.end else None].strip()


def words_at(lines: Sequence[str], span: Span) -> list[tuple[str, int]]:
    """The words at a span, each with its column."""
    if not 0 < span.line <= len(lines):
        return []
    line = lines[span.line - 1]
    end = span.end - 1 if span.end else len(line)
    words = []
    position = span.column - 1
    for word in line[position:end].split():
        position = line.index(word, position)
        words.append((word, position + 1))
        position += len(word)
    return words


def place(lines: Sequence[str], span: Span) -> str:
    """``line 12, 'permit ip any any'``."""
    text = quoted(lines, span)
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    where = f"line {span.line}" if span.line else "an implicit line"
    return f"{where}, '{text}'" if text else where
