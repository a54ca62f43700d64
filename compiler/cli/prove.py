"""``gerbang prove``: are two configurations equal over every packet?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from compiler.cli.output import Paint, emit_json, emit_lines
from compiler.cli.two import add_two, compared
from compiler.cli.verb import Verb

__all__ = ["verb"]

_NAMES = ("a", "b")


def _configure(parser: ArgumentParser) -> None:
    add_two(parser, _NAMES, ("the first configuration", "the second configuration"))


def _run(arguments: Namespace) -> int:
    from compiler.analysis.equivalence.proof import prove

    report = compared(arguments, _NAMES, prove)
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
