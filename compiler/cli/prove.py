"""``gerbang prove``: are two configurations equal over every packet?"""

from __future__ import annotations

import sys
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
from compiler.cli.output import Paint, emit_json, emit_lines
from compiler.cli.progress import Progress
from compiler.cli.tree import interface_map, read_two
from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    add_file(parser, "a", "the first configuration")
    add_file(parser, "b", "the second configuration")
    add_pairs(parser)
    add_fragments(parser)
    add_interfaces(parser, "first", "second")
    add_dialect(parser, "--from", "A")
    add_dialect(parser, "--to", "B")
    add_format(parser)
    add_verbose(parser)


def _run(arguments: Namespace) -> int:
    from compiler.analysis.proof import prove
    from compiler.semantics.lower import machine

    left, right = read_two(
        arguments.a,
        arguments.b,
        left_dialect=arguments.from_dialect,
        right_dialect=arguments.to_dialect,
        verbose=arguments.verbose,
    )
    with Progress("comparing") as progress:
        report = prove(
            machine(left),
            machine(right),
            interfaces=interface_map(arguments.interfaces, left, right),
            pairs=tuple(arguments.lists),
            whole_packets_only=arguments.fragments == "reassembled",
            progress=progress,
        )
    if arguments.format == "json":
        emit_json(report.as_json())
    else:
        paint = Paint(sys.stdout)
        emit_lines(paint.verdict(line) for line in report.lines())
    return 0 if report.holds else 1


verb = Verb(
    "prove two configurations equal over every packet, or show packets that tell them apart",
    _configure,
    _run,
    (
        "prove router.cfg router.nft --interface GigabitEthernet0/2=eth1",
        "prove old.cfg new.cfg --list 101=CLIENTS",
    ),
)
