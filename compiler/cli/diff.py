"""``gerbang diff``: which traffic changes its verdict from one configuration to the next, or by a change in git."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.arguments import FILE
from compiler.cli.diff_git import add_git, is_of_git, run_git
from compiler.cli.output import emit, emit_json, emit_lines
from compiler.cli.two import add_two_options, compared
from compiler.cli.verb import Verb

__all__ = ["verb"]

_NAMES = ("old", "new")


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="*",
        metavar=FILE,
        help='the configuration as it was, and as it will be ("-" for standard input); '
        "with --git, --base or --staged: files and folders to look at (default: all)",
    )
    add_git(parser)
    add_two_options(parser, _NAMES, "markdown", "sarif")


def _run(arguments: Namespace) -> int:
    if is_of_git(arguments):
        return run_git(arguments)
    return _two(arguments)


def _two(arguments: Namespace) -> int:
    from compiler.analysis.traffic.difference import differences
    from compiler.errors import UsageError

    if len(arguments.files) != 2:
        raise UsageError("expected two files, OLD and NEW, or one of --git, --base and --staged")
    git_only = (
        ("--format sarif", arguments.format == "sarif"),
        ("--unmodelled", arguments.unmodelled != "refuse"),
        ("--fail-on", arguments.fail_on != "difference"),
    )
    for option, is_given in git_only:
        if is_given:
            raise UsageError(f"{option} is for changes in git: with --git, --base or --staged")
    arguments.old, arguments.new = arguments.files
    report = compared(arguments, _NAMES, differences)
    if arguments.format == "json":
        emit_json(report.as_json())
    elif arguments.format == "markdown":
        emit(report.markdown())
    else:
        emit_lines(report.lines())
    return 0 if report.empty else 1


verb = Verb(
    "say which traffic changes its verdict between two configurations, or two commits",
    _configure,
    _run,
    (
        "diff running.cfg candidate.cfg",
        "diff running.cfg candidate.cfg --format markdown",
        "diff --base origin/main --format markdown > comment.md",
        "diff --git v1.4..v1.5 routers --format sarif > review.sarif",
        "diff --staged",
    ),
)
