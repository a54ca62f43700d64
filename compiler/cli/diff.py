"""``gerbang diff``: which traffic changes its verdict from one configuration to the next."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.arguments import (
    add_dialect,
    add_file,
    add_format,
    add_fragments,
    add_interfaces,
    add_pairs,
    add_verbose,
)
from compiler.cli.output import emit, emit_json, emit_lines
from compiler.cli.progress import Progress
from compiler.cli.tree import interface_map, read_two
from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    add_file(parser, "old", "the configuration as it was")
    add_file(parser, "new", "the configuration as it will be")
    add_pairs(parser)
    add_fragments(parser)
    add_interfaces(parser, "old", "new")
    add_dialect(parser, "--from", "OLD")
    add_dialect(parser, "--to", "NEW")
    add_format(parser, "markdown")
    add_verbose(parser)


def _run(arguments: Namespace) -> int:
    from compiler.analysis.difference import differences
    from compiler.semantics.lower import machine

    old, new = read_two(
        arguments.old,
        arguments.new,
        left_dialect=arguments.from_dialect,
        right_dialect=arguments.to_dialect,
        verbose=arguments.verbose,
    )
    with Progress("comparing") as progress:
        report = differences(
            machine(old),
            machine(new),
            interfaces=interface_map(arguments.interfaces, old, new),
            pairs=tuple(arguments.lists),
            whole_packets_only=arguments.fragments == "reassembled",
            progress=progress,
        )
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
