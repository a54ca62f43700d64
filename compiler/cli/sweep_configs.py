"""``gerbang sweep configs``: properties of every configuration of a fleet."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.arguments import add_dialect, add_unmodelled
from compiler.cli.sweep_source import Plan, Source

__all__ = ["source"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "configurations",
        nargs="+",
        metavar="DIR/GLOB",
        help="files, folders (all in them that is not hidden), or patterns such as 'fleet/**/*.cfg'",
    )
    parser.add_argument(
        "--check",
        action="append",
        default=[],
        dest="checks",
        metavar="PROPERTY",
        help="what must hold of each, such as 'reachable 10.1.0.0/16 10.2.0.2 tcp/80 list=101', 'no_shadowed_rule', "
        "'no_wider_than golden.cfg', 'check'; may be repeated",
    )
    parser.add_argument(
        "--checks",
        action="append",
        default=[],
        dest="check_files",
        metavar="FILE",
        help="a file with one property on each line; may be repeated",
    )
    add_dialect(parser)
    add_unmodelled(parser)


def _plan(arguments: Namespace) -> Plan:
    from compiler.errors import UsageError
    from compiler.testing.sweeps.configurations import ConfigurationCheck, Fleet, properties_of
    from compiler.testing.sweeps.reading import ReadAs

    properties = properties_of(arguments.checks, arguments.check_files)
    if not properties:
        raise UsageError("say what must hold: --check 'no_shadowed_rule', --check 'reachable SOURCE DESTINATION', …")
    how = ReadAs(arguments.from_dialect, arguments.unmodelled)
    return Plan(Fleet(arguments.configurations), ConfigurationCheck(properties, how))


source = Source(
    "properties of every configuration of a fleet",
    _configure,
    _plan,
    (
        "sweep configs fleet/ --check 'unreachable any 10.0.0.0/8 tcp/23' --check check --journal night.jsonl",
        "sweep configs 'sites/*/edge.cfg' --check 'no_wider_than golden.cfg' --processes 8 --format json",
    ),
)
