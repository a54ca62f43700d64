"""``gerbang explain``: what the entries of a list mean, as a table of addresses."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.arguments import add_dialect, add_file, add_format, add_unmodelled, add_verbose, positive
from compiler.cli.output import emit_json, emit_lines
from compiler.cli.tree import read_tree
from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("--list", metavar="NAME", help="only this list (default: all)")
    parser.add_argument(
        "--within",
        metavar="PREFIX",
        help="tables of the sources in this prefix (default: just wide enough for each wildcard)",
    )
    parser.add_argument(
        "--rows", type=positive, default=40, metavar="N", help="most rows of each table to print (default: 40)"
    )
    add_dialect(parser)
    add_unmodelled(parser)
    add_format(parser)
    add_verbose(parser)


def _run(arguments: Namespace) -> int:
    from compiler.analysis.explanation.explain import explain
    from compiler.analysis.traffic.constraints import prefix

    within = prefix(arguments.within) if arguments.within else None
    tree = read_tree(
        arguments.file, dialect=arguments.from_dialect, unmodelled=arguments.unmodelled, verbose=arguments.verbose
    )
    explanation = explain(tree, arguments.list, within)
    if arguments.format == "json":
        emit_json(explanation.as_json())
    else:
        emit_lines(explanation.lines(arguments.rows))
    return 0


verb = Verb(
    "show what a list permits and denies, as ranges of addresses with their counts",
    _configure,
    _run,
    ("explain router.cfg --list 101", "explain router.cfg --list 101 --within 172.16.0.0/16"),
)
