"""``gerbang diff``: which traffic changes its verdict from one configuration to the next."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.output import emit, emit_json, emit_lines
from compiler.cli.two import add_two, compared
from compiler.cli.verb import Verb

__all__ = ["verb"]

_NAMES = ("old", "new")


def _configure(parser: ArgumentParser) -> None:
    texts = ("the configuration as it was", "the configuration as it will be")
    add_two(parser, _NAMES, texts, "markdown")


def _run(arguments: Namespace) -> int:
    from compiler.analysis.traffic.difference import differences

    report = compared(arguments, _NAMES, differences)
    if arguments.format == "json":
        emit_json(report.as_json())
    elif arguments.format == "markdown":
        emit(report.markdown())
    else:
        emit_lines(report.lines())
    return 0 if report.empty else 1


verb = Verb(
    "say which traffic changes its verdict between two configurations",
    _configure,
    _run,
    ("diff running.cfg candidate.cfg", "diff running.cfg candidate.cfg --format markdown"),
)
