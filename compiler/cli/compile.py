"""``gerbang compile``: a configuration for another device, proved equal to its source."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from compiler.cli.arguments import (
    DIALECT_NAMES,
    add_dialect,
    add_file,
    add_format,
    add_interfaces,
    add_unmodelled,
    add_verbose,
    mapping,
    positive,
)
from compiler.cli.output import Paint, emit, emit_json, note, write_whole
from compiler.cli.progress import Progress
from compiler.cli.tree import read_tree
from compiler.cli.verb import Verb

if TYPE_CHECKING:
    from compiler.analysis.compilation import Compilation
    from compiler.lowering.options import Options

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    add_file(parser, text="the source configuration")
    parser.add_argument("--to", required=True, choices=DIALECT_NAMES, help="dialect to write")
    add_dialect(parser)
    parser.add_argument(
        "--routeros", type=int, choices=(6, 7), default=7, help="major version of RouterOS to write for (default: 7)"
    )
    parser.add_argument("-o", "--output", metavar="OUT", help="write to this file, whole or not at all")
    add_interfaces(parser)
    parser.add_argument(
        "--list",
        action="append",
        default=[],
        metavar="NAME",
        dest="lists",
        help="compile only this list; may be repeated",
    )
    parser.add_argument(
        "--deny", choices=("reject", "drop"), default="drop", help="how denied packets are answered (default: drop)"
    )
    parser.add_argument(
        "--place",
        choices=("early", "filter"),
        default="early",
        help="before NAT and connection tracking (early, the default), or in the filter hooks",
    )
    parser.add_argument(
        "--fragments",
        choices=("exact", "reassembled", "untracked"),
        default="exact",
        help="decide fragments as the source does (exact, the default), or promise that the target never sees them "
        "(reassembled), or that nothing on the target reassembles packets (untracked)",
    )
    add_unmodelled(parser)
    parser.add_argument(
        "--bound",
        action="store_true",
        help="accept a narrower target, never a wider one, where it cannot say the source",
    )
    parser.add_argument(
        "--address-limit",
        type=positive,
        metavar="N",
        help="most entries of one address list before a target that needs them refuses (default: 16384)",
    )
    parser.add_argument("--no-proof", action="store_true", help="write without proof; the output says so")
    add_format(parser)
    add_verbose(parser)


def _run(arguments: Namespace) -> int:
    from compiler.analysis.compilation import FailedProof, compile_tree

    _refuse_overwriting(arguments.file, arguments.output)
    tree = read_tree(
        arguments.file,
        dialect=arguments.from_dialect,
        unmodelled=arguments.unmodelled,
        verbose=arguments.verbose,
    )
    options = _options(arguments)
    try:
        with Progress("proving") as progress:
            compilation = compile_tree(
                tree, arguments.to, options, prove=not arguments.no_proof, progress=progress, announce=note
            )
    except FailedProof as failed:
        if arguments.format != "json":
            raise
        emit_json({"target": arguments.to, "output": None, "text": None, "proof": failed.report.as_json()})
        return failed.exit_code
    if arguments.output:
        write_whole(arguments.output, compilation.text)
    if arguments.format == "json":
        emit_json(_as_json(compilation, arguments.output))
    else:
        _tell(compilation)
        if not arguments.output:
            emit(compilation.text)
    return 0


def _options(arguments: Namespace) -> Options:
    from compiler.lowering.options import ADDRESS_LIMIT, Deny, Fragments, Options, Placement

    return Options(
        interfaces=mapping(arguments.interfaces),
        deny=Deny(arguments.deny),
        placement=Placement(arguments.place),
        fragments=Fragments(arguments.fragments),
        bound=arguments.bound,
        address_limit=arguments.address_limit or ADDRESS_LIMIT,
        routeros=arguments.routeros,
        lists=tuple(arguments.lists),
    )


def _refuse_overwriting(source: str, output: str | None) -> None:
    if output and source != "-" and os.path.exists(output) and os.path.isfile(source):
        from compiler.errors import UsageError

        if os.path.samefile(source, output):
            raise UsageError(f"{output!r} is the source itself")


def _tell(compilation: Compilation) -> None:
    """The proof and the bounds that were taken, to standard error: they are not the result."""
    paint = Paint(sys.stderr)
    note(*(paint.doubtful(f"bounded: {refusal}") for refusal in compilation.refusals))
    if compilation.report is None:
        note(paint.verdict("NOT PROVED: --no-proof was given"))
    else:
        note(*(paint.verdict(line) for line in compilation.report.lines()))


def _as_json(compilation: Compilation, output: str | None) -> dict[str, object]:
    return {
        "target": compilation.target,
        "output": output,
        "text": None if output else compilation.text,
        "proof": None if compilation.report is None else compilation.report.as_json(),
        "refusals": [
            {"what": refusal.what, "why": refusal.why, "place": str(refusal.span) if refusal.span.line else None}
            for refusal in compilation.refusals
        ],
        "notes": list(compilation.notes),
    }


verb = Verb(
    "compile a configuration for another device, and prove the result equal to its source",
    _configure,
    _run,
    (
        "compile router.cfg --to nftables --interface GigabitEthernet0/2=eth1 -o router.nft",
        "compile router.cfg --to routeros --routeros 6 --list 101",
    ),
)
