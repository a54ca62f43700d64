"""A review as SARIF 2.1.0: results stand at the lines of the new configuration that decide what changed."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.analysis.findings.finding import Finding, Severity
from compiler.analysis.findings.sarif import sarif
from compiler.analysis.review.outcome import DecidingLine, FileReview, Problem, Review, Verdict
from compiler.policy.match_text import format_match
from compiler.source import Span

__all__ = ["CATALOGUE", "review_sarif"]

CATALOGUE: dict[str, tuple[Severity, str]] = {
    "newly-permitted": (Severity.WARNING, "Packets that were denied are permitted now"),
    "newly-denied": (Severity.NOTE, "Packets that were permitted are denied now"),
    "unreadable-configuration": (Severity.ERROR, "A configuration that cannot be read cannot be reviewed"),
    "list-without-partner": (Severity.NOTE, "A list came or went, and no interface uses it"),
    "outside-the-model": (Severity.WARNING, "Translation or the like came or went, which is not compared"),
    "configuration-added": (Severity.NOTE, "A new configuration has nothing to be compared with"),
    "configuration-deleted": (Severity.NOTE, "A configuration was deleted"),
}


def review_sarif(review: Review) -> dict[str, object]:
    """One run over all files of the change; paths are those of the repository."""
    findings = [finding for one in review.files for finding in _findings(one)]
    return sarif(findings, [one.path for one in review.files], CATALOGUE)


def _findings(one: FileReview) -> Iterator[Finding]:
    for problem in one.problems:
        yield _finding("unreadable-configuration", problem, one.path)
    for line in one.lines:
        yield _decided(line)
    for problem in one.outside:
        yield _finding("outside-the-model", problem, one.path)
    rule = {
        Verdict.ADDED: "configuration-added",
        Verdict.DELETED: "configuration-deleted",
    }.get(one.verdict, "list-without-partner")
    for note in one.notes:
        yield _finding(rule, Problem(Span(one.path, 1), f"{CATALOGUE[rule][1]}: {note}"), one.path)


def _finding(rule: str, problem: Problem, path: str) -> Finding:
    """At the place itself if that is in the new file, else at the top of it, with the place in words."""
    span, message = problem.span, problem.message
    if span.source != path or not span.line:
        message = f"{span}: {message}" if span.line else message
        span = Span(path, 1)
    return Finding(rule, CATALOGUE[rule][0], message, span)


def _decided(line: DecidingLine) -> Finding:
    rule = f"newly-{line.newly}"
    packets = "; ".join(format_match(match) for match in line.packets) + ("" if line.whole else "; and more")
    message = f"Newly {line.newly}, {line.where}: {packets}. This {line.did}. For example: {line.example}"
    return Finding(rule, CATALOGUE[rule][0], message, line.span)
