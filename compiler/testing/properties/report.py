"""The results for a person: lines for a terminal, and Markdown for a comment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape

from compiler.testing.properties.result import Result, Status, summary
from compiler.visible import visible

__all__ = ["as_markdown", "lines_of"]

_LONGEST = 65_536
"""Characters that GitHub takes as one comment."""

_SIGNS = {Status.HELD: "✅", Status.FAILED: "❌", Status.BROKEN: "⛔", Status.SKIPPED: "➖"}


def lines_of(results: Sequence[Result], paint: Callable[[Status, str], str] = lambda _, text: text) -> Iterator[str]:
    """One line a property, what is wrong with it below, the sum last. ``paint`` colours the word that says how it went.

    A broken property's own message has its place already.
    """
    width = max((len(_place(one)) for one in results), default=0)
    for one in results:
        word = paint(one.status, f"{one.word:<7}")
        yield f"{_place(one):<{width}}  {word} {one.sureness:<8} {visible(one.name)}".rstrip()
        yield from (f"    {visible(line)}" for line in one.details())
    yield summary(results)


def as_markdown(results: Sequence[Result], more: Sequence[str] = ()) -> str:
    """A comment: what failed first and unfolded, then a folded table of all. ``more`` are lines about coverage."""
    wrong = [one for one in results if one.status in (Status.FAILED, Status.BROKEN)]
    text = f"### Policy properties\n\n{summary(results)}\n"
    parts = [_failure(one) for one in wrong]
    if more:
        body = "\n".join(more).replace("```", "'''")
        parts.append(f"\n<details><summary>Coverage of rules</summary>\n\n```text\n{body}\n```\n\n</details>\n")
    head = "| | property | how | where |\n|---|---|---|---|\n"
    rows = "".join(
        f"| {_SIGNS[one.status]} | {_plain(one.name)} | {one.sureness} | {_plain(_place(one))} |\n" for one in results
    )
    parts.append(f"\n<details><summary>All {len(results)}</summary>\n\n{head}{rows}\n</details>\n")
    left = 0
    for part in parts:
        if len(text) + len(part) > _LONGEST - 100:
            left += 1
        else:
            text += part
    return text + (f"\n_{left} parts do not fit into a comment._\n" if left else "")


def _failure(one: Result) -> str:
    body = "\n".join(map(visible, one.details())).replace("```", "'''")
    return f"\n{_SIGNS[one.status]} **{_plain(one.name)}** ({_plain(_place(one))})\n\n```text\n{body}\n```\n"


def _place(one: Result) -> str:
    return visible(f"{one.span.source}:{one.span.line}")


def _plain(text: str) -> str:
    text = visible(text)
    for mark in "\\`*_[]|":
        text = text.replace(mark, f"\\{mark}")
    return escape(text, quote=False).replace("@", "@\u200b")
