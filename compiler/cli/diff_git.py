"""``gerbang diff --git``: the review of a change that git holds."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from compiler.cli.arguments import add_unmodelled
from compiler.cli.output import emit, emit_json, emit_lines, note
from compiler.cli.progress import Progress

if TYPE_CHECKING:
    from compiler.cli.git import Change

__all__ = ["add_git", "is_of_git", "run_git"]


def add_git(parser: ArgumentParser) -> None:
    """The options by which the two sides come from a repository."""
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--git",
        metavar="BASE..HEAD",
        dest="git_range",
        help="review every configuration that differs between two commits; "
        "BASE...HEAD: since HEAD parted from BASE; the files then limit what is looked at",
    )
    ways.add_argument(
        "--base",
        metavar="BASE",
        help="the same as --git BASE...HEAD: what this branch does to BASE",
    )
    ways.add_argument("--staged", action="store_true", help="review what the next commit would change")
    parser.add_argument(
        "--fail-on",
        choices=("difference", "wider", "unreadable"),
        default="difference",
        help="of a change in git: exit with 1 when anything differs in meaning (default), "
        "only when something is or may be wider, or only when a file cannot be read",
    )
    add_unmodelled(parser)


def is_of_git(arguments: Namespace) -> bool:
    """Whether a repository is asked for."""
    return bool(arguments.git_range is not None or arguments.base is not None or arguments.staged)


def run_git(arguments: Namespace) -> int:
    """Review the change. 1 when a configuration differs in meaning (or as ``--fail-on`` says), else 0."""
    from compiler.analysis.review.reviewing import review
    from compiler.errors import UsageError
    from compiler.visible import visible

    if arguments.lists or arguments.interfaces or arguments.from_dialect or arguments.to_dialect:
        raise UsageError("--list, --interface, --from and --to are for two files: not for --git, --base and --staged")
    change = _change(arguments)
    with Progress("reviewing") as progress:
        found = review(
            change.files,
            change.old,
            change.new,
            unmodelled=arguments.unmodelled,
            whole_packets_only=arguments.fragments == "reassembled",
            skipped=change.skipped,
            progress=progress,
        )
    if arguments.verbose:
        note(*(f"{visible(path)}: no configuration, left out" for path in found.skipped))
    if arguments.format == "json":
        emit_json(found.as_json())
    elif arguments.format == "markdown":
        from compiler.analysis.review.markdown import markdown

        emit(markdown(found))
    elif arguments.format == "sarif":
        from compiler.analysis.review.sarif import review_sarif

        emit_json(review_sarif(found))
    else:
        from compiler.analysis.review.text import lines_of

        emit_lines(lines_of(found))
    return int(found.fails(arguments.fail_on))


def _change(arguments: Namespace) -> Change:
    from compiler.analysis.review.files import may_be_configuration
    from compiler.cli.git import between, staged
    from compiler.errors import UsageError

    if arguments.base is not None and not arguments.base.strip():
        raise UsageError("--base: there is no revision (an unset variable?)")
    if arguments.staged:
        return staged(arguments.files, may_be_configuration)
    wanted = arguments.git_range if arguments.git_range is not None else f"{arguments.base}...HEAD"
    return between(wanted, arguments.files, may_be_configuration)
