"""``gerbang verify``: do the properties of a folder hold?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from compiler.cli.arguments import add_format
from compiler.cli.output import Paint, emit, emit_json, emit_lines, note, write_whole
from compiler.cli.progress import Progress
from compiler.cli.verb import Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from compiler.testing.coverage import RuleCoverage
    from compiler.testing.properties.result import Result, Status

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "target",
        nargs="?",
        default=".",
        metavar="FILE",
        help="a folder, which is looked through with all below it, or one file (default: the current folder)",
    )
    add_format(parser, "markdown", "sarif", "junit")
    parser.add_argument("--coverage", action="store_true", help="also tell which rules no property has met")
    parser.add_argument(
        "--coverage-file",
        metavar="OUT",
        help="write the coverage of rules: for lcov(1), or as JSON when the name ends in .json",
    )
    parser.add_argument("--verbose", action="store_true", help="also show what pytest itself says")


def _run(arguments: Namespace) -> int:
    from pathlib import Path

    from compiler.testing.properties.result import Status, exit_code

    wanted = arguments.coverage or arguments.coverage_file is not None
    results, rules = _results(Path(arguments.target), wanted, verbose=arguments.verbose)
    report: list[str] = []
    if wanted:
        from compiler.testing.coverage import as_json, as_lcov, lines_of_report

        report = list(lines_of_report(rules)) if arguments.coverage else []
        if arguments.coverage_file is not None:
            as_text = as_json if arguments.coverage_file.endswith(".json") else as_lcov
            write_whole(arguments.coverage_file, as_text(rules))
    _emit(arguments.format, results, rules if arguments.coverage else (), report)
    if all(one.status is Status.SKIPPED for one in results):
        note(f"gerbang verify: every test of {arguments.target} was skipped, so nothing was asked")
        return 2
    return exit_code(results)


def _results(target: Path, coverage: bool, *, verbose: bool) -> tuple[list[Result], tuple[RuleCoverage, ...]]:
    from compiler.errors import UsageError
    from compiler.testing.properties.running import find

    found = find(target)
    results: list[Result] = []
    parts: list[tuple[RuleCoverage, ...]] = []
    if found.written:
        asked, met = _asked(found.written, coverage)
        results += asked
        parts.append(met)
    if found.has_tests:
        from compiler.testing.properties.suite import run_suite

        suite = run_suite(target, coverage=coverage)
        results += suite.results
        parts.append(suite.rules)
        if verbose:
            note(suite.output)
    if not results:
        raise UsageError(f"{target}: pytest found no test there, so nothing was asked")
    return results, _together(parts) if coverage else ()


def _asked(files: Sequence[Path], coverage: bool) -> tuple[list[Result], tuple[RuleCoverage, ...]]:
    from compiler.testing.properties.running import ask_all

    with Progress("verifying") as progress:
        if not coverage:
            return list(ask_all(files, progress)), ()
        from compiler.testing.coverage import Coverage
        from compiler.testing.recording import recording

        with recording(watcher := Coverage()):
            return list(ask_all(files, progress)), watcher.rules()


def _together(parts: Sequence[tuple[RuleCoverage, ...]]) -> tuple[RuleCoverage, ...]:
    """One file is one file, whichever way it was named."""
    from compiler.testing.coverage import joined
    from compiler.testing.properties.suite import shown

    return joined([one._replace(source=shown(one.source)) for one in part] for part in parts)


def _emit(form: str, results: Sequence[Result], rules: Sequence[RuleCoverage], report: Sequence[str]) -> None:
    """The results in one format; what a format has no place for goes to standard error."""
    from compiler.testing.properties.report import as_markdown, lines_of
    from compiler.testing.properties.result import summary

    if form == "json":
        document: dict[str, object] = {"summary": summary(results), "properties": [one.as_json() for one in results]}
        emit_json(document | ({"coverage": [one._asdict() for one in rules]} if report else {}))
    elif form == "markdown":
        emit(as_markdown(results, report))
    elif form in ("sarif", "junit"):
        from compiler.testing.properties.machines import as_junit, as_sarif

        note(*report)
        if form == "sarif":
            emit_json(as_sarif(results))
        else:
            emit(as_junit(results))
    else:
        emit_lines([*lines_of(results, _painted(Paint(sys.stdout))), *report])


def _painted(paint: Paint) -> Callable[[Status, str], str]:
    def coloured(status: Status, text: str) -> str:
        how = {"held": paint.good, "FAILED": paint.bad, "BROKEN": paint.bad}.get(status.value, paint.faint)
        return how(text)

    return coloured


verb = Verb(
    "run the properties of a folder: properties.yaml and pytest suites",
    _configure,
    _run,
    ("verify", "verify policies --coverage", "verify policies --format junit > report.xml"),
)
