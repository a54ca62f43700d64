"""A review as one comment under a change request: a table of files, the details folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from compiler.analysis.review.outcome import FileReview, Review, Verdict, example_text
from compiler.analysis.traffic.difference import Change
from compiler.policy.match import Match
from compiler.policy.match_text import format_match
from compiler.visible import visible

__all__ = ["LONGEST", "markdown"]

LONGEST = 65_536
"""Characters that GitHub takes as one comment ("Body is too long (maximum is 65536 characters)")."""

_SIGNS = {
    Verdict.UNREADABLE: "⛔",
    Verdict.BOTH: "⚠️",
    Verdict.WIDER: "⚠️",
    Verdict.EQUAL: "✅",
}
_PROBLEMS = 20
"""Errors of one file that are shown."""
_LINES = 40
"""Deciding lines of one file that are shown."""


def markdown(review: Review, longest: int = LONGEST) -> str:
    """The comment, of at most ``longest`` characters (1,000 or more): what does not fit is counted in a note.

    The table goes before the details, and graver files before others.
    """
    head = [f"### Policy review: {_code(review.old)} → {_code(review.new)}", "", review.summary()]
    head += [f"\n_{note}_" for note in review.aside()]
    text = "\n".join(head) + "\n"
    if review.files:
        text += "\n| | file | verdict | newly permitted | newly denied |\n|---|---|---|---|---|\n"
    room = longest - 300  # for the notes about what was left out
    text, left = _filled(text, [_row(one) for one in review.files], room)
    if left:
        text += f"\n… and {left} more file{'' if left == 1 else 's'}: this comment is full.\n"
    details = [part for one in review.files if (part := _details(one))]
    text, left = _filled(text, details, room)
    if left:
        text += f"\n_The details of {left} file{'' if left == 1 else 's'} do not fit into a comment._\n"
    return text


def _filled(text: str, parts: Sequence[str], room: int) -> tuple[str, int]:
    """The text with the parts that still fit, and how many did not."""
    left = 0
    for part in parts:
        if len(text) + len(part) > room:
            left += 1
        else:
            text += part
    return text, left


def _row(one: FileReview) -> str:
    name = _code(one.path) + (f" (was {_code(one.old_path)})" if one.old_path else "")
    cells = [_SIGNS.get(one.verdict, "ℹ️"), name, one.verdict.value]
    cells += [_first(one.newly("permitted")), _first(one.newly("denied"))]
    return "| " + " | ".join(cells) + " |\n"


def _first(changes: Sequence[Change]) -> str:
    """The first rule of a column, and how many more there are."""
    rules = list(dict.fromkeys(_rules(change.packets) for change in changes))
    if not rules:
        return ""
    more = sum(len(change.packets) for change in changes) - 1
    first = format_match(changes[0].packets[0])
    return _cell(first) + (f" <br>and {more} more" if more else "")


def _rules(packets: Sequence[Match]) -> tuple[str, ...]:
    return tuple(format_match(match) for match in packets)


def _details(one: FileReview) -> str:
    parts = ["\n".join(part) for part in (_changes(one), _lines(one), _others(one)) if part]
    if not parts:
        return ""
    body = "\n\n".join(parts)
    return (
        f"\n<details><summary><code>{_summed(one.path)}</code>: {one.verdict.value}</summary>\n\n{body}\n\n</details>\n"
    )


def _changes(one: FileReview) -> list[str]:
    if not one.changes:
        return []
    rows = ["| where | newly | packets | for example |", "|---|---|---|---|"]
    for change in one.changes:
        texts = [_cell(format_match(match)) for match in change.packets] + ([] if change.whole else ["… and more"])
        rows.append(
            f"| {_cell(change.where)} | **{change.newly}** | {'<br>'.join(texts)} | {_code(example_text(change))} |"
        )
    return rows


def _lines(one: FileReview) -> list[str]:
    if not one.lines:
        return []
    told = ["Decided by:", ""]
    for line in one.lines[:_LINES]:
        place = f"{line.span.source}:{line.span.line}"
        told.append(f"- {_code(place)} {_code(line.text) + ' ' if line.text else ''}{_plain(line.did)}")
    if len(one.lines) > _LINES:
        told.append(f"- … and {len(one.lines) - _LINES} more lines")
    return told


def _others(one: FileReview) -> list[str]:
    return list(_notes(one))


def _notes(one: FileReview) -> Iterator[str]:
    for note in (*one.notes, *(problem.message for problem in one.outside)):
        yield f"- {_plain(note)}"
    for problem in one.problems[:_PROBLEMS]:
        span = problem.span
        place = f"{span.source}:{span.line}:{span.column}" if span.line else span.source
        yield f"- {_code(place)} {_plain(problem.message)}"
    if len(one.problems) > _PROBLEMS:
        yield f"- … and {len(one.problems) - _PROBLEMS} more errors"


def _summed(text: str) -> str:
    """In a summary, which is HTML on one line: a blank line would end it, and Markdown would begin."""
    return escape(visible(text))


def _plain(text: str) -> str:
    """Text that Markdown leaves alone: no tag, no mark, no mention of a person, nothing that is not seen."""
    text = visible(text)
    for mark in "\\`*_[]":
        text = text.replace(mark, f"\\{mark}")
    return escape(text, quote=False).replace("@", "@\u200b")


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _code(text: str) -> str:
    """In a code span that works inside tables too, whatever the text holds (GFM, "Tables": a pipe is escaped)."""
    text = visible(text).replace("|", "\\|")
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"
