"""``gerbang check``: what is wrong, useless or dangerous in one configuration."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compiler.cli.arguments import add_dialect, add_file, add_format, add_unmodelled, add_verbose
from compiler.cli.output import Paint, emit_json, emit_lines
from compiler.cli.tree import read_tree
from compiler.cli.verb import Verb

if TYPE_CHECKING:
    from compiler.analysis.findings.check import Finding

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    add_file(parser)
    add_dialect(parser)
    add_unmodelled(parser)
    add_format(parser, "sarif")
    add_verbose(parser)


def _run(arguments: Namespace) -> int:
    from compiler.analysis.findings.check import check, exit_code

    tree = read_tree(
        arguments.file, dialect=arguments.from_dialect, unmodelled=arguments.unmodelled, verbose=arguments.verbose
    )
    findings = check(tree)
    if arguments.format == "json":
        emit_json({"source": tree.source, "findings": [finding.as_json() for finding in findings]})
    elif arguments.format == "sarif":
        from compiler.analysis.findings.sarif import sarif

        emit_json(sarif(findings, tree.source))
    else:
        emit_lines(_lines(findings, tree.lines, Paint(sys.stdout)))
    return exit_code(findings)


def _lines(findings: Sequence[Finding], source: Sequence[str], paint: Paint) -> Iterator[str]:
    from compiler.analysis.findings.check import render

    colours = {"error": paint.bad, "warning": paint.doubtful, "note": paint.faint}
    for finding in findings:
        severity = finding.severity.value
        yield render(finding, source).replace(f" {severity}: ", f" {colours[severity](severity)}: ", 1)
    counts = Counter(finding.severity.value for finding in findings)
    yield ", ".join(f"{counts[severity]} {severity}{'' if counts[severity] == 1 else 's'}" for severity in colours)


verb = Verb(
    "find shadowed and redundant entries, lists never bound, and other mistakes in a configuration",
    _configure,
    _run,
    ("check router.cfg", "check router.cfg --format sarif > router.sarif"),
)
