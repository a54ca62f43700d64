"""``gerbang classify``: what a list does with the packets of a capture, or with millions of random ones."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from compiler.cli.arguments import add_dialect, add_file, add_format, add_unmodelled, add_verbose, positive
from compiler.cli.output import emit_json, emit_lines
from compiler.cli.tree import read_tree
from compiler.cli.verb import Verb

if TYPE_CHECKING:
    from compiler.policy.access_list import Device
    from compiler.policy.ruleset import Ruleset
    from compiler.simulator.classify.counting import Place

__all__ = ["verb"]

_MOST = 10**10
"""Random packets of one run: more of them change no digit of the shares that are shown."""


def _configure(parser: ArgumentParser) -> None:
    add_file(parser)
    packets = parser.add_mutually_exclusive_group(required=True)
    packets.add_argument("--pcap", metavar="CAPTURE", help="the packets of a pcap or pcapng file")
    packets.add_argument(
        "--random", metavar="N", type=_number, help="this many random packets, four of five inside rules of the list"
    )
    parser.add_argument("--seed", metavar="S", type=_seed, default=1, help="of the random packets (default: 1)")
    parser.add_argument("--family", choices=("4", "6"), help="of the random packets (default: that of the list)")
    parser.add_argument("--list", metavar="NAME", help="through this list alone, bound or not")
    parser.add_argument("--in", metavar="IFACE", dest="ingress", help="the interface they come in by")
    parser.add_argument("--out", metavar="IFACE", dest="egress", help="the interface they go out by")
    parser.add_argument(
        "--engine",
        choices=("auto", "cuts", "bits", "numpy"),
        default="auto",
        help="how they are searched (default: chosen by the list)",
    )
    parser.add_argument("--jobs", metavar="N", type=positive, default=1, help="threads (default: 1)")
    parser.add_argument("--top", metavar="N", type=positive, default=10, help="deciding lines shown (default: 10)")
    add_dialect(parser)
    add_unmodelled(parser)
    add_format(parser)
    add_verbose(parser)


def _number(text: str) -> int:
    number = positive(text)
    if number > _MOST:
        raise ArgumentTypeError(f"{number:,} random packets: at most {_MOST:,} are drawn in one run")
    return number


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise ArgumentTypeError(f"{text!r}: expected a whole number from 0")
    return int(text)


def _run(arguments: Namespace) -> int:
    from compiler.errors import UsageError
    from compiler.semantics.lower import machine
    from compiler.simulator.classify.counting import Source, count_decisions

    tree = read_tree(
        arguments.file, dialect=arguments.from_dialect, unmodelled=arguments.unmodelled, verbose=arguments.verbose
    )
    device = machine(tree, bound="lower" if arguments.unmodelled == "bound" else "exact")
    source = Source(arguments.pcap, arguments.random or 0, arguments.seed, int(arguments.family or 0))
    place = _place(arguments, tree)
    if device.dialect == "ios" and not device.lists():
        raise UsageError(f"{device.source} has no list that packets could be decided by")
    report = count_decisions(device, place, source, engine=arguments.engine, workers=arguments.jobs)
    if arguments.format == "json":
        emit_json(report.as_json(tree.lines))
    else:
        emit_lines(report.lines(tree.lines, arguments.top))
    return 0


def _place(arguments: Namespace, tree: Device | Ruleset) -> Place:
    """Where the packets meet the device. Raises UsageError when a list and an interface are both named."""
    from compiler.dialects.interface_names import in_full
    from compiler.errors import UsageError
    from compiler.simulator.classify.counting import Place

    if arguments.list and (arguments.ingress or arguments.egress):
        raise UsageError("--list is one list alone: it goes without --in and --out")
    ingress, egress = (in_full(name, tree) if name else "" for name in (arguments.ingress, arguments.egress))
    return Place(arguments.list or "", ingress, egress)


verb = Verb(
    "count what a list decides about the packets of a capture, or about millions of random ones",
    _configure,
    _run,
    (
        "classify router.cfg --list 101 --pcap friday.pcapng",
        "classify router.cfg --in GigabitEthernet0/2 --random 10000000 --seed 7",
    ),
)
