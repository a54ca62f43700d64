"""``gerbang search``: which packets of a described kind are permitted or denied."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.arguments import add_dialect, add_file, add_format, add_unmodelled, add_verbose
from compiler.cli.output import emit_json, emit_lines
from compiler.cli.tree import read_tree
from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    add_file(parser)
    verdict = parser.add_mutually_exclusive_group(required=True)
    verdict.add_argument("--permitted", action="store_true", help="packets that pass")
    verdict.add_argument("--denied", action="store_true", help="packets that are stopped")
    parser.add_argument("--from", metavar="ADDRESSES", default="", dest="source", help="any, 10.0.0.2, 10.0.0.0/8, A-B")
    parser.add_argument("--to", metavar="ADDRESSES", default="", dest="destination", help="in the same way")
    parser.add_argument("--protocol", metavar="NAME", default="", help="tcp, udp, icmp, …, or a number")
    parser.add_argument("--port", metavar="PORTS", default="", help="destination ports: 21, 20-21, ftp, 80,443")
    parser.add_argument("--source-port", metavar="PORTS", default="", help="source ports, in the same way")
    parser.add_argument("--icmp", metavar="MESSAGE", default="", help="ICMP message: echo, 8, 3/13")
    parser.add_argument("--in", metavar="IFACE", dest="ingress", help="the interface they come in by")
    parser.add_argument("--out", metavar="IFACE", dest="egress", help="the interface they go out by")
    parser.add_argument("--list", metavar="NAME", help="through this list alone, bound or not")
    add_dialect(parser, "--dialect")
    add_unmodelled(parser)
    add_format(parser)
    add_verbose(parser)


def _run(arguments: Namespace) -> int:
    from compiler.analysis.traffic.constraints import Constraints, constraints
    from compiler.analysis.traffic.search import search
    from compiler.analysis.traffic.situations import Question
    from compiler.dialects.interface_names import in_full
    from compiler.semantics.lower import Bound, machine

    match = constraints(
        Constraints(
            arguments.source,
            arguments.destination,
            arguments.protocol,
            arguments.source_port,
            arguments.port,
            arguments.icmp,
        )
    )
    tree = read_tree(
        arguments.file, dialect=arguments.dialect_dialect, unmodelled=arguments.unmodelled, verbose=arguments.verbose
    )
    ingress, egress = (name and in_full(name, tree) for name in (arguments.ingress, arguments.egress))
    question = Question(match, arguments.permitted, arguments.list, ingress, egress)
    # With clauses that are not modelled, only what surely has the verdict is shown.
    surely: Bound = "lower" if arguments.permitted else "upper"
    report = search(machine(tree, bound=surely if arguments.unmodelled == "bound" else "exact"), question)
    if arguments.format == "json":
        emit_json(report.as_json())
    else:
        emit_lines(report.lines())
    return 0


verb = Verb(
    "find the packets of a described kind that are permitted, or denied",
    _configure,
    _run,
    (
        "search router.cfg --list 101 --from 172.16.0.0/16 --to 10.0.0.2 --port ftp --protocol tcp --denied",
        "search router.cfg --in GigabitEthernet0/2 --protocol icmp --permitted",
    ),
)
