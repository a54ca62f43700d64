"""``gerbang balance compile``: one intent to RouterOS or Linux, proved by reading the text back."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from compiler.cli.arguments import FILE, add_format
from compiler.cli.output import Paint, emit, emit_json, note, write_whole
from compiler.cli.verb import Verb
from compiler.placed.source_text import read_source

if TYPE_CHECKING:
    from compiler.balancing.compilation import BalanceCompilation

__all__ = ["action"]

TARGETS = ("routeros6", "routeros7", "linux")


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar=FILE, help='the intent (YAML), "-" for standard input')
    parser.add_argument("--to", required=True, choices=TARGETS, help="the device to write for")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="write to this file, whole or not at all; for Linux the nft file, and beside it OUT.ip for ip -batch",
    )
    parser.add_argument("--no-proof", action="store_true", help="write without proof; standard error says so")
    add_format(parser)


def _run(arguments: Namespace) -> int:
    from compiler.balancing.compilation import compile_balance
    from compiler.balancing.proof import FailedBalance
    from compiler.balancing.reading import read_balance

    source = read_source(arguments.file)
    if source.note:
        note(source.note)
    try:
        done = compile_balance(source.text, source.name, arguments.to, prove=not arguments.no_proof)
    except FailedBalance as failed:
        if arguments.format != "json":
            raise
        emit_json({"target": arguments.to, "files": None, "proof": failed.proof.as_json()})
        return failed.exit_code
    if arguments.output:
        passwords = [one.password for one in read_balance(source.text, source.name).uplinks if one.password]
        for suffix, written in done.files:
            write_whole(arguments.output + suffix, written, is_secret=_holds(written, passwords))
    if arguments.format == "json":
        emit_json(_as_json(done, arguments.output))
        return 0
    _tell(done)
    if not arguments.output:
        emit("\n".join(written for _, written in done.files))
    return 0


def _holds(text: str, passwords: Sequence[str]) -> bool:
    """Whether a password stands in the text, as it is or with RouterOS's escapes."""
    from compiler.dialects.routeros.quoting import quote

    return any(one in text or quote(one) in text for one in passwords)


def _tell(done: BalanceCompilation) -> None:
    paint = Paint(sys.stderr)
    for line in done.lines():
        note(paint.verdict(line))


def _as_json(done: BalanceCompilation, output: str | None) -> dict[str, object]:
    files = {suffix or "main": output + suffix if output else text for suffix, text in done.files}
    return {
        "target": done.target,
        "files": files,
        "shares": done.shares(),
        "proof": None if done.proof is None else done.proof.as_json(),
    }


action = Verb(
    "write the configuration of a device, and prove it",
    _configure,
    _run,
    (
        "balance compile isps.yaml --to routeros7 -o isps.rsc",
        "balance compile isps.yaml --to linux -o isps.nft",
    ),
)
