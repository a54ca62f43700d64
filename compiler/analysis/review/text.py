"""A review for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.analysis.review.outcome import FileReview, Review, Verdict, example_text
from compiler.policy.match_text import format_match
from compiler.visible import visible

__all__ = ["lines_of"]


def lines_of(review: Review) -> Iterator[str]:
    """File by file, the gravest first; the sum last. Whatever files are called, a line is one line."""
    return map(visible, _lines(review))


def _lines(review: Review) -> Iterator[str]:
    for one in review.files:
        was = f" (was {one.old_path})" if one.old_path else ""
        yield f"{one.path}{was}: {one.verdict.value}"
        yield from (f"  {line}" for line in _details(one))
    yield review.summary()
    yield from review.aside()


def _details(one: FileReview) -> Iterator[str]:
    for problem in one.problems:
        place = f"{problem.span}: " if problem.span.line else ""
        yield f"{place}{problem.message}"
    if one.verdict in (Verdict.ADDED, Verdict.DELETED):
        yield from one.notes
        return
    for change in one.changes:
        sign = "+" if change.newly == "permitted" else "-"
        yield f"{change.where}: newly {change.newly}"
        yield from (f"  {sign} {format_match(match)}" for match in change.packets)
        if not change.whole:
            yield f"  {sign} … and more (only the first {len(change.packets)} rules are shown)"
        yield f"  for example: {example_text(change)}"
    for line in one.lines:
        yield f"{line.span}: {f'{line.text} ' if line.text else ''}[{line.did}]"
    yield from one.notes
    yield from (problem.message for problem in one.outside)
