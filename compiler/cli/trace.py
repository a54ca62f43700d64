"""``gerbang trace``: one packet, which entry decided it, and why the earlier ones did not."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.arguments import add_dialect, add_file, add_format, add_unmodelled, add_verbose
from compiler.cli.output import emit_json, emit_lines, note
from compiler.cli.tree import read_tree
from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("packet", metavar="PACKET", help="for example 'tcp 172.16.6.4:1025 > 10.0.0.2:21 flags=syn'")
    parser.add_argument("--list", metavar="NAME", help="through this list alone, bound or not")
    parser.add_argument("--in", metavar="IFACE", dest="ingress", help="the interface it comes in by")
    parser.add_argument("--out", metavar="IFACE", dest="egress", help="the interface it goes out by")
    add_dialect(parser)
    add_unmodelled(parser)
    add_format(parser)
    add_verbose(parser)


def _run(arguments: Namespace) -> int:
    from compiler.analysis.explanation.trace import trace
    from compiler.dialects.interface_names import in_full
    from compiler.policy.packet_text import parse_packet
    from compiler.semantics.lower import machine

    packet = parse_packet(_with_interfaces(arguments))
    tree = read_tree(
        arguments.file, dialect=arguments.from_dialect, unmodelled=arguments.unmodelled, verbose=arguments.verbose
    )
    packet = packet._replace(ingress=in_full(packet.ingress, tree), egress=in_full(packet.egress, tree))
    device = machine(tree, bound="lower" if arguments.unmodelled == "bound" else "exact")
    if not (arguments.list or packet.ingress or packet.egress) and device.interfaces():
        note(f"no interface is named: lists stand on {', '.join(sorted(device.interfaces()))} (--in, --out, or --list)")
    found = trace(device, packet, arguments.list, tree=tree)
    if arguments.format == "json":
        emit_json(found.as_json())
    else:
        emit_lines(found.lines(verbose=arguments.verbose))
    return 0


def _with_interfaces(arguments: Namespace) -> str:
    """The packet's text with --in and --out as its words, so that one parser sees what contradicts."""
    text: str = arguments.packet
    for word, name in (("in", arguments.ingress), ("out", arguments.egress)):
        if name:
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            text += f' {word}="{escaped}"'
    return text


verb = Verb(
    "follow one packet: which entry decides it, and why the earlier ones do not",
    _configure,
    _run,
    (
        "trace router.cfg 'tcp 172.16.6.4:1025 > 10.0.0.2:21' --list 101",
        "trace router.cfg 'icmp 10.0.0.2 > 172.16.6.4 type=3 code=13' --in GigabitEthernet0/1",
    ),
)
